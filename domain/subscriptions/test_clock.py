"""A test clock: a time of its own for tenants who pay at test accounts.

It stands still until somebody moves it on, and never goes back. What is due on the way happens in
order, at its own instant: see advance_clock.py. Only subscriptions live by it; what is asked of a
provider, and when to look there, stays in real time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.errors import Conflict, Refused
from domain.kernel.ids import AppUuid
from domain.kernel.pages import Page, PageRequest


class ClockStatus(StrEnum):
    READY = "ready"
    ADVANCING = "advancing"


_S = ClockStatus

MOVES: Final[Mapping[ClockStatus, frozenset[ClockStatus]]] = {
    _S.READY: frozenset({_S.ADVANCING}),
    _S.ADVANCING: frozenset({_S.READY}),
}

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Room enough for periods and retries on both sides."""
LEAP_MAX: Final = timedelta(days=5 * 366)
"""How far one advance may go: what it does is done one by one."""


class TestClock(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    name: str | None = None
    status: ClockStatus = _S.READY
    now: datetime
    advancing_to: datetime | None = None
    failure: str | None = None
    """What keeps it from going on. It is tried again by itself."""
    due_at: datetime | None = None
    """In real time: when a worker shall see to it, or until when one does. None: nothing to do."""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def target(self) -> datetime:
        """What is due until then is to be done."""
        return self.advancing_to or self.now


class UnderWay(Struct, frozen=True, kw_only=True):
    """What has been asked of providers for a clock's subscriptions, and is not decided yet."""

    attempts: tuple[UUID, ...] = ()
    payments: tuple[tuple[UUID, str], ...] = ()
    """By account and provider reference."""


class TestClocks(Protocol):
    async def add(self, clock: TestClock) -> None: ...
    async def save(self, clock: TestClock) -> None: ...
    async def get(self, uuid: UUID) -> TestClock:
        """Raises NotFound, also for a deleted one."""
        ...

    async def get_for_update(self, uuid: UUID) -> TestClock:
        """Its row is locked until the transaction ends. Nobody who holds it may lock a
        subscription: that is locked first, always."""
        ...

    async def list(self, request: PageRequest) -> Page[TestClock]:
        """Newest first, without the deleted ones."""
        ...

    async def next_due(self, uuid: UUID, *, until: datetime) -> tuple[datetime, UUID] | None:
        """The subscription on the clock that something is due for first, and when."""
        ...

    async def under_way(self, uuid: UUID) -> UnderWay: ...
    async def has_living_subscriptions(self, uuid: UUID) -> bool: ...
    async def wake(self, uuid: UUID, *, due_at: datetime, at: datetime) -> None:
        """A subscription on the clock has its next deed at `due_at`. If the clock is past that and
        nobody sees to it, a worker shall, from `at` on, in real time."""
        ...


def set_off(clock: TestClock, to: datetime, *, at: datetime) -> TestClock:
    """Raises Conflict while it is advancing, and Refused for where it cannot go."""
    if _S.ADVANCING not in MOVES[clock.status]:
        raise Conflict("the test clock is advancing: wait until it is ready")
    shown = clock.now.isoformat(timespec="seconds")
    if to <= clock.now:
        raise Refused(f"must lie ahead: the test clock shows {shown}", field="now")
    if to > min(clock.now + LEAP_MAX, LATEST):
        message = f"is too far: at most five years from {shown}, and not beyond {LATEST.year}"
        raise Refused(message, field="now")
    return replace(
        clock,
        status=_S.ADVANCING,
        advancing_to=to.astimezone(UTC),
        failure=None,
        due_at=at,
        updated_at=at,
    )


def moved(clock: TestClock, to: datetime, *, at: datetime) -> TestClock:
    """On its way. What was due before it came there does not turn it back."""
    return replace(clock, now=max(clock.now, to), failure=None, updated_at=at)


def arrived(clock: TestClock, *, at: datetime) -> TestClock:
    """Nothing is due any more up to its target."""
    return replace(
        clock,
        status=_S.READY,
        now=clock.target,
        advancing_to=None,
        failure=None,
        due_at=None,
        updated_at=at,
    )
