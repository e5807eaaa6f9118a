"""What a provider is told of a payment beside its amount: who pays, where to, and for what.

Providers check the payer by it, and show it. None of it changes what is paid.
"""

from msgspec import Struct

from domain.catalog.quote import Tax
from domain.kernel.money import Money
from domain.payments.address import Address


class PaymentLine(Struct, frozen=True, kw_only=True):
    description: str
    quantity: int
    unit_price: Money
    """With its tax, if it has one."""
    tax: Money
    """Of all the units together."""
    tax_rate: Tax | None
    """What the tax follows from. None: nothing is said of it."""


class PaymentDetails(Struct, frozen=True, kw_only=True):
    billing: Address | None = None
    shipping: Address | None = None
    lines: tuple[PaymentLine, ...] = ()
    """They add up to the payment's amount."""
