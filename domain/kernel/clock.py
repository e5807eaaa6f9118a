"""Time comes from outside, so that tests and test clocks can choose it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class Pause(Protocol):
    """Waits inside a use case, for the rare wait on another process's answer."""

    async def __call__(self, seconds: float) -> None: ...
