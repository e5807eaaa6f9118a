"""Billing periods against the calendar and the clocks: month ends, leap years, summer time."""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.price import INTERVAL_COUNT_MAX, Interval, Recurrence
from domain.subscriptions.period import boundary, period

ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",  # half an hour off
    "America/Santiago",  # skips and repeats midnight; summer is in January
    "Africa/Cairo",  # skips midnight
    "Africa/Casablanca",  # changes for Ramadan
    "Australia/Lord_Howe",  # moves by half an hour
    "Asia/Kathmandu",  # three quarters off
    "Pacific/Chatham",
    "Pacific/Kiritimati",  # a day ahead
)
BERLIN = ZoneInfo("Europe/Berlin")
ANCHORS = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(2040, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
SOME_ZONE = st.sampled_from([ZoneInfo(name) for name in ZONES])
RECURRENCES = st.builds(
    Recurrence, st.sampled_from(Interval), st.integers(min_value=1, max_value=INTERVAL_COUNT_MAX)
)
A_DAY = Recurrence(Interval.DAY, 1)
A_MONTH = Recurrence(Interval.MONTH, 1)
A_YEAR = Recurrence(Interval.YEAR, 1)


def at(text: str) -> datetime:
    """`2026-03-29 09:00`: in UTC, unless it says an offset."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def leaves_turned(wall: datetime, recurrence: Recurrence, count: int) -> datetime:
    """Turns the calendar's leaves one by one: slow, and knows no arithmetic."""
    days = {Interval.DAY: 1, Interval.WEEK: 7}.get(recurrence.interval)
    if days is not None:
        ordinal = wall.toordinal() + days * recurrence.count * count
        return datetime.combine(date.fromordinal(ordinal), wall.time())
    year, month, day = wall.year, wall.month, wall.day
    for _ in range(recurrence.count * count * (12 if recurrence.interval is Interval.YEAR else 1)):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    while not exists(year, month, day):
        day -= 1
    return wall.replace(year=year, month=month, day=day)


@cache
def stretches(zone: ZoneInfo, year: int) -> list[tuple[datetime, timedelta]]:
    """Since when the zone has been how far from UTC, from a year before to a year after.

    Found by walking in steps of six hours, then of a second: knows nothing of folds.
    """
    found: list[tuple[datetime, timedelta]] = []
    step, now = timedelta(hours=6), datetime(year - 1, 1, 1, tzinfo=UTC)
    while now.year <= year + 1:
        offset = now.astimezone(zone).utcoffset()
        assert offset is not None
        if not found:
            found.append((now, offset))
        elif found[-1][1] != offset:
            seconds = range(int(step.total_seconds()) + 1)
            before = now - step
            new = bisect_right(
                seconds,
                False,
                key=lambda s: (
                    (before + timedelta(seconds=s)).astimezone(zone).utcoffset() == offset
                ),
            )
            found.append((before + timedelta(seconds=new), offset))
        now += step
    return found


def first_shown(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant of all at which the zone's clocks show this time or a later one."""
    known = stretches(zone, wall.year)
    ends = [since for since, _ in known[1:]] + [datetime.max.replace(tzinfo=UTC)]
    for (since, offset), end in zip(known, ends, strict=True):
        shown = max(since, wall.replace(tzinfo=UTC) - offset)
        if shown < end:
            return shown
    raise AssertionError(wall)


def by_counting(anchor: datetime, recurrence: Recurrence, count: int, zone: ZoneInfo) -> datetime:
    if count == 0:
        return anchor
    wall = anchor.astimezone(zone).replace(tzinfo=None)
    return first_shown(leaves_turned(wall, recurrence, count), zone)


def wall_time(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


@pytest.mark.parametrize(
    ("anchor", "recurrence", "boundaries"),
    [
        ("2026-01-31", A_MONTH, ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2028-01-30", A_MONTH, ["2028-02-29", "2028-03-30"]),
        ("2026-11-30", Recurrence(Interval.MONTH, 3), ["2027-02-28", "2027-05-30", "2027-08-30"]),
        ("2026-12-31", A_MONTH, ["2027-01-31", "2027-02-28"]),
        ("2028-02-29", A_YEAR, ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
        ("2099-02-28", A_YEAR, ["2100-02-28"]),
        ("2096-02-29", Recurrence(Interval.YEAR, 4), ["2100-02-28", "2104-02-29"]),
        ("2026-02-27", A_DAY, ["2026-02-28", "2026-03-01"]),
        ("2026-12-28", Recurrence(Interval.WEEK, 2), ["2027-01-11", "2027-01-25"]),
    ],
)
def test_month_ends_and_leap_years(anchor: str, recurrence: Recurrence, boundaries: list[str]):
    utc = ZoneInfo("UTC")
    found = [boundary(at(anchor), recurrence, k, utc) for k in range(1, len(boundaries) + 1)]
    assert found == [at(text) for text in boundaries]


@pytest.mark.parametrize(
    ("zone", "anchor", "recurrence", "boundaries"),
    [
        # The same hour on the wall, in winter, summer and winter again.
        ("Europe/Berlin", "2027-01-15T09:00+01:00", Recurrence(Interval.MONTH, 6),
         ["2027-07-15T09:00+02:00", "2028-01-15T09:00+01:00"]),
        # 2:30 does not exist on 28 March 2027 in Berlin; the day after it does.
        ("Europe/Berlin", "2027-03-27T02:30+01:00", A_DAY,
         ["2027-03-28T03:00+02:00", "2027-03-29T02:30+02:00"]),
        # 2:30 comes twice on 31 October 2027: the first counts.
        ("Europe/Berlin", "2027-10-30T02:30+02:00", A_DAY,
         ["2027-10-31T02:30+02:00", "2027-11-01T02:30+01:00"]),
        # Begun in the second of the two hours: period 1 does not begin before the payment.
        ("Europe/Berlin", "2027-10-31T02:30+01:00", A_DAY, ["2027-11-01T02:30+01:00"]),
        # Late on the 31st in UTC is the 1st in Berlin: no month end there.
        ("Europe/Berlin", "2027-01-31T23:30+00:00", A_MONTH,
         ["2027-03-01T00:30+01:00", "2027-04-01T00:30+02:00"]),
        # And early on the 1st in UTC is still the 31st in New York.
        ("America/New_York", "2027-02-01T02:00+00:00", A_MONTH,
         ["2027-02-28T21:00-05:00", "2027-03-31T21:00-04:00"]),
        # Cairo skips the first hour of 30 April 2027.
        ("Africa/Cairo", "2027-04-29T00:15+02:00", A_DAY,
         ["2027-04-30T01:00+03:00", "2027-05-01T00:15+03:00"]),
        # Lord Howe's summer ends by half an hour: 1:45 comes twice on 4 April 2027.
        ("Australia/Lord_Howe", "2027-04-03T01:45+11:00", A_DAY,
         ["2027-04-04T01:45+11:00", "2027-04-05T01:45+10:30"]),
        ("Europe/Berlin", "2028-02-29T12:00+01:00", A_YEAR,
         ["2029-02-28T12:00+01:00", "2030-02-28T12:00+01:00", "2031-02-28T12:00+01:00",
          "2032-02-29T12:00+01:00"]),
        ("Europe/Berlin", "2027-03-21T08:00+01:00", Recurrence(Interval.WEEK, 1),
         ["2027-03-28T08:00+02:00"]),
    ],
)  # fmt: skip
def test_the_clock_of_the_zone_counts(
    zone: str, anchor: str, recurrence: Recurrence, boundaries: list[str]
):
    there = ZoneInfo(zone)
    found = [boundary(at(anchor), recurrence, k, there) for k in range(len(boundaries) + 1)]
    assert found == [at(anchor), *(at(text) for text in boundaries)]
    assert {instant.utcoffset() for instant in found} == {timedelta(0)}


@pytest.mark.parametrize("zone", ZONES)
def test_five_years_of_months_agree_for_every_day_of_the_month(zone: str):
    """31 days x 60 months in each of 12 zones, at an hour at which clocks change."""
    there = ZoneInfo(zone)
    for day in range(1, 32):
        anchor = first_shown(datetime(2027, 1, day, day % 3, 30), there)  # noqa: DTZ001
        for count in range(1, 61):
            expected = by_counting(anchor, A_MONTH, count, there)
            assert boundary(anchor, A_MONTH, count, there) == expected


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("minutes", [0, 2 * 60 + 30, 24 * 60 - 1])
def test_every_day_of_two_years_agrees(zone: str, minutes: int):
    there = ZoneInfo(zone)
    begun = datetime(2027, 1, 1) + timedelta(minutes=minutes)  # noqa: DTZ001
    anchor = first_shown(begun, there)
    for count in range(1, 731):
        assert boundary(anchor, A_DAY, count, there) == by_counting(anchor, A_DAY, count, there)


@given(ANCHORS, RECURRENCES, st.integers(min_value=0, max_value=12), SOME_ZONE)
def test_the_calendar_agrees(anchor: datetime, recurrence: Recurrence, count: int, zone: ZoneInfo):
    assert boundary(anchor, recurrence, count, zone) == by_counting(anchor, recurrence, count, zone)


@given(ANCHORS, RECURRENCES, SOME_ZONE)
def test_periods_leave_no_gap_and_never_overlap(
    anchor: datetime, recurrence: Recurrence, zone: ZoneInfo
):
    end, number = anchor, 0
    while number < 400 and end < anchor + timedelta(days=365 * 30):
        number += 1
        start, next_end = period(anchor, recurrence, number, zone)
        assert start == end
        assert next_end > start
        end = next_end


@given(ANCHORS, RECURRENCES, st.integers(min_value=1, max_value=12), SOME_ZONE)
def test_the_time_on_the_wall_never_drifts(
    anchor: datetime, recurrence: Recurrence, count: int, zone: ZoneInfo
):
    begun, found = (wall_time(t, zone) for t in (anchor, boundary(anchor, recurrence, count, zone)))
    wanted = leaves_turned(begun, recurrence, count)
    # Or it is where the clocks jumped to: at most an hour later, and on the very same day.
    assert found == wanted or timedelta(0) < found - wanted <= timedelta(hours=1)
    if recurrence.interval in (Interval.DAY, Interval.WEEK):
        assert (found.date() - begun.date()).days == (wanted.date() - begun.date()).days


@given(ANCHORS, st.integers(min_value=1, max_value=400))
def test_without_summer_time_days_are_24_hours(anchor: datetime, count: int):
    utc = ZoneInfo("UTC")
    assert boundary(anchor, A_DAY, count, utc) == anchor + timedelta(days=count)


def test_a_year_in_berlin_has_one_day_of_23_hours_and_one_of_25():
    anchor = at("2027-01-01T12:00+01:00")
    days = [period(anchor, A_DAY, number, BERLIN) for number in range(1, 366)]
    hours = sorted((end - start) // timedelta(hours=1) for start, end in days)
    assert hours == [23, *([24] * 363), 25]


def test_periods_are_counted_from_one():
    with pytest.raises(AssertionError):
        period(at("2027-01-01"), A_MONTH, 0, BERLIN)
