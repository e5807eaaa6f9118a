"""A tenancy on a test clock, a worker that moves it on, and a bank that decides while it waits."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from app.jobs import Clocks
from domain.kernel.errors import DomainError
from domain.subscriptions import test_clock, test_clock_service
from domain.subscriptions.advance_clock import AdvanceClock
from domain.tenancy.caller import Scope
from tests.domain.subscriptions.tenancy import LEASE, Tenancy
from tests.fakes.checkout import Moment, nothing_happens
from tests.fakes.provider import LIVE
from tests.make import APP, TENANT, a_tenant, a_uuid, an_actor

CLOCK: Final = a_uuid(91)
JANUARY_31: Final = datetime(2027, 1, 31, 9, tzinfo=UTC)
"""Ten o'clock in Berlin."""
BACKEND: Final = an_actor(Scope.BILLING_WRITE)
Say = Callable[[str], None]


def a_clock(now: datetime = JANUARY_31, **said: Any) -> test_clock.TestClock:
    usual = {"uuid": CLOCK, "app_uuid": APP, "now": now, "created_at": now, "updated_at": now}
    return test_clock.TestClock(**usual | said)


class ByClock(Tenancy):
    def __init__(self, *, moment: Moment = nothing_happens, **policy: Any) -> None:
        super().__init__(moment=moment, time_zone="Europe/Berlin", **policy)
        self.rows.clocks[CLOCK] = a_clock()
        self.rows.tenants[TENANT] = a_tenant(test_clock_uuid=CLOCK)
        self.service = test_clock_service.TestClockService(self.clock, self.ids)
        self.shown: list[datetime] = []
        """What the clock showed whenever something was charged."""
        self.decides: Say = self.provider.pay
        attempts = self.jobs[0]
        self.move = AdvanceClock(
            self.database,
            self.advance,
            self.observe,
            attempts.recover,
            self.clock,
            self._pause,
            LEASE,
        )
        self.clocks = Clocks(self.database, self.move, LEASE)

    async def _pause(self, seconds: float) -> None:
        for charge in self.charges:
            if charge.status in LIVE:
                self.shown.append(self.now)
                self.decides(charge.ref)
        await self.clock.pause(seconds)

    @property
    def test_clock(self) -> test_clock.TestClock:
        return self.rows.clocks[CLOCK]

    @property
    def now(self) -> datetime:
        return self.test_clock.now

    async def set_off(self, to: datetime) -> None:
        async with self.database.begin(APP) as tx:
            await self.service.advance(tx, BACKEND, CLOCK, to)

    async def work_once(self) -> list[DomainError | None]:
        said = [await task() for task in await self.clocks.claim(APP, self.clock.now())]
        self.audit()
        return said

    async def advance_to(self, to: datetime) -> None:
        await self.set_off(to)
        for _ in range(100):
            await self.work_once()
            if self.test_clock.status == "ready":
                return
        raise AssertionError(f"it never arrives: {self.test_clock}")

    async def start_with(self, *, on: datetime, **how: Any) -> None:
        self.rows.clocks[CLOCK] = replace(self.test_clock, now=on)
        await self.started(**how)


def days(count: int) -> timedelta:
    return timedelta(days=count)
