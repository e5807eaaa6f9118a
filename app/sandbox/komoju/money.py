"""Amounts as KOMOJU counts them: whole numbers of a currency's smallest unit. No float."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

from app.sandbox.words import words

CURRENCIES: Final = words(
    "JPY USD EUR TWD KRW PLN GBP HKD SGD NZD AUD IDR MYR PHP THB CNY BRL CHF CAD VND"
)
# TWD and IDR have two decimals at KOMOJU, although shops often round them.
WITHOUT_DECIMALS: Final = frozenset({"JPY", "KRW", "VND"})
AMOUNT_MAX: Final = 2**31 - 1
_SYMBOLS: Final = {"JPY": "¥", "EUR": "€", "GBP": "£", "USD": "$", "KRW": "₩"}


def exponent(currency: str) -> int:
    return 0 if currency in WITHOUT_DECIMALS else 2


def spoken(amount: int, currency: str) -> str:
    """The way the pages write it: ¥4,900."""
    written = f"{Decimal(amount).scaleb(-exponent(currency)):,.{exponent(currency)}f}"
    return f"{_SYMBOLS.get(currency, currency + ' ')}{written}"


def rate(written: str) -> Decimal | None:
    """A positive rate of exchange, or None when it is none."""
    try:
        value = Decimal(written)
    except InvalidOperation:
        return None
    return value if value.is_finite() and 0 < value < 1_000_000 else None


def exchanged(amount: int, currency: str, to: str, at_rate: Decimal) -> int:
    """`at_rate`: units of `to` for one unit of `currency`. To the nearest, ties up."""
    major = Decimal(amount).scaleb(-exponent(currency)) * at_rate
    return int(major.scaleb(exponent(to)).quantize(Decimal(1), ROUND_HALF_UP))
