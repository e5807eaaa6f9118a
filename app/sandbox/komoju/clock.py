"""Moments as KOMOJU writes them, in the time of Tokyo."""

from datetime import datetime, timedelta, timezone
from typing import Final

_TOKYO: Final = timezone(timedelta(hours=9))


def stamp(moment: datetime) -> str:
    return moment.astimezone(_TOKYO).isoformat(timespec="milliseconds")


def maybe(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


def spoken(moment: datetime) -> str:
    return f"{moment.astimezone(_TOKYO):%Y-%m-%d %H:%M} in Tokyo"
