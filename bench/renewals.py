"""What does a renewal cost? Eight workers on many due subscriptions, beside as many bare charges.

In two halves: it is billed and charged, and what becomes of the charge is taken in. The provider
tells nobody, so that the workers do both, and no half waits for the other. One tenant and one
mandate have them all, as copies of a subscription that is bought.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import asyncpg
import httpx
from msgspec import Struct

from app.worker import AT_ONCE_PER_APP
from bench.charges import BareCharges, Spent
from bench.cpu import family_ms, process_ms
from bench.due_rows import make_due
from bench.errand import runner
from bench.house import House, workers
from bench.renewal_trips import TripsErrand
from bench.request import subscription
from bench.round_trips import Count

WORKERS: Final = 8
DUE: Final = 10_000
DUE_QUICK: Final = 300
WARM_UP: Final = 200
_PATIENCE_S: Final = 600
_LOOK_S: Final = 0.05

_CHARGED: Final = "select count(*) from payments where bill_uuid is not null"
_UNPAID: Final = "select count(*) from subscriptions where status <> 'active' or due_at <= now()"
_TWICE: Final = """
    select count(*) from (select from payments where bill_uuid is not null
                           group by bill_uuid having count(*) > 1) t
"""


class Cpu(Struct, frozen=True):
    """Milliseconds, so far or of one renewal."""

    python: float
    postgres: float
    sandbox: float

    def __str__(self) -> str:
        return f"{self.python:.2f} | {self.postgres:.2f} | {self.sandbox:.2f}"


class Half(Struct, frozen=True):
    per_s: float
    cpu: Cpu


class Renewed(Struct, frozen=True):
    count: int
    charging: Half
    settling: Half
    bare: Half
    charged_twice: int
    trips: Count


def measure(house: House, *, quick: bool) -> Renewed:
    return asyncio.run(_measure(house, DUE_QUICK if quick else DUE))


async def _measure(house: House, count: int) -> Renewed:
    connection = await asyncpg.connect(house.settings.database_url)
    try:
        await _subscribe(house, connection)
        await _control(house, "webhooks", mode="drop")
        with runner("bench.renewal_trips", house.directory) as counter:
            app_uuid = UUID(house.facts.app_uuid)
            trips = counter.do(TripsErrand(settings=house.settings, app_uuid=app_uuid), Count)
        with workers(house, WORKERS) as pids:
            await _charge(house, connection, pids, WARM_UP)
            await _settle(house, connection, pids)
            await connection.execute("vacuum analyze")
            charging = await _charge(house, connection, pids, count)
            settling = await _settle(house, connection, pids)
        bare = await _bare(house, connection, count)
        twice = await connection.fetchval(_TWICE)
        await _control(house, "webhooks", mode="normal")
    finally:
        await connection.close()
    return Renewed(count, charging, settling, bare, twice, trips)


async def _charge(
    house: House, connection: asyncpg.Connection, pids: list[int], count: int
) -> Half:
    had = await connection.fetchval(_CHARGED)
    await make_due(connection, UUID(house.facts.app_uuid), count)
    watch = Watch(house, pids)
    await _until(lambda: _reaches(connection, _CHARGED, had + count))
    return watch.read(count)


async def _settle(house: House, connection: asyncpg.Connection, pids: list[int]) -> Half:
    """All that is charged is looked at now, and not in two minutes."""
    moved: str = await connection.execute(
        "update payments set due_at = now() where bill_uuid "
        "is not null and status in ('open', 'pending')"
    )
    watch = Watch(house, pids)
    await _until(lambda: _is_zero(connection, _UNPAID))
    return watch.read(int(moved.split()[-1]))


async def _bare(house: House, connection: asyncpg.Connection, count: int) -> Half:
    request: bytes = await connection.fetchval(
        "select request from payment_attempts where bill_uuid is not null limit 1"
    )
    errand = BareCharges(
        provider_url=house.settings.mollie_url,
        credential=house.facts.mollie_api_key,
        request=request.decode(),
        count=count,
        at_once=WORKERS * AT_ONCE_PER_APP,
    )
    with runner("bench.charges", house.directory) as bare:
        watch = Watch(house, [bare.pid])
        spent = bare.do(errand, Spent)
        return Half(spent.count / spent.seconds, watch.read(count).cpu)


class Watch:
    """Time and CPU since it was made."""

    def __init__(self, house: House, pids: list[int]) -> None:
        self._house, self._pids = house, pids
        self._spent, self._began = self._spent_ms(), time.monotonic()

    def read(self, count: int) -> Half:
        took = time.monotonic() - self._began
        pairs = zip(self._spent_ms(), self._spent, strict=True)
        return Half(count / took, Cpu(*((now - then) / count for now, then in pairs)))

    def _spent_ms(self) -> tuple[float, float, float]:
        return (
            sum(process_ms(pid) for pid in self._pids),
            family_ms(self._house.postgres_pid),
            process_ms(self._house.sandbox_pid),
        )


async def _subscribe(house: House, connection: asyncpg.Connection) -> None:
    """One subscription through a checkout, whose mandate all copies are charged on."""
    request = subscription(house.facts)
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.request(
            request.method,
            house.settings.public_url + request.path,
            headers=request.headers_for("renewals"),
            content=request.body_for("renewals"),
        )
        answer.raise_for_status()
        ref = answer.json()["items"][0]["createdCheckoutSession"]["sessionId"]
    await _control(house, f"payments/{ref}/status", status="paid")
    await _until(lambda: _reaches(connection, "select count(*) from subscriptions", 1))


async def _control(house: House, path: str, **said: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.post(f"{house.settings.mollie_url}/_control/{path}", json=said)
        answer.raise_for_status()


async def _is_zero(connection: asyncpg.Connection, sql: str) -> bool:
    return not await connection.fetchval(sql)


async def _reaches(connection: asyncpg.Connection, sql: str, number: int) -> bool:
    return bool(await connection.fetchval(sql) >= number)


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not await holds():  # noqa: ASYNC110  # other processes do it
            await asyncio.sleep(_LOOK_S)


def table(found: Renewed) -> str:
    before, after = found.trips.before, found.trips.after
    rows = {
        f"renewal, charged by {WORKERS} workers": found.charging,
        f"renewal, paid, taken in by {WORKERS} workers": found.settling,
        "bare charge, httpx": found.bare,
    }
    return "\n".join(
        [
            f"| {found.count} of each | per second | CPU ms: Python | PostgreSQL | sandbox |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(f"| {name} | {half.per_s:.0f} | {half.cpu} |" for name, half in rows.items()),
            "",
            f"The charge of a renewal takes {before.statements} statements before the call and "
            f"{after.statements} after it, in {before.transactions + after.transactions} "
            f"transactions. Charged twice: {found.charged_twice}.",
        ]
    )
