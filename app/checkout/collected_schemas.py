"""What a shopper told us, as the API shows it."""

from msgspec import Struct

from app.http.envelope import Timestamp, stamp
from domain.checkout.collection import Collected, Consent, TaxId
from domain.payments.address import Address


class AddressView(Struct, frozen=True, kw_only=True, rename="camel"):
    given_name: str
    family_name: str
    organization_name: str | None
    line1: str
    line2: str | None
    postal_code: str | None
    city: str | None
    state: str | None
    country: str
    """ISO 3166, two letters."""


class TaxIdView(Struct, frozen=True, kw_only=True, rename="camel"):
    country: str
    number: str
    """Its form is right. Whether it was given out is not known."""


class ConsentView(Struct, frozen=True, kw_only=True, rename="camel"):
    url: str
    content_sha256: str | None
    """Of what the URL answered then, in hex; null when it could not be read."""
    consented_at: Timestamp
    ip: str | None
    locale: str


class CollectedView(Struct, frozen=True, kw_only=True, rename="camel"):
    billing_address: AddressView | None
    shipping_address: AddressView | None
    tax_id: TaxIdView | None
    consent: ConsentView | None
    is_reverse_charged: bool
    """The buyer owes the tax itself: none is in the amount."""
    collected_at: Timestamp


def collected_view(told: Collected) -> CollectedView:
    return CollectedView(
        billing_address=_address(told.billing_address),
        shipping_address=_address(told.shipping_address),
        tax_id=_tax_id(told.tax_id),
        consent=_consent(told.consent),
        is_reverse_charged=told.tax is not None and told.tax.is_reverse_charged,
        collected_at=stamp(told.at),
    )


def _address(address: Address | None) -> AddressView | None:
    if address is None:
        return None
    return AddressView(
        given_name=address.given_name,
        family_name=address.family_name,
        organization_name=address.organization_name,
        line1=address.line1,
        line2=address.line2,
        postal_code=address.postal_code,
        city=address.city,
        state=address.state,
        country=address.country,
    )


def _tax_id(tax_id: TaxId | None) -> TaxIdView | None:
    return None if tax_id is None else TaxIdView(country=tax_id.country, number=tax_id.number)


def _consent(consent: Consent | None) -> ConsentView | None:
    if consent is None:
        return None
    return ConsentView(
        url=consent.url,
        content_sha256=consent.content_sha256,
        consented_at=stamp(consent.at),
        ip=consent.ip,
        locale=consent.locale,
    )
