"""What a session asks of its shopper before any money: addresses, a tax id, consent to terms.

Collected once, before the first payment: an amount that a payment has been made for never changes.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from domain.catalog.quote import Tax
from domain.payments.address import Address


class TaxId(Struct, frozen=True):
    country: str
    number: str
    """With the country's prefix, without spaces and stops. Its form is right; nobody was asked
    whether it was given out."""


class Consent(Struct, frozen=True, kw_only=True):
    """Evidence that the shopper agreed: to what, when, and from where."""

    url: str
    content_sha256: str | None
    """Of what the URL answered at that moment; None: it could not be read then."""
    at: datetime
    ip: str | None
    locale: str
    """The language of the page on which it was given."""


class Collected(Struct, frozen=True, kw_only=True):
    billing_address: Address | None = None
    shipping_address: Address | None = None
    tax_id: TaxId | None = None
    consent: Consent | None = None
    taxed_in: str | None = None
    """The country whose business the buyer is, for the tax. None: taxed like anybody else."""
    tax: Tax | None = None
    """As it is charged to this shopper."""
    at: datetime


class Asks(Struct, frozen=True, kw_only=True):
    """What a session asks for."""

    billing_address: bool
    shipping_address: bool
    tax_id: bool
    consent: bool

    def __bool__(self) -> bool:
        return self.billing_address or self.shipping_address or self.tax_id or self.consent


class Told(Struct, frozen=True, kw_only=True):
    """What the shopper has filled in, as it came."""

    billing_address: Address | None = None
    shipping_address: Address | None = None
    """None: the same as the billing address, if that is asked for."""
    tax_id_country: str | None = None
    """Only looked at where no billing address says it."""
    tax_id_number: str = ""
    agrees: bool = False
    ip: str | None = None
    locale: str


class Reason(StrEnum):
    REQUIRED = "required"
    INVALID = "invalid"


class Fault(Struct, frozen=True):
    """What is wrong with one thing that was filled in."""

    field: str
    """Such as `billingAddress.postalCode`, `taxId` or `consent`."""
    reason: Reason


class AddressForm(Struct, frozen=True, kw_only=True):
    """How addresses look in a country."""

    country: str
    lines: tuple[str, ...]
    """Names of `Address`'s fields between the names and the country, in the country's order."""
    required: frozenset[str]
    states: Mapping[str, str]
    """Code to name; empty where the country has none, or any text will do."""
    state_word: str
    """What it is called there: `state`, `province`, `county`, `prefecture`, ..."""
    postal_code_word: str
    """`postal`, `zip`, `eircode` or `pin`."""
    postal_code_example: str | None


class AddressRules(Protocol):
    def countries(self) -> tuple[str, ...]: ...

    def form(self, country: str) -> AddressForm:
        """Raises KeyError for what is no country."""
        ...

    def check(self, address: Address) -> Address | Mapping[str, Reason]:
        """As the country writes it; or, by field, why it cannot be one."""
        ...


class TaxIds(Protocol):
    def countries(self) -> tuple[str, ...]:
        """Whose tax ids can be checked."""
        ...

    def check(self, country: str, number: str) -> TaxId | None:
        """In its usual form. None: it has not the form of that country's."""
        ...


class TermsReader(Protocol):
    async def sha256(self, url: str) -> str | None:
        """Of what the URL answers now, in hex. None: it could not be read within moments."""
        ...
