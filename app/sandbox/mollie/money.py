"""Amounts as Mollie writes them: decimal strings outside, integers inside.

Refuses numbers, thousands separators and a wrong number of decimals. No float, no conversion.
"""

import re
from typing import Final

from msgspec import Struct

from app.sandbox.words import words

# HUF and TWD have two decimals at Mollie although shops often round them.
CURRENCIES: Final = words(
    "AED AUD BGN BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS ISK JPY MXN MYR NOK NZD PHP PLN RON "
    "RUB SEK SGD THB TWD USD ZAR"
)
WITHOUT_DECIMALS: Final = frozenset({"JPY", "ISK"})
SYMBOLS: Final = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}

_WHOLE: Final = re.compile(r"-?\d{1,15}", re.ASCII)
_CENTS: Final = re.compile(r"-?\d{1,15}\.\d{2}", re.ASCII)
_RATE: Final = re.compile(r"(-?)(\d{1,3})(?:\.(\d{1,2}))?", re.ASCII)


class Amount(Struct, frozen=True):
    currency: str
    minor: int

    @property
    def value(self) -> str:
        return decimal(self.minor, self.currency)

    def json(self) -> dict[str, str]:
        return {"value": self.value, "currency": self.currency}

    def spoken(self) -> str:
        """The way Mollie's error texts and the hosted page write it: €203.78."""
        sign = "-" if self.minor < 0 else ""
        symbol = SYMBOLS.get(self.currency, f"{self.currency} ")
        return f"{sign}{symbol}{decimal(abs(self.minor), self.currency)}"


def decimal(minor: int, currency: str) -> str:
    if currency in WITHOUT_DECIMALS:
        return str(minor)
    whole, cents = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole}.{cents:02}"


def minor_units(value: str, currency: str) -> int | None:
    """The integer behind a decimal string, or None when it is not written for its currency."""
    shape = _WHOLE if currency in WITHOUT_DECIMALS else _CENTS
    if shape.fullmatch(value) is None:
        return None
    return int(value.replace(".", ""))


def rate_points(rate: str) -> int | None:
    """'21.00' -> 2100, hundredths of a percent; None when it is no rate."""
    if (match := _RATE.fullmatch(rate)) is None:
        return None
    sign, whole, fraction = match.groups()
    points = int(whole) * 100 + int((fraction or "").ljust(2, "0"))
    return -points if sign else points


def vat_within(total: int, points: int) -> int:
    """The VAT inside a gross total, to the nearest unit, ties away from zero.

    Mollie's rule for ties is not published; they occur at 20 % and 12 % only.
    """
    part, whole = abs(total) * points, 10_000 + points
    rounded = (2 * part + whole) // (2 * whole)
    return -rounded if total < 0 else rounded
