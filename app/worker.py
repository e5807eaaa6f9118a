"""The worker: finds apps with due work, claims it in batches, does it. Run as many as you like."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

import structlog

from app.jobs import Job, Task
from domain.kernel.clock import Clock
from domain.kernel.errors import DatabaseUnavailable, DomainError
from domain.kernel.ids import AppUuid

log = structlog.get_logger("worker")

AT_ONCE: Final = 8
"""Tasks under way in one process. Each holds a database connection for moments only."""

AT_ONCE_PER_APP: Final = 4
"""So that one app's slow provider leaves room for the others."""


AppsWithWork = Callable[[datetime], Awaitable[tuple[AppUuid, ...]]]
"""Which apps have something due for these jobs."""


class Worker:
    def __init__(
        self, jobs: Sequence[Job], apps_with_work: AppsWithWork, clock: Clock, poll_s: float
    ) -> None:
        self._jobs, self._apps_with_work, self._clock = jobs, apps_with_work, clock
        self._poll_s = poll_s
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._busy: set[AppUuid] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set: what is under way is finished, nothing new is begun."""
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                for app_uuid in await self._due():
                    if app_uuid not in self._busy:
                        self._busy.add(app_uuid)
                        group.create_task(self._work(app_uuid, stop))
                await _wait(stop, self._poll_s)

    async def round(self) -> int:
        """One look at everything that is due. Returns how many tasks went well."""
        never = asyncio.Event()
        return sum([await self._jobs_of(app_uuid, never) for app_uuid in await self._due()])

    async def _due(self) -> tuple[AppUuid, ...]:
        try:
            return await self._apps_with_work(self._clock.now())
        except DatabaseUnavailable as error:
            log.warning("database_unavailable", reason=str(error))
            return ()

    async def _work(self, app_uuid: AppUuid, stop: asyncio.Event) -> None:
        try:
            while await self._jobs_of(app_uuid, stop) and not stop.is_set():
                pass
        finally:
            self._busy.discard(app_uuid)

    async def _jobs_of(self, app_uuid: AppUuid, stop: asyncio.Event) -> int:
        done = 0
        own_slots = asyncio.Semaphore(AT_ONCE_PER_APP)
        for job in self._jobs:
            if stop.is_set():
                break
            tasks = [_unless(stop, task) for task in await self._claim(job, app_uuid)]
            went_well = await asyncio.gather(
                *(self._guarded(job.name, app_uuid, task, own_slots) for task in tasks)
            )
            done += sum(went_well)
        return done

    async def _claim(self, job: Job, app_uuid: AppUuid) -> Sequence[Task]:
        claimed: list[Task] = []

        async def claim() -> None:
            claimed.extend(await job.claim(app_uuid, self._clock.now()))

        await self._guarded(job.name, app_uuid, claim, asyncio.Semaphore(1))
        return claimed

    async def _guarded(
        self, job: str, app_uuid: AppUuid, task: Task, own_slots: asyncio.Semaphore
    ) -> bool:
        """One poisoned row never stops another: its claim lapses, and it is tried again later."""
        async with own_slots, self._slots:
            try:
                kept_from = await task()
            except Exception:
                log.exception("task_failed", job=job, app=str(app_uuid))
                return False
        if kept_from is not None:
            log.warning(kept_from.code, job=job, app=str(app_uuid), reason=str(kept_from))
        return True


def _unless(stop: asyncio.Event, task: Task) -> Task:
    """A claimed task that has not begun when we are asked to stop is left: its claim lapses."""

    async def maybe() -> DomainError | None:
        return None if stop.is_set() else await task()

    return maybe


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
