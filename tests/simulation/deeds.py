"""The course of things: one deed after another, each at its instant, in the order of the seed."""

import heapq
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from domain.kernel.errors import DomainError, ProviderUnavailable, ProviderUnreadable
from domain.kernel.ids import AppUuid
from tests.simulation.fate import Killed
from tests.simulation.house import SimulatedParts, World
from tests.simulation.shops import Shop

PASSES_MAX: Final = 400
LOST: Final = 6
TWICE: Final = 18
LATE: Final = 26
"""Of a hundred webhooks, those below the one, and else below the other."""
REPEATED_AFTER_MIN: Final = 3
DELAYS_MIN: Final = (0, 0, 5, 90, 1500, 6000)
RESTARTS_S: Final = (0, 31, 31, 300, 3600)
HALF_A_DAY: Final = timedelta(hours=12)
BEAT: Final = timedelta(seconds=1)
"""Between two deeds, so that no two things happen at the same instant."""
T = TypeVar("T")
Doing = Callable[[], Awaitable[Any]]


class Interrupted(Exception):
    """Its process died, or the provider's answer is missing: to be asked again."""


class Deeds:
    """Owns the process that works now, and the agenda."""

    def __init__(self, world: World, seed: str) -> None:
        self.world, self.clock = world, world.clock
        self.chance = random.Random(f"{seed} course")
        self.figures: Counter[str] = Counter()
        self.troubles: list[str] = []
        """What must never happen, in words."""
        self._told: set[str] = set()
        self._agenda: list[tuple[datetime, int, Doing]] = []
        self._planned = 0
        self._process = AsyncExitStack()
        self._nobody_until = self.clock.now()
        """There is no worker; what else is asked of the program, another process does."""
        self._accounts: dict[str, Shop] = {}

    async def begin(self) -> None:
        self.parts = SimulatedParts(self.world)
        await self._process.enter_async_context(self.parts.open())

    async def end(self) -> None:
        await self._process.aclose()

    def know(self, shops: list[Shop]) -> None:
        self._accounts = {shop.key: shop for shop in shops}

    def plan(self, at: datetime, doing: Doing) -> None:
        self._planned += 1
        heapq.heappush(self._agenda, (at, self._planned, doing))

    async def do(self, doing: Callable[[], Awaitable[T]], *, is_brief: bool = False) -> T:
        """Raises Interrupted, and what the deed says."""
        fate = self.world.fate
        fate.decide(is_brief=is_brief)
        try:
            return await doing()
        except Killed:
            await self._again()
            raise Interrupted from None
        except (ProviderUnavailable, ProviderUnreadable):
            raise Interrupted from None
        finally:
            fate.rest()
            self.clock.advance(BEAT)
            self.world.bank.happen()
            self._collect()

    async def _again(self) -> None:
        """Nobody cleans up after a killed process. Another is started soon, or hours later."""
        self.figures["kills"] += 1
        await self.end()
        self._process = AsyncExitStack()
        await self.begin()
        self.clock.advance(self.chance.choice(RESTARTS_S) * BEAT)
        if self.chance.randrange(3) == 0:
            self._nobody_until = self.clock.now() + HALF_A_DAY

    def _collect(self) -> None:
        """What the provider has sent: brought at once, late, twice, or never."""
        bank, draw = self.world.bank, self.chance
        refs, bank.postbox.letters = bank.postbox.letters, []
        for ref in refs:
            self.figures["webhooks"] += 1
            fate = 100 if self.world.fate.is_kind else draw.randrange(100)
            if fate < LOST:
                self.figures["lost"] += 1
            elif fate < TWICE:
                self._bring_later(ref, draw.choice(DELAYS_MIN))
                self._bring_later(ref, draw.choice(DELAYS_MIN))
            else:
                self._bring_later(ref, draw.choice(DELAYS_MIN) if fate < LATE else 0)

    def _bring_later(self, ref: str, minutes: int) -> None:
        at = self.clock.now() + timedelta(minutes=minutes)
        self.plan(at, lambda: self._bring(ref))

    async def _bring(self, ref: str) -> None:
        """As the route does: stored, and acted on if that is possible at once. What is not answered
        comes again."""
        payment = self.world.bank.payment(ref)
        receive, shop = self.parts.receive, self._accounts[payment.key]
        stored = []

        async def bring() -> None:
            stored.append(message := await receive.store(shop.account_uuid, ref))
            assert message is not None
            await receive.act(message)

        try:
            await self.do(bring)
        except Interrupted:
            self.figures["interrupted"] += 1
            if not stored:
                self._bring_later(ref, REPEATED_AFTER_MIN)

    async def until(self, moment: datetime) -> None:
        """What the agenda has, each at its time, and then whatever is due for a worker."""
        for _ in range(PASSES_MAX):
            while self._agenda and self._agenda[0][0] <= max(moment, self.clock.now()):
                at, _, doing = heapq.heappop(self._agenda)
                self._reach(at)
                await doing()
                self._collect()
            self._reach(moment)
            if not await self._work() and not self._is_due():
                return
        self.troubles.append(f"there is always something due at {moment}")

    def _reach(self, moment: datetime) -> None:
        self.clock.advance_to(moment)
        self.world.bank.happen()
        self._collect()

    def _is_due(self) -> bool:
        return bool(self._agenda) and self._agenda[0][0] <= self.clock.now()

    async def _work(self) -> bool:
        """One look of a worker at everything that is due."""
        if self.clock.now() < self._nobody_until:
            return False
        directory = self.parts.directory
        apps = await directory.apps_with_due_work(self.clock.now())
        try:
            for app_uuid in sorted(apps):
                await self._jobs(self.parts.jobs, app_uuid)
            for app_uuid in sorted(await directory.apps_with_due_sweeps(self.clock.now())):
                await self._jobs(self.parts.sweeps, app_uuid)
        except Interrupted:
            pass  # a new process looks again
        return bool(apps)

    async def _jobs(self, jobs: Sequence[Any], app_uuid: AppUuid) -> None:
        for job in jobs:
            tasks = await self.do(partial(job.claim, app_uuid, self.clock.now()), is_brief=True)
            for task in sorted(tasks, key=_about):
                await self._task(job.name, task)

    async def _task(self, job: str, task: Doing) -> None:
        self.figures[job] += 1
        try:
            kept_from = await self.do(task)
        except Interrupted:
            raise
        except Exception as error:  # as the worker's loop: one row never stops another
            told = f"{job} {_about(task)}: {type(error).__name__}: {error}"
            if told not in self._told:
                self._told.add(told)
                self.troubles.append(f"{told}, first at {self.clock.now()}")
            kept_from = None
        if isinstance(kept_from, DomainError):
            self.figures["interrupted"] += 1


def _about(task: Any) -> str:
    """A claimed batch has no order of its own."""
    return " ".join(str(getattr(said, "uuid", said)) for said in task.args)
