"""How long a trial lasts: days of the calendar, at the hour at which it began."""

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.catalog.price import Interval, Recurrence
from domain.subscriptions.period import boundary


def trial_end(begun_at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """In UTC. Zero days: there is no trial, it ends as it begins."""
    return boundary(begun_at, Recurrence(Interval.DAY), days, zone)
