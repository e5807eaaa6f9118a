"""Where a payer lives, or a parcel goes."""

from msgspec import Struct


class Address(Struct, frozen=True, kw_only=True):
    given_name: str
    family_name: str
    organization_name: str | None = None
    line1: str
    line2: str | None = None
    postal_code: str | None = None
    city: str | None = None
    state: str | None = None
    """By the code that the country's post uses, where it has one."""
    country: str
    """ISO 3166, two letters."""
