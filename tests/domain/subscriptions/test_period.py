"""Billing periods against the calendar: month ends, leap years, decades."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.price import INTERVAL_COUNT_MAX, Interval, Recurrence
from domain.subscriptions.period import boundary, period

ANCHORS = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(2040, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
RECURRENCES = st.builds(
    Recurrence, st.sampled_from(Interval), st.integers(min_value=1, max_value=INTERVAL_COUNT_MAX)
)
A_MONTH = Recurrence(Interval.MONTH, 1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def by_counting(anchor: datetime, recurrence: Recurrence, count: int) -> datetime:
    """Turns the calendar's leaves one by one: slow, and knows no arithmetic."""
    days = {Interval.DAY: 1, Interval.WEEK: 7}.get(recurrence.interval)
    if days is not None:
        return datetime.fromordinal(anchor.toordinal() + days * recurrence.count * count).replace(
            hour=anchor.hour,
            minute=anchor.minute,
            second=anchor.second,
            microsecond=anchor.microsecond,
            tzinfo=UTC,
        )
    year, month, day = anchor.year, anchor.month, anchor.day
    for _ in range(recurrence.count * count * (12 if recurrence.interval is Interval.YEAR else 1)):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    while not exists(year, month, day):
        day -= 1
    return anchor.replace(year=year, month=month, day=day)


@pytest.mark.parametrize(
    ("anchor", "recurrence", "boundaries"),
    [
        ("2026-01-31", A_MONTH, ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2028-01-30", A_MONTH, ["2028-02-29", "2028-03-30"]),
        ("2026-11-30", Recurrence(Interval.MONTH, 3), ["2027-02-28", "2027-05-30", "2027-08-30"]),
        ("2026-12-31", A_MONTH, ["2027-01-31", "2027-02-28"]),
        (
            "2028-02-29",
            Recurrence(Interval.YEAR, 1),
            ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"],
        ),
        ("2099-02-28", Recurrence(Interval.YEAR, 1), ["2100-02-28"]),
        ("2096-02-29", Recurrence(Interval.YEAR, 4), ["2100-02-28", "2104-02-29"]),
        ("2026-02-27", Recurrence(Interval.DAY, 1), ["2026-02-28", "2026-03-01"]),
        ("2026-12-28", Recurrence(Interval.WEEK, 2), ["2027-01-11", "2027-01-25"]),
    ],
)
def test_month_ends_and_leap_years(anchor: str, recurrence: Recurrence, boundaries: list[str]):
    found = [boundary(at(anchor), recurrence, k) for k in range(1, len(boundaries) + 1)]
    assert found == [at(text) for text in boundaries]


@given(ANCHORS, RECURRENCES, st.integers(min_value=0, max_value=12))
def test_the_calendar_agrees(anchor: datetime, recurrence: Recurrence, count: int):
    assert boundary(anchor, recurrence, count) == by_counting(anchor, recurrence, count)


@pytest.mark.parametrize("day", range(1, 32))
def test_five_years_of_months_agree_for_every_day_of_the_month(day: int):
    anchor = datetime(2027, 1, day, 23, 59, 59, tzinfo=UTC)
    for count in range(61):
        assert boundary(anchor, A_MONTH, count) == by_counting(anchor, A_MONTH, count)


@given(ANCHORS, RECURRENCES)
def test_periods_leave_no_gap_and_never_overlap(anchor: datetime, recurrence: Recurrence):
    end = anchor
    number = 0
    while number < 400 and end < anchor + timedelta(days=365 * 30):
        number += 1
        start, next_end = period(anchor, recurrence, number)
        assert start == end
        assert next_end > start
        end = next_end


@given(ANCHORS, RECURRENCES, st.integers(min_value=1, max_value=12))
def test_the_time_of_day_never_drifts(anchor: datetime, recurrence: Recurrence, number: int):
    start, end = period(anchor, recurrence, number)
    assert start.timetz() == end.timetz() == anchor.timetz()
