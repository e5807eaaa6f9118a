"""Time and ids of a simulated world: they come from its seed and its course, from nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

BEGINS: Final = datetime(2027, 1, 4, 6, 0, tzinfo=UTC)
_VERSION_7: Final = 7 << 76
_VARIANT: Final = 2 << 62


class VirtualClock:
    """Stands still until it is moved, and is never moved back."""

    def __init__(self, now: datetime = BEGINS) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        assert by >= timedelta(0), by
        self._now += by

    def advance_to(self, moment: datetime) -> None:
        self._now = max(self._now, moment)


class VirtualIds:
    """UUIDv7 in shape, sorted by birth."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock, self._made = clock, 0

    def new(self) -> UUID:
        self._made += 1
        born_ms = int(self._clock.now().timestamp() * 1000)
        return UUID(int=born_ms << 80 | _VERSION_7 | _VARIANT | self._made)

    def secret(self) -> str:
        self._made += 1
        return f"secret-{self._made:024}"
