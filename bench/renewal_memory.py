"""How much memory does a worker take when a thousand renewals are due, and when a million are?

For each a process of its own claims and renews a bounded number of batches. It must be the same:
a worker never holds more than the batch that it has claimed.
"""

import asyncio
import resource
import time
from statistics import median
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from app.main import build_worker
from app.settings import Settings
from bench.due_rows import make_due
from bench.errand import Errand, runner, serve_errands
from bench.house import House

FEW: Final = 1_000
MANY: Final = 1_000_000
MANY_QUICK: Final = 20_000
BATCHES: Final = 20
_DUE: Final = "select count(*) from subscriptions where due_at <= now()"


class Held(Struct, frozen=True):
    due: int
    renewed: int
    peak_mb: float
    look_ms: float
    """For which apps there is work: asked by each worker, twice a second."""
    round_s: float
    """A batch of everything that is due, done."""


class MemoryErrand(Errand, frozen=True, kw_only=True):
    settings: Settings
    due: int
    batches: int

    async def run(self) -> Held:
        worker, _, parts = build_worker(self.settings)
        async with parts.open():
            looks, rounds, renewed = [], [], 0
            for _ in range(self.batches):
                began = time.monotonic()
                await parts.directory.apps_with_due_work(parts.clock.now())
                looked = time.monotonic()
                renewed += await worker.round()
                looks.append(looked - began)
                rounds.append(time.monotonic() - looked)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return Held(self.due, renewed, peak_mb, median(looks) * 1000, median(rounds))


def measure(house: House, *, quick: bool) -> list[Held]:
    """The house has a subscription to copy, and no worker."""
    return [_measured(house, due) for due in (FEW, MANY_QUICK if quick else MANY)]


def _measured(house: House, due: int) -> Held:
    found = asyncio.run(_prepared(house, due))
    with runner("bench.renewal_memory", house.directory) as worker:
        return worker.do(MemoryErrand(settings=house.settings, due=found, batches=BATCHES), Held)


async def _prepared(house: House, due: int) -> int:
    """So many are due, with statistics as autovacuum would have made them."""
    connection = await asyncpg.connect(house.settings.database_url)
    try:
        have: int = await connection.fetchval(_DUE)
        await make_due(connection, UUID(house.facts.app_uuid), due - have)
        await connection.execute("vacuum analyze", timeout=600)
        count: int = await connection.fetchval(_DUE)
        return count
    finally:
        await connection.close()


def table(held: list[Held]) -> str:
    lines = [
        "| due | tasks done | peak memory MB | a look ms | a round s |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in held:
        cells = f"{one.renewed} | {one.peak_mb:.1f} | {one.look_ms:.1f} | {one.round_s:.2f}"
        lines.append(f"| {one.due} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    serve_errands(MemoryErrand)
