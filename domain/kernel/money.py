"""Money: whole minor units of one currency. Refuses to mix currencies and to be a float."""

from collections.abc import Mapping
from typing import Final, NewType

from msgspec import Struct

Currency = NewType("Currency", str)
"""An ISO 4217 code in upper case, one of EXPONENTS."""

# Digits after the decimal point, per ISO 4217; the currencies that Mollie and KOMOJU settle in.
_WITH_CENTS: Final = (
    "AED AUD BGN BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS MXN MYR NOK NZD PHP PLN RON RUB SEK SGD "
    "THB TWD USD ZAR"
)
_WITHOUT: Final = "ISK JPY KRW"

EXPONENTS: Final[Mapping[str, int]] = dict.fromkeys(_WITH_CENTS.split(" "), 2) | dict.fromkeys(
    _WITHOUT.split(" "), 0
)


class CurrencyMismatch(AssertionError):
    """Two currencies met in one calculation: a programming error, never a caller's."""


def currency(code: str) -> Currency:
    """Raises ValueError for a code that is not in EXPONENTS."""
    if code not in EXPONENTS:
        raise ValueError(f"unknown currency {code!r}")
    return Currency(code)


def minor_per_unit(code: Currency) -> int:
    """How many minor units make one whole unit: 100 for EUR, 1 for JPY."""
    return int(10 ** EXPONENTS[code])


class Money(Struct, frozen=True):
    minor: int
    currency: Currency

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + other.minor_in(self.currency), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - other.minor_in(self.currency), self.currency)

    # Not `order=True`: that would rank 900 JPY above 850 EUR without complaint.
    def __lt__(self, other: "Money") -> bool:
        return self.minor < other.minor_in(self.currency)

    def times(self, count: int) -> "Money":
        return Money(self.minor * count, self.currency)

    def minor_in(self, currency: Currency) -> int:
        if self.currency != currency:
            raise CurrencyMismatch(f"{self.currency} met {currency}")
        return self.minor


def half_up(numerator: int, denominator: int) -> int:
    """The nearest integer to numerator / denominator; an exact half goes away from zero.

    This is the rounding of every tax line: it is what Mollie checks VAT amounts with.
    """
    assert denominator > 0, denominator
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))
