"""What an app may tell Mollie of a payment beside its amount, in Mollie's names.

Amounts are integer minor units of the payment's currency here, as everywhere in our API; Mollie's
decimal strings are made of them at the end.
"""

from datetime import date
from typing import Any, Final

import msgspec
from msgspec import Struct

from domain.kernel.money import EXPONENTS, Currency


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    pass


class Recurring(_Part, frozen=True, kw_only=True):
    """Only shown to the payer."""

    interval: str
    amount: int | None = None
    description: str | None = None
    times: int | None = None
    start_date: date | None = None


class Line(_Part, frozen=True, kw_only=True):
    type: str | None = None
    description: str
    quantity: int
    quantity_unit: str | None = None
    unit_price: int
    discount_amount: int | None = None
    total_amount: int
    vat_rate: str | None = None
    vat_amount: int | None = None
    sku: str | None = None
    categories: tuple[str, ...] = ()
    image_url: str | None = None
    product_url: str | None = None
    recurring: Recurring | None = None


class PayerAddress(_Part, frozen=True, kw_only=True):
    title: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    organization_name: str | None = None
    street_and_number: str | None = None
    street_additional: str | None = None
    postal_code: str | None = None
    email: str | None = None
    phone: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None


class ApplicationFee(_Part, frozen=True, kw_only=True):
    amount: int
    description: str


class Destination(_Part, frozen=True, kw_only=True):
    type: str
    organization_id: str


class Route(_Part, frozen=True, kw_only=True):
    amount: int
    destination: Destination
    release_date: date | None = None


class Company(_Part, frozen=True, kw_only=True):
    registration_number: str | None = None
    vat_number: str | None = None
    entity_type: str | None = None


class Parameters(_Part, frozen=True, kw_only=True):
    lines: tuple[Line, ...] = ()
    billing_address: PayerAddress | None = None
    shipping_address: PayerAddress | None = None
    method: str | tuple[str, ...] | None = None
    issuer: str | None = None
    restrict_payment_methods_to_country: str | None = None
    metadata: dict[str, Any] = {}
    capture_mode: str | None = None
    capture_delay: str | None = None
    application_fee: ApplicationFee | None = None
    routing: tuple[Route, ...] = ()
    due_date: date | None = None
    card_token: str | None = None
    store_credentials: bool | None = None
    apple_pay_payment_token: str | None = None
    google_pay_payment_token: str | None = None
    voucher_number: str | None = None
    voucher_pin: str | None = None
    terminal_id: str | None = None
    consumer_name: str | None = None
    consumer_date_of_birth: date | None = None
    customer_reference: str | None = None
    billing_email: str | None = None
    company: Company | None = None
    digital_goods: bool | None = None
    extra_merchant_data: dict[str, Any] | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """None: the payer chooses among all."""
        if self.method is None:
            return ()
        return (self.method,) if isinstance(self.method, str) else self.method


_AMOUNTS: Final = frozenset({"amount", "unitPrice", "discountAmount", "totalAmount", "vatAmount"})
# Free maps: what stands in them is not ours to read.
_FREE: Final = frozenset({"metadata", "extraMerchantData"})


def on_the_wire(parameters: Parameters, currency: Currency) -> dict[str, Any]:
    """As Mollie takes them. Its metadata has ours in it: the app's is left to the caller."""
    told = msgspec.to_builtins(parameters)
    told.pop("metadata", None)
    return {
        name: value if name in _FREE else _priced(value, currency) for name, value in told.items()
    }


def _priced(value: Any, currency: Currency) -> Any:
    if isinstance(value, list | tuple):
        return [_priced(item, currency) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _amount(item, currency)
        if name in _AMOUNTS and isinstance(item, int)
        else _priced(item, currency)
        for name, item in value.items()
    }


def _amount(minor: int, currency: Currency) -> dict[str, str]:
    """Lines of discounts are below zero."""
    exponent = EXPONENTS[currency]
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    whole = f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits
    return {"currency": currency, "value": f"-{whole}" if minor < 0 else whole}
