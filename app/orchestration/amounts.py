"""Decimal amounts, as this one family of routes takes and gives them: exact, never through a float.

A JSON number is read digit by digit. What is finer than the currency's smallest unit is refused,
never rounded.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Final

from msgspec import Meta

from domain.kernel.errors import Violation
from domain.kernel.money import EXPONENTS, Currency, Money

AMOUNT_MAX: Final = Decimal("99999999.99")
_FINEST: Final = -50
"""Nothing has so many decimals; and powers of ten grow."""

Amount = Annotated[
    Decimal,
    Meta(
        description="In whole units of the currency, with at most as many decimals as it has",
        extra_json_schema={"examples": [11.81]},
    ),
]


def check_amount(
    value: object, currency: str | None, field: str, *, least: Decimal = Decimal(0)
) -> Iterator[Violation]:
    """`currency`: None when it is not known, or none of ours."""
    if not isinstance(value, Decimal):
        return
    if not value.is_finite() or not least <= value <= AMOUNT_MAX:
        yield Violation(f"must be a number from {least} to {AMOUNT_MAX}", field)
        return
    decimals = EXPONENTS.get(currency or "")
    if decimals is not None and minor_of(value, decimals) is None:
        yield Violation(f"has more decimals than {currency} has", field)


def minor_of(value: Decimal, decimals: int) -> int | None:
    """Of a finite value. None: it is no whole number of the smallest unit."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if not any(digits):
        return 0
    if exponent < _FINEST:
        return None
    number = int("".join(map(str, digits)))
    shift = exponent + decimals
    if shift >= 0:
        return int(number * 10**shift)
    whole, rest = divmod(number, 10**-shift)
    return None if rest else int(whole)


def money_of(value: Decimal, currency: str) -> Money:
    """Of a value that check_amount has found nothing wrong with."""
    minor = minor_of(value, EXPONENTS[currency])
    assert minor is not None and value >= 0, value
    return Money(minor, Currency(currency))


def decimal_of(money: Money) -> Decimal:
    """With all the decimals of its currency."""
    return Decimal(money.minor).scaleb(-EXPONENTS[money.currency])
