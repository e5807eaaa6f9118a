"""Calendar arithmetic of billing periods: always counted from the anchor, never from the last one.

Period k starts at anchor + (k - 1) intervals, counted on the calendar and the clock of a time
zone: who began at 09:00 in Berlin renews at 09:00 in Berlin, summer and winter. A day that a month
does not have becomes the month's last day, and comes back in the months that have it: 31 January,
28 February, 31 March. A time that the clocks skip becomes the instant they jump to; of a time that
they show twice, the first counts.

Boundaries grow strictly, unless a zone leaves out a whole day of the calendar, as Samoa did with
30 December 2011. The time zone database announces no such day.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.catalog.price import Interval, Recurrence

_SECOND: Final = timedelta(seconds=1)


def period(
    anchor: datetime, recurrence: Recurrence, number: int, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    """Start (included) and end (excluded) of the period, in UTC; numbers count from 1."""
    assert number >= 1, number
    return (
        boundary(anchor, recurrence, number - 1, zone),
        boundary(anchor, recurrence, number, zone),
    )


def boundary(anchor: datetime, recurrence: Recurrence, count: int, zone: ZoneInfo) -> datetime:
    """anchor + count intervals by the clock of the zone, in UTC."""
    if count == 0:
        # Not by the clock: an anchor in the second of two equal hours would move to the first.
        return anchor.astimezone(UTC)
    wall = anchor.astimezone(zone).replace(tzinfo=None, fold=0)
    return instant(_later(wall, recurrence, count), zone)


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the zone's clocks first show this time, or jump over it."""
    plain, folded = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    usual, other = plain.utcoffset(), folded.utcoffset()
    assert usual is not None and other is not None
    if usual >= other:
        return plain.astimezone(UTC)
    # A gap (PEP 495): the plain time reads the offset before it, the folded one that after it.
    return _jump(folded.astimezone(UTC), plain.astimezone(UTC), zone)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between the two at which the zone's offset changes; it is a whole second."""
    before, after = before.replace(microsecond=0), after.replace(microsecond=0)
    old = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def _later(wall: datetime, recurrence: Recurrence, count: int) -> datetime:
    steps = recurrence.count * count
    match recurrence.interval:
        case Interval.DAY:
            return wall + timedelta(days=steps)
        case Interval.WEEK:
            return wall + timedelta(weeks=steps)
        case Interval.MONTH:
            return _months_later(wall, steps)
        case Interval.YEAR:
            return _months_later(wall, 12 * steps)


def _months_later(wall: datetime, months: int) -> datetime:
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    last_day = monthrange(year, month + 1)[1]
    return wall.replace(year=year, month=month + 1, day=min(wall.day, last_day))
