"""The courier: sends webhooks beside the worker, in the same process. Run as many as you like.

A receiver may take fifteen seconds and the next one none, so nothing here waits for a batch: each
place that becomes free is given away anew. Endpoints that fail share half of the places, one each,
so that any number of dead ones leaves the living ones their half.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import structlog

from domain.kernel.clock import Clock
from domain.kernel.errors import DatabaseUnavailable, StillRunning
from domain.kernel.ids import AppUuid
from domain.webhooks.deliver import Claimed, DeliverWebhooks
from domain.webhooks.endpoint import WebhookEndpoint
from domain.webhooks.ports import WebhookDirectory

log = structlog.get_logger("courier")

T = TypeVar("T")

PLACES: Final = 32
"""Of each kind: webhooks under way to endpoints that work, and to endpoints that fail. A claim that
begins below it may end above: an app has few endpoints."""

AT_ONCE: Final = 4
"""To one endpoint that works; never two of one aggregate."""

AT_ONCE_FAILING: Final = 1
GRACE_S: Final = 5.0
"""What is under way when we are to stop; then it is left, and sent again by another."""


class Places:
    """Who is being sent to, and who may be sent to next."""

    def __init__(self) -> None:
        self._by_endpoint: Counter[object] = Counter()
        self._by_kind: Counter[bool] = Counter()

    def room(self, endpoint: WebhookEndpoint) -> int:
        fails = endpoint.failing_since is not None
        own = (AT_ONCE_FAILING if fails else AT_ONCE) - self._by_endpoint[endpoint.uuid]
        return min(own, PLACES - self._by_kind[fails])

    def take(self, endpoint: WebhookEndpoint) -> None:
        self._count(endpoint, 1)

    def leave(self, endpoint: WebhookEndpoint) -> None:
        """`endpoint` as it was when it was taken in."""
        self._count(endpoint, -1)

    def _count(self, endpoint: WebhookEndpoint, by: int) -> None:
        self._by_endpoint[endpoint.uuid] += by
        self._by_kind[endpoint.failing_since is not None] += by
        if not self._by_endpoint[endpoint.uuid]:
            del self._by_endpoint[endpoint.uuid]


class Courier:
    def __init__(
        self, deliver: DeliverWebhooks, directory: WebhookDirectory, clock: Clock, poll_s: float
    ) -> None:
        self._deliver, self._directory, self._clock = deliver, directory, clock
        self._poll_s = poll_s
        self._places = Places()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._wake = asyncio.Event()
        self._claims = 0
        self._last_claim: dict[AppUuid, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._wake.set())
        try:
            while not stop.is_set():
                self._wake.clear()
                await self._begin()
                await self._rest()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=GRACE_S)
        finally:
            left = [stopping, *self._tasks]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def round(self) -> int:
        """One look at what is due, and all of it sent. Returns how many that were."""
        begun = await self._begin()
        while self._tasks:
            await asyncio.wait(self._tasks)
        return begun

    async def _begin(self) -> int:
        """Returns how many were begun. One app after the other: two claims at once would take the
        same places."""
        begun = 0
        # Whose turn was longest ago comes first, so that no app keeps the others from a place.
        due = sorted(await self._due(), key=lambda app_uuid: self._last_claim.get(app_uuid, 0))
        for app_uuid in due:
            claim = self._spawn(self._claim(app_uuid))
            await asyncio.wait({claim})
            begun += claim.result() if claim.exception() is None else 0
        return begun

    async def _due(self) -> tuple[AppUuid, ...]:
        try:
            return await self._directory.apps_with_due_webhooks(self._clock.now())
        except DatabaseUnavailable as error:
            log.warning("database_unavailable", reason=str(error))
            return ()

    async def _claim(self, app_uuid: AppUuid) -> int:
        found = await self._deliver.claim(app_uuid, self._places.room)
        for claimed in found:
            self._places.take(claimed.endpoint)
            self._spawn(self._send(claimed))
        if found:
            self._claims += 1
            self._last_claim[app_uuid] = self._claims
        return len(found)

    async def _send(self, claimed: Claimed) -> None:
        endpoint = claimed.endpoint
        said = {"app": str(endpoint.app_uuid), "webhook_endpoint": str(endpoint.uuid)}
        try:
            outcome = await self._deliver(claimed)
        finally:
            self._places.leave(endpoint)
            self._wake.set()  # for the next in line
        if outcome is None:
            return
        made = outcome.made
        if not made.is_success:
            why = made.error or f"status {made.http_status}"
            log.info("webhook_failed", **said, tries=made.number, reason=why)
        if outcome.is_disabled:
            log.warning("webhook_endpoint_disabled", **said)

    def _spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        """One poisoned delivery stops no other: its claim lapses, and it is tried again later."""
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, DatabaseUnavailable | StillRunning):
            log.warning(error.code, reason=str(error))
        else:
            log.error("task_failed", job="webhooks", exc_info=error)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._wake.wait()
        except TimeoutError:
            pass
