"""Calendar arithmetic of billing periods: always counted from the anchor, never from the last one.

Period k starts at anchor + (k - 1) intervals. A day that a month does not have becomes the
month's last day, and comes back in the months that have it: 31 January, 28 February, 31 March.
"""

from calendar import monthrange
from datetime import datetime, timedelta

from domain.catalog.price import Interval, Recurrence


def period(anchor: datetime, recurrence: Recurrence, number: int) -> tuple[datetime, datetime]:
    """Start (included) and end (excluded) of the period; numbers count from 1."""
    assert number >= 1, number
    return boundary(anchor, recurrence, number - 1), boundary(anchor, recurrence, number)


def boundary(anchor: datetime, recurrence: Recurrence, count: int) -> datetime:
    """anchor + count intervals, in the anchor's own time zone."""
    steps = recurrence.count * count
    match recurrence.interval:
        case Interval.DAY:
            return anchor + timedelta(days=steps)
        case Interval.WEEK:
            return anchor + timedelta(weeks=steps)
        case Interval.MONTH:
            return _months_later(anchor, steps)
        case Interval.YEAR:
            return _months_later(anchor, 12 * steps)


def _months_later(anchor: datetime, months: int) -> datetime:
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    last_day = monthrange(year, month + 1)[1]
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, last_day))
