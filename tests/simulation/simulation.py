"""A simulated world from its first day to its audit: everything follows from the plan's seed."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import structlog
from msgspec import Struct

from tests.simulation import checks
from tests.simulation.deeds import Deeds
from tests.simulation.house import World, make_world
from tests.simulation.shops import POLICIES, Customer, invite, open_shops
from tests.simulation.virtual import BEGINS
from tests.simulation.wishes import Wishes

_DAY: Final = timedelta(days=1)
HOURS: Final = (0, 12)
"""A worker is there at an instant of each half of a day. Wishes and webhooks have their own."""
QUIET_DAYS: Final = 12
"""Enough for what is under way to come to its end: debits, refunds, attempts."""


class Plan(Struct, frozen=True):
    seed: int
    tenants: int
    days: int
    wish_every_days: int = 75
    """On average, for each tenant."""
    part: int = 0
    parts: int = 1
    """Which part of the world this is: apps share nothing, so that parts can run side by side."""

    def share(self, count: int) -> range:
        return range(self.part, count, self.parts)

    @property
    def name(self) -> str:
        return f"kontor {self.seed}" + (f" part {self.part}" if self.parts > 1 else "")


class Report(Struct, frozen=True):
    found: list[str]
    """What is wrong, in words; nothing, if all is well."""
    digest: str
    figures: dict[str, int]


class Simulation:
    def __init__(self, plan: Plan, database_url: str, tell: Callable[[str], None]) -> None:
        self._plan, self._url, self._tell = plan, database_url, tell
        self._seed = plan.name
        self._world: World = make_world(self._seed, database_url)
        self._deeds = Deeds(self._world, self._seed)
        self._wishes = Wishes(self._deeds)
        self._chance = random.Random(f"{self._seed} days")
        self._began_s = time.monotonic()

    async def run(self) -> Report:
        with no_log(), _own_chance(self._seed):
            await self._deeds.begin()
            try:
                return await self._live()
            finally:
                await self._deeds.end()

    async def _live(self) -> Report:
        plan, deeds = self._plan, self._deeds
        shops = await open_shops(deeds.parts, plan.share(len(POLICIES)))
        deeds.know(shops)
        for customer in await invite(deeds.parts, shops, self._seed, plan.share(plan.tenants)):
            first = customer.chance.randrange(min(60, max(1, plan.days // 3)) * 86_400)
            self._wish(customer, BEGINS + timedelta(seconds=first))
        for day in range(plan.days + QUIET_DAYS):
            self._world.fate.is_kind = day >= plan.days
            await self._day(BEGINS + day * _DAY)
            if day % 30 == 29:
                self._told(day + 1)
            if day % 90 == 20:
                await self._vacuum()
        found = [*deeds.troubles, *await checks.all_found(deeds, shops, self._url, self._reach)]
        digest = await checks.digest(self._url)
        met = await checks.met(self._url)
        done = {"lost calls": self._world.fate.losses, "charges": self._world.bank.charges}
        return Report(found, digest, dict(deeds.figures) | met | done)

    @property
    def _reach(self) -> timedelta:
        return (self._plan.days + QUIET_DAYS + 1) * _DAY

    def _wish(self, customer: Customer, at: datetime) -> None:
        async def wish() -> None:
            await self._wishes.act(customer)
            gap = customer.chance.expovariate(1 / self._plan.wish_every_days)
            self._wish(customer, at + timedelta(seconds=int(gap * 86_400)))

        if at < BEGINS + self._plan.days * _DAY:
            self._deeds.plan(at, wish)

    async def _day(self, begins: datetime) -> None:
        for hour in HOURS:
            minutes = 60 * hour + self._chance.randrange(600)
            await self._deeds.until(begins + timedelta(minutes=minutes))

    def _told(self, day: int) -> None:
        figures, bank = self._deeds.figures, self._world.bank
        shown = {
            "charges": bank.charges,
            "failed": bank.failures,
            **{name: figures[name] for name in ("renewals", "checkouts", "change")},
            "refunds": figures["refund"] + figures["dashboard_refund"],
            "chargebacks": figures["chargeback"],
            **{name: figures[name] for name in ("webhooks", "lost", "kills", "interrupted")},
            "troubles": len(self._deeds.troubles),
        }
        words = "  ".join(f"{name} {count}" for name, count in shown.items())
        self._tell(f"day {day:4}  {words}  {time.monotonic() - self._began_s:.0f} s")

    async def _vacuum(self) -> None:
        """What autovacuum would do; that is off, for it would be another source of chance."""
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute("vacuum analyze")
        finally:
            await connection.close()


@contextmanager
def no_log() -> Iterator[None]:
    """A hundred thousand events are no news here."""
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def _own_chance(seed: str) -> Iterator[None]:
    """The sandbox draws its references from everybody's."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def _drop(*_: object) -> dict[str, object]:
    raise structlog.DropEvent
