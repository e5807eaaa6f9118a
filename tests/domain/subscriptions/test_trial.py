"""How long trials last."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.subscriptions.trial import trial_end

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("begun", "days", "end"),
    [
        ("2027-01-10T09:00+01:00", 14, "2027-01-24T09:00+01:00"),
        ("2027-03-20T09:00+01:00", 14, "2027-04-03T09:00+02:00"),  # summer time begins between
        ("2027-10-20T09:00+02:00", 14, "2027-11-03T09:00+01:00"),
        ("2027-03-14T02:30+01:00", 14, "2027-03-28T03:00+02:00"),  # 2:30 is skipped that day
        ("2027-12-31T23:59:59+01:00", 730, "2029-12-30T23:59:59+01:00"),  # 2028 has 366 days
        ("2027-10-31T02:30+01:00", 0, "2027-10-31T02:30+01:00"),
    ],
)
def test_a_trial_ends_at_the_hour_it_began(begun: str, days: int, end: str):
    found = trial_end(datetime.fromisoformat(begun), days, BERLIN)
    assert found == datetime.fromisoformat(end)
    assert found.tzinfo is UTC
