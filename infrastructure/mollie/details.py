"""Addresses and lines of a payment in Mollie's words. Pure."""

from msgspec import Struct

from domain.catalog.quote import Tax
from domain.payments.address import Address
from domain.payments.payment_details import PaymentLine
from infrastructure.mollie.wire import WireAmount, amount_of

CHARS_MAX = 100
"""Of a line's description."""


class WireAddress(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    given_name: str
    family_name: str
    organization_name: str | None = None
    street_and_number: str
    street_additional: str | None = None
    postal_code: str | None = None
    city: str
    region: str | None = None
    country: str


class WireLine(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    description: str
    quantity: int
    unit_price: WireAmount
    total_amount: WireAmount
    vat_rate: str | None = None
    vat_amount: WireAmount | None = None


def address_to(address: Address | None) -> WireAddress | None:
    """None also for an address that Mollie would refuse: a payment is worth more than what it is
    checked by."""
    if address is None or not _is_whole(address):
        return None
    return WireAddress(
        given_name=address.given_name,
        family_name=address.family_name,
        organization_name=address.organization_name,
        street_and_number=address.line1,
        street_additional=address.line2,
        postal_code=address.postal_code,
        # Mollie wants a city everywhere. Japan's post has prefectures, Singapore's neither.
        city=address.city or address.state or address.country,
        region=address.state,
        country=address.country,
    )


def _is_whole(address: Address) -> bool:
    """Names of two characters that are not only digits, and a postal address with its code."""
    names = (address.given_name, address.family_name)
    are_names = all(len(name) >= 2 and not name.isdigit() for name in names)
    return are_names and bool(address.line1 and address.postal_code)


def line_to(line: PaymentLine) -> WireLine:
    rate = _rate_of(line.tax_rate)
    return WireLine(
        description=line.description[:CHARS_MAX],
        quantity=line.quantity,
        unit_price=amount_of(line.unit_price),
        total_amount=amount_of(line.unit_price.times(line.quantity)),
        vat_rate=rate,
        vat_amount=None if rate is None else amount_of(line.tax),
    )


def _rate_of(tax: Tax | None) -> str | None:
    """With two decimals, as Mollie has it. A rate with more of them is not told at all: Mollie
    works the tax out by the rate, and refuses a line that is a cent off."""
    if tax is None:
        return None
    if tax.is_reverse_charged:
        return "0.00"
    whole, rest = divmod(tax.percentage.e4, 10_000)
    return None if rest % 100 else f"{whole}.{rest // 100:02}"
