"""Calendar arithmetic of subscriptions: `14 days`, `1 week`, `3 months`; nothing above a year."""

import calendar
import re
from datetime import date, timedelta
from typing import Final

_INTERVAL: Final = re.compile(r"(\d{1,4}) (day|week|month)s?", re.ASCII)
_MAX: Final = {"day": 365, "week": 52, "month": 12}


def parse(interval: str) -> tuple[int, str] | None:
    if (match := _INTERVAL.fullmatch(interval)) is None:
        return None
    count, unit = int(match[1]), match[2]
    return (count, unit) if 1 <= count <= _MAX[unit] else None


def nth_date(anchor: date, interval: str, n: int) -> date:
    """The date `n` intervals after the anchor. Short months never shift the ones after them."""
    parsed = parse(interval)
    assert parsed is not None, interval
    count, unit = parsed
    if unit == "day":
        return anchor + timedelta(days=count * n)
    if unit == "week":
        return anchor + timedelta(weeks=count * n)
    months = anchor.year * 12 + anchor.month - 1 + count * n
    year, month = months // 12, months % 12 + 1
    last = calendar.monthrange(year, month)[1]
    return date(year, month, last if _means_last_day(anchor) else min(anchor.day, last))


def _means_last_day(anchor: date) -> bool:
    """The 30th or 31st that ends its month stands for the last day of every month."""
    return anchor.day >= 30 and anchor.day == calendar.monthrange(anchor.year, anchor.month)[1]
