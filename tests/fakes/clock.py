"""A clock that stands still until a test moves it, and a pause that moves it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

NOON: Final = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


class FakeClock:
    def __init__(self, now: datetime = NOON) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by

    async def pause(self, seconds: float) -> None:
        """A Pause: takes no time, but the clock believes it, and others get their turn."""
        self.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)
