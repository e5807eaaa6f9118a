"""What does a renewal cost? Eight workers on many due subscriptions, beside as many bare charges.

A renewal goes all the way: billed, charged, and told by the provider that it is paid, which the
API takes in. One tenant and one mandate have them all, as copies of a subscription that is bought.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
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
_OPEN: Final = "select count(*) from subscriptions where status <> 'active' or due_at <= now()"
_TWICE: Final = """
    select count(*) from (select from payments where bill_uuid is not null
                           group by bill_uuid having count(*) > 1) t
"""


class Cpu(Struct, frozen=True):
    """Milliseconds, so far or of one renewal."""

    workers: float
    api: float
    postgres: float
    sandbox: float

    def per(self, count: int, before: "Cpu") -> "Cpu":
        pairs = zip(_values(self), _values(before), strict=True)
        return Cpu(*((now - then) / count for now, then in pairs))


class Renewed(Struct, frozen=True):
    count: int
    charged_s: float
    """Until the provider has been asked for all of them."""
    paid_s: float
    """Until all are paid."""
    cpu: Cpu
    charged_twice: int
    bare: Spent
    bare_cpu: Cpu
    trips: Count


def measure(house: House, *, quick: bool) -> Renewed:
    return asyncio.run(_measure(house, DUE_QUICK if quick else DUE))


async def _measure(house: House, count: int) -> Renewed:
    app_uuid = UUID(house.facts.app_uuid)
    connection = await asyncpg.connect(house.settings.database_url)
    try:
        with ExitStack() as resources:
            await _subscribe(house, connection)
            errand = TripsErrand(settings=house.settings, app_uuid=app_uuid)
            counter = resources.enter_context(runner("bench.renewal_trips", house.directory))
            trips = counter.do(errand, Count)
            pids = resources.enter_context(workers(house, WORKERS))
            await make_due(connection, app_uuid, WARM_UP)
            await _until(lambda: _is_zero(connection, _OPEN))
            await connection.execute("vacuum analyze")
            before = _spent(house, pids)
            had = await connection.fetchval(_CHARGED)
            await make_due(connection, app_uuid, count)
            began = time.monotonic()
            await _until(lambda: _reaches(connection, _CHARGED, had + count))
            charged_s = time.monotonic() - began
            await _until(lambda: _is_zero(connection, _OPEN))
            paid_s = time.monotonic() - began
            cpu = _spent(house, pids).per(count, before)
        with runner("bench.charges", house.directory) as bare:
            before = _spent(house, [bare.pid])
            spent = bare.do(await _bare_charges(house, connection, count), Spent)
            bare_cpu = _spent(house, [bare.pid]).per(count, before)
        twice = await connection.fetchval(_TWICE)
    finally:
        await connection.close()
    return Renewed(count, charged_s, paid_s, cpu, twice, spent, bare_cpu, trips)


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
        path = f"{house.settings.mollie_url}/_control/payments/{ref}/status"
        (await client.post(path, json={"status": "paid"})).raise_for_status()
    await _until(lambda: _reaches(connection, "select count(*) from subscriptions", 1))


async def _bare_charges(house: House, connection: asyncpg.Connection, count: int) -> BareCharges:
    request: bytes = await connection.fetchval(
        "select request from payment_attempts where bill_uuid is not null limit 1"
    )
    return BareCharges(
        provider_url=house.settings.mollie_url,
        credential=house.facts.mollie_api_key,
        request=request.decode(),
        count=count,
        at_once=WORKERS * AT_ONCE_PER_APP,
    )


def _spent(house: House, python_pids: list[int]) -> Cpu:
    return Cpu(
        workers=sum(process_ms(pid) for pid in python_pids),
        api=process_ms(house.api_pid),
        postgres=family_ms(house.postgres_pid),
        sandbox=process_ms(house.sandbox_pid),
    )


def _values(cpu: Cpu) -> tuple[float, ...]:
    return (cpu.workers, cpu.api, cpu.postgres, cpu.sandbox)


async def _is_zero(connection: asyncpg.Connection, sql: str) -> bool:
    return not await connection.fetchval(sql)


async def _reaches(connection: asyncpg.Connection, sql: str, number: int) -> bool:
    return bool(await connection.fetchval(sql) >= number)


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not await holds():  # noqa: ASYNC110  # other processes do it
            await asyncio.sleep(_LOOK_S)


def table(found: Renewed) -> str:
    per_s, cpu, bare = found.count / found.charged_s, found.cpu, found.bare_cpu
    paid_per_s, bare_per_s = found.count / found.paid_s, found.bare.count / found.bare.seconds
    before, after = found.trips.before, found.trips.after
    return f"""\
| {found.count} of each | charges/s | paid/s | CPU ms: Python | API | PostgreSQL | sandbox |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| renewal, {WORKERS} workers | {per_s:.0f} | {paid_per_s:.0f} | {_cells(cpu)} |
| bare charge, httpx | {bare_per_s:.0f} | - | {_cells(bare)} |

A charge of a renewal: {before.statements} statements before the call, {after.statements} after it, \
in {before.transactions + after.transactions} transactions. Charged twice: {found.charged_twice}."""


def _cells(cpu: Cpu) -> str:
    return " | ".join(f"{value:.2f}" for value in _values(cpu))
