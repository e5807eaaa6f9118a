"""What a number of units costs, with its tax. Exact integers; one rounding, half up, per line.

The largest line is UNIT_AMOUNT_MAX x QUANTITY_MAX at 100 % on top: 2 x 10^14 minor units, of the
9 x 10^18 that the database's bigint holds.
"""

from typing import Final

from msgspec import Struct

from domain.kernel.money import Money, half_up
from domain.kernel.percent import HUNDRED, Percent

QUANTITY_MAX: Final = 10_000


class Tax(Struct, frozen=True):
    percentage: Percent
    inclusive: bool
    """True: the unit amount has the tax in it. False: it comes on top."""
    country: str | None = None
    """ISO 3166: who asks for it. None where nobody needs to know."""
    is_reverse_charged: bool = False
    """The buyer owes it, not the seller: it is taken out of the unit amount, or left off."""


class Quote(Struct, frozen=True):
    """`total` is `subtotal` and `tax` together, to the cent."""

    subtotal: Money
    tax: Money
    total: Money


def quote(unit_amount: Money, quantity: int, tax: Tax | None) -> Quote:
    assert quantity > 0, quantity
    line, currency = unit_amount.times(quantity), unit_amount.currency
    if tax is None:
        return Quote(line, Money(0, currency), line)
    e4 = tax.percentage.e4
    if tax.inclusive:
        amount = Money(half_up(line.minor * e4, HUNDRED + e4), currency)
        subtotal = line - amount
    else:
        amount = Money(half_up(line.minor * e4, HUNDRED), currency)
        subtotal = line
    if tax.is_reverse_charged:
        return Quote(subtotal, Money(0, currency), subtotal)
    return Quote(subtotal, amount, subtotal + amount)
