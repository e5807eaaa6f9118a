"""The worker: finds apps with due work, claims it in batches, does it. Run as many as you like."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from app.jobs import Job, Task
from domain.kernel.clock import Clock
from domain.kernel.errors import DatabaseUnavailable
from domain.kernel.ids import AppUuid
from domain.webhooks.inbox import Directory

log = structlog.get_logger("worker")


@dataclass(frozen=True, slots=True)
class Worker:
    jobs: Sequence[Job]
    directory: Directory
    clock: Clock
    poll_s: float

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set: what is under way is finished, nothing new is claimed."""
        while not stop.is_set():
            done = await self.round()
            if not done:
                await _wait(stop, self.poll_s)

    async def round(self) -> int:
        """One look at everything that is due. Returns how many tasks were done."""
        try:
            apps = await self.directory.apps_with_due_work(self.clock.now())
        except DatabaseUnavailable as error:
            log.warning("database_unavailable", reason=str(error))
            return 0
        counts = await asyncio.gather(*(self._work(app_uuid) for app_uuid in apps))
        return sum(counts)

    async def _work(self, app_uuid: AppUuid) -> int:
        done = 0
        for job in self.jobs:
            tasks = await self._claim(job, app_uuid)
            await asyncio.gather(*(_guarded(job.name, app_uuid, task) for task in tasks))
            done += len(tasks)
        return done

    async def _claim(self, job: Job, app_uuid: AppUuid) -> Sequence[Task]:
        claimed: list[Task] = []

        async def claim() -> None:
            claimed.extend(await job.claim(app_uuid, self.clock.now()))

        await _guarded(job.name, app_uuid, claim)
        return claimed


async def _guarded(job: str, app_uuid: AppUuid, task: Task) -> None:
    """One poisoned row never stops another: its claim lapses, and it is tried again later."""
    try:
        await task()
    except Exception:
        log.exception("task_failed", job=job, app=str(app_uuid))


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
