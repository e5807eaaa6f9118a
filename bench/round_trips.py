"""How many round trips does a request make? Counted in process, on the wire, nothing is timed.

The real app answers, PostgreSQL and sandbox are real; two relays stand in between. Each kind of
request is made a few times first, so that statements are prepared and keys are cached.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
from msgspec import Struct
from msgspec.structs import replace

from app.main import build
from app.settings import Settings
from bench.errand import Errand, serve_errands
from bench.relay import Journal, Trip, watched_database, watched_provider
from bench.request import Facts, Request, checkout, listing

WARM_UP: Final = 3

READS_AND_WRITES_BEFORE_MAX: Final = 2
"""Statements before the provider is called, besides begin and commit."""
TRANSACTIONS_AFTER: Final = 1


class Trips(Struct, frozen=True):
    statements: int
    brackets: int
    """`begin` and `commit`."""
    transactions: int

    @classmethod
    def of(cls, journal: Sequence[Trip]) -> "Trips":
        ours = [trip for trip in journal if trip.to == "database"]
        brackets = sum(trip.is_bracket for trip in ours)
        return cls(len(ours) - brackets, brackets, sum(trip.opens for trip in ours))


class Count(Struct, frozen=True):
    """Of one request. A request that never calls the provider has everything `before`."""

    before: Trips
    after: Trips
    provider_calls: int

    @classmethod
    def of(cls, journal: Sequence[Trip]) -> "Count":
        calls = [index for index, trip in enumerate(journal) if trip.to == "provider"]
        first, last = (calls[0], calls[-1]) if calls else (len(journal), len(journal))
        return cls(Trips.of(journal[:first]), Trips.of(journal[last + 1 :]), len(calls))

    @property
    def is_within_budget(self) -> bool:
        return (
            self.before.statements <= READS_AND_WRITES_BEFORE_MAX
            and self.after.transactions == TRANSACTIONS_AFTER
            and self.provider_calls == 1
        )


class Counter:
    """Makes requests in process, and has the journal of what each of them did."""

    def __init__(self, client: httpx.AsyncClient, journal: Journal) -> None:
        self._client, self._journal = client, journal

    async def count(self, request: Request, series: str) -> Count:
        for number in range(WARM_UP):
            await self._send(request, f"{series}-warm-{number}")
        self._journal.clear()
        await self._send(request, f"{series}-counted")
        return Count.of(self._journal)

    async def _send(self, request: Request, mark: str) -> None:
        answer = await self._client.request(
            request.method,
            request.path,
            headers=request.headers_for(mark),
            content=request.body_for(mark),
        )
        if answer.status_code != 200:
            raise RuntimeError(f"{request.path} answered {answer.status_code}: {answer.text}")


@asynccontextmanager
async def counter(settings: Settings) -> AsyncIterator[Counter]:
    """The app of these settings in process, with a relay before PostgreSQL and provider."""
    journal: Journal = []
    async with (
        watched_database(settings.database_url, journal) as database_url,
        watched_provider(settings.mollie_url, journal) as mollie_url,
    ):
        # One connection: that a request never needs two at once is part of what is shown.
        app = build(
            replace(
                settings, database_url=database_url, mollie_url=mollie_url, database_pool_size=1
            )
        )
        transport: Any = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar is one
        client = httpx.AsyncClient(transport=transport, base_url="http://kontor.bench")
        async with app.lifespan(), client:
            yield Counter(client, journal)


async def count_all(settings: Settings, facts: Facts) -> dict[str, Count]:
    async with counter(settings) as counting:
        return {
            "with key": await counting.count(checkout(facts, has_key=True), "with-key"),
            "without key": await counting.count(checkout(facts, has_key=False), "without-key"),
            "list": await counting.count(listing(facts), "list"),
        }


class CountErrand(Errand, frozen=True, kw_only=True):
    settings: Settings
    facts: Facts

    async def run(self) -> dict[str, Count]:
        return await count_all(self.settings, self.facts)


if __name__ == "__main__":
    serve_errands(CountErrand)
