"""The sandbox's own time: real time plus an offset that the control plane moves.

It never stands still and never runs by itself faster than real time.
"""

from datetime import UTC, datetime, timedelta


class Clock:
    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, by: timedelta) -> None:
        self.offset += by

    def set(self, to: datetime) -> None:
        self.offset = to - datetime.now(UTC)
