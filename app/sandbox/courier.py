"""Carries notifications to the webhook addresses, as the client of a provider would.

Many at a time, in no promised order. Runs only inside the server's lifespan.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from app.sandbox.record import Attempt, Delivery
from app.sandbox.universe import Universe

TIMEOUT_SECONDS: Final = 15.0
# What waits, waits here: the client's own queue costs more for each the more there are in it.
AT_A_TIME: Final = 64
D = TypeVar("D", bound=Delivery)


@dataclass(frozen=True)
class Letters(Generic[D]):
    """How a provider writes its notifications, and what one attempt makes of them."""

    body: Callable[[D], bytes]
    headers: Callable[[D], dict[str, str]]
    after: Callable[[D, Attempt], D]


def _over_the_network() -> httpx.AsyncBaseTransport:
    """aiohttp below httpx's interface, at a fifth of the CPU."""

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            # Shorter than the idle time after which servers hang up.
            connector=aiohttp.TCPConnector(limit=AT_A_TIME, keepalive_timeout=4),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    return AiohttpTransport(trust_env=False, client=session)


class Courier(Generic[D]):
    def __init__(
        self,
        universe: Universe[Any, D],
        letters: Letters[D],
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._universe, self._letters, self._transport = universe, letters, transport
        self._client: httpx.AsyncClient | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._hands = asyncio.Semaphore(AT_A_TIME)
        self.moved = asyncio.Event()  # a delivery has a new due moment

    def start(self) -> None:
        self._client = httpx.AsyncClient(
            transport=self._transport or _over_the_network(),
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )
        for delivery in list(self._universe.deliveries.values()):
            self._universe.agenda.plan(delivery)

    async def stop(self) -> None:
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
        self._client = None

    def carry(self, delivery: D, due: datetime) -> asyncio.Task[None] | None:
        """Make one attempt in the background, unless one is under way."""
        if self._client is None:
            return None
        if (running := self._tasks.get(delivery.id)) is not None:
            return running
        task = asyncio.create_task(self._in_turn(self._client, delivery, due))
        self._tasks[delivery.id] = task
        task.add_done_callback(lambda done: self._forget(delivery.id, done))
        return task

    def _forget(self, id: str, done: asyncio.Task[None]) -> None:
        # The next attempt may have begun before this one is cleared away.
        if self._tasks.get(id) is done:
            del self._tasks[id]

    async def carry_urgent(self) -> None:
        """What must arrive before the answer does: one attempt of each, awaited."""
        if not (urgent := self._universe.before_response):
            return
        self._universe.before_response = []
        # Written down before anybody is told.
        self._universe.commit()
        # The clock may have carried some of them meanwhile.
        waiting = (self._universe.deliveries.get(delivery.id) for delivery in urgent)
        tasks = [self.carry(one, one.first_due) for one in waiting if one and not one.attempts]
        await asyncio.gather(*(task for task in tasks if task is not None))

    async def _in_turn(self, client: httpx.AsyncClient, sent: D, due: datetime) -> None:
        async with self._hands:
            await self._attempt(client, sent, due)

    async def _attempt(self, client: httpx.AsyncClient, sent: D, due: datetime) -> None:
        universe = self._universe
        status, error = None, None
        at = universe.clock.now()
        try:
            body, headers = self._letters.body(sent), self._letters.headers(sent)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await client.post(
                    sent.url, content=body, headers=headers, follow_redirects=False
                )
            status = answer.status_code
        except TimeoutError:
            error = f"no answer within {TIMEOUT_SECONDS:.0f} s"
        # ValueError: a host that only looks like a name, which shows when it is looked up.
        except (httpx.HTTPError, aiohttp.ClientError, httpx.InvalidURL, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        # A reset may have emptied the world meanwhile.
        if (delivery := universe.deliveries.get(sent.id)) is None:
            return
        self._tasks.pop(sent.id, None)
        universe.put(self._letters.after(delivery, Attempt(due, at, status, error)))
        universe.commit()
        self.moved.set()
