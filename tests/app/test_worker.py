"""The worker among poisoned tasks, slow apps and the wish to stop."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.jobs import Task
from app.worker import AT_ONCE_PER_APP, Worker
from domain.kernel.errors import DatabaseUnavailable, DomainError, ProviderUnavailable
from domain.kernel.ids import AppUuid
from tests.fakes.clock import FakeClock

SLOW, QUICK = AppUuid(UUID(int=1)), AppUuid(UUID(int=2))


class Apps:
    """Those with something due; `is_away` makes the question fail."""

    def __init__(self, *due: AppUuid) -> None:
        self.due, self.is_away = due, False

    async def __call__(self, at: datetime) -> tuple[AppUuid, ...]:
        if self.is_away:
            raise DatabaseUnavailable("away")
        return self.due


class Once:
    """A job that hands out its tasks the first time that an app asks."""

    def __init__(self, name: str, *tasks: Task) -> None:
        self.name, self.tasks = name, tasks
        self.claims: list[AppUuid] = []

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        self.claims.append(app_uuid)
        return self.tasks if self.claims.count(app_uuid) == 1 else ()


def a_worker(apps: Apps, *jobs: Once) -> Worker:
    return Worker(jobs, apps, FakeClock(), poll_s=0.001)


async def fine() -> DomainError | None:
    return None


async def poisoned() -> DomainError | None:
    raise RuntimeError("poison")


async def refused() -> DomainError | None:
    return ProviderUnavailable("away")


async def test_a_poisoned_task_stops_no_other_and_does_not_count():
    worker = a_worker(Apps(QUICK), Once("bad", poisoned), Once("good", fine, refused))
    assert await worker.round() == 2


async def test_a_database_that_is_away_ends_nothing():
    apps = Apps(QUICK)
    apps.is_away = True
    assert await a_worker(apps, Once("any", fine)).round() == 0


async def test_what_has_not_begun_when_it_is_to_stop_is_left():
    stop, done = asyncio.Event(), []

    async def last() -> DomainError | None:
        stop.set()
        done.append("last")
        return None

    later = Once("later", fine)
    await a_worker(Apps(QUICK), Once("now", *[last] * 20), later).run(stop)
    assert done == ["last"]
    assert later.claims == []


async def test_an_app_whose_provider_hangs_leaves_room_for_the_others():
    stop, hanging, release = asyncio.Event(), [], asyncio.Event()

    async def hang() -> DomainError | None:
        hanging.append(1)
        await release.wait()
        return None

    async def quick() -> DomainError | None:
        stop.set()
        release.set()
        return None

    class PerApp(Once):
        async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
            self.claims.append(app_uuid)
            if self.claims.count(app_uuid) > 1:
                return ()
            return [hang] * 20 if app_uuid == SLOW else [quick]

    async with asyncio.timeout(5):
        await a_worker(Apps(SLOW, QUICK), PerApp("job")).run(stop)
    assert len(hanging) <= AT_ONCE_PER_APP
