"""What the rest of a period is worth, to the second and to the cent.

A change in the middle of a period credits the old price for what is left of it and charges the new
one for the same rest, by the same arithmetic. Seconds count once they are over. Knows nothing of
plans and bills, and never gives back more than was charged.
"""

from datetime import datetime, timedelta
from typing import Final

from domain.catalog.quote import Quote
from domain.kernel.money import Money, half_up

_SECOND: Final = timedelta(seconds=1)


def unused(amount: Quote, starts_at: datetime, ends_at: datetime, at: datetime) -> Quote:
    """The credit for the rest of a period that costs `amount`: all of it at the start, nothing at
    the end."""
    return _rest(amount, starts_at, ends_at, at)


def remaining(amount: Quote, starts_at: datetime, ends_at: datetime, at: datetime) -> Quote:
    """The charge for the rest of a period that would cost `amount` from its start."""
    return _rest(amount, starts_at, ends_at, at)


def _rest(amount: Quote, starts_at: datetime, ends_at: datetime, at: datetime) -> Quote:
    whole = (ends_at - starts_at) // _SECOND
    assert whole > 0, (starts_at, ends_at)
    left = whole - min(max((at - starts_at) // _SECOND, 0), whole)
    total, tax = _share(amount.total, left, whole), _share(amount.tax, left, whole)
    # Rounded each by itself: a subtotal that follows from them is never below zero, nor above its
    # own, because rounding keeps the order of a tax and the total that holds it.
    return Quote(total - tax, tax, total)


def _share(amount: Money, left: int, whole: int) -> Money:
    return Money(half_up(amount.minor * left, whole), amount.currency)
