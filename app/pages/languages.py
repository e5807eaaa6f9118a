"""The languages that shoppers are spoken to in: words, names of countries, amounts of money."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import parse_pattern
from msgspec import Struct

from domain.kernel.money import EXPONENTS, Money

LANGUAGES: Final = ("en", "nl", "de", "fr")
_WORDS: Final = Path(__file__).parent / "words"


class Language(Struct, frozen=True):
    code: str
    words: Mapping[str, Any]
    locale: Locale

    def say(self, word: str, **values: object) -> str:
        text: str = self.words[word]
        return text.format(**values) if values else text

    def money(self, amount: Money) -> str:
        exponent = EXPONENTS[amount.currency]
        exact = Decimal(amount.minor).scaleb(-exponent)
        # With the decimals that are charged: for some currencies Babel would round to whole units.
        pattern = parse_pattern(self.locale.currency_formats["standard"].pattern)
        pattern.frac_prec = (exponent, exponent)
        shown: str = pattern.apply(
            exact, self.locale, currency=amount.currency, currency_digits=False
        )
        return shown

    def date(self, moment: datetime, zone: ZoneInfo) -> str:
        """The day, on the app's calendar."""
        return format_date(moment.astimezone(zone), format="long", locale=self.locale)

    def country(self, code: str) -> str:
        return str(self.locale.territories.get(code, code))

    def countries(self, codes: tuple[str, ...]) -> list[tuple[str, str]]:
        """Code and name, by name."""
        return sorted(((c, self.country(c)) for c in codes), key=lambda pair: pair[1].casefold())


@cache
def language(code: str) -> Language:
    words = tomllib.loads((_WORDS / f"{code}.toml").read_text(encoding="utf-8"))
    # English as it is written in Europe: the day before the month.
    return Language(code, words, Locale("en", "GB") if code == "en" else Locale(code))


def chosen(*wishes: str | None, accepted: str = "") -> Language:
    """The first wish that we speak (`de`, `de_DE`); then what the browser would like; English."""
    for wish in (*wishes, *_preferred(accepted)):
        code = (wish or "")[:2].lower()
        if code in LANGUAGES:
            return language(code)
    return language("en")


def _preferred(accepted: str) -> Iterator[str]:
    """Of an Accept-Language header, the most wanted first."""
    weighed = []
    for place, part in enumerate(accepted[:200].split(",")):
        name, _, weight = part.strip().partition(";q=")
        weighed.append((-_weight(weight), place, name))
    return (name for _, _, name in sorted(weighed))


def _weight(text: str) -> Decimal:
    if not text:
        return Decimal(1)
    known = text.replace(".", "", 1).isdecimal() and text.isascii()
    return Decimal(text) if known else Decimal(0)
