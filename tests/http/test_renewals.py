"""Renewals by real workers against the sandbox: many at once, late ones, poisoned ones, slow ones.

Subscriptions are copies of one that was bought, see bench/due_rows.py.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import pytest

from app.main import build_worker, jobs_of
from app.parts import Parts
from app.settings import Settings
from app.worker import Worker
from bench.due_rows import make_due
from infrastructure.system import SystemClock
from tests.http.house import Json
from tests.http.street import Street

WORKERS: Final = 8


async def made_due(street: Street, count: int, **how: int) -> list[Json]:
    """Copies of a subscription that is bought for it."""
    bought = await street.subscribed()
    await make_due(street.house.connection, street.house.app.app_uuid, count, **how)
    return [row for row in await street.listed("/subscriptions") if row["uuid"] != bought["uuid"]]


async def asked_of(street: Street) -> list[Json]:
    """The charges that the provider was asked for on the app's account, the oldest first."""
    listed = (await street.sandbox.get("/_control/payments")).json()["items"]
    app = str(street.house.app.app_uuid)
    ours = [p for p in listed if p["sequenceType"] == "recurring" and p["metadata"]["app"] == app]
    return ours[::-1]


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 30) -> None:
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110  # other processes do not set events
            await asyncio.sleep(0.05)


async def test_eight_workers_charge_each_due_subscription_once(street: Street, settings: Settings):
    many = 150
    await made_due(street, many)
    stop = asyncio.Event()

    async def all_are_charged() -> bool:
        sql = "select count(*) from payments where bill_uuid is not null"
        return bool(await street.house.connection.fetchval(sql) >= many)

    async with AsyncExitStack() as pools, asyncio.TaskGroup() as working:
        for _ in range(WORKERS):
            worker, _, parts = build_worker(settings)
            await pools.enter_async_context(parts.open())
            working.create_task(worker.run(stop))
        await until(all_are_charged)
        stop.set()

    bills = Counter(charge["metadata"]["bill"] for charge in await asked_of(street))
    assert (len(bills), set(bills.values())) == (many, {1})
    found = await street.house.connection.fetch(
        "select subscription_uuid, count(*) from bills where period_number = 2 group by 1"
    )
    assert [row["count"] for row in found] == [1] * many


@pytest.fixture
async def worker(street: Street, settings: Settings) -> AsyncIterator[Worker]:
    worker, _, parts = build_worker(settings)
    async with parts.open():
        yield worker


async def test_a_poisoned_subscription_stops_no_other(street: Street, worker: Worker):
    await made_due(street, 30)
    connection = street.house.connection
    poisoned = await connection.fetchval(
        """
        update subscriptions
           set scheduled_change = '{"no": "change"}', due_at = due_at - interval '1 day'
         where uuid = (select uuid from subscriptions where due_at < now() limit 1)
        returning uuid
        """
    )
    while await worker.round():
        pass
    assert len(await asked_of(street)) == 29
    alone = await connection.fetchrow("select * from subscriptions where uuid = $1", poisoned)
    assert (alone["status"], alone["due_at"] > alone["updated_at"]) == ("active", True)

    await connection.execute(
        """
        update subscriptions set scheduled_change = null, due_at = now() - interval '1 second'
         where uuid = $1
        """,
        poisoned,
    )
    while await worker.round():
        pass
    assert len(await asked_of(street)) == 30


async def catch_up(street: Street, worker: Worker) -> list[Json]:
    """The worker does what is due, and the bank says yes to every charge."""
    while await worker.round():
        for charge in await asked_of(street):
            if charge["status"] == "open":
                await street._control(charge["id"], {"status": "paid"})
    return await asked_of(street)


@pytest.mark.parametrize(
    ("policy", "billed", "skipped"),
    [("bill", [2, 3, 4], []), ("skip", [4], [2, 3])],
    ids=["bills each of them", "skips them"],
)
async def test_after_months_of_downtime_missed_periods_are_seen_to_once_and_in_order(
    street: Street, worker: Worker, policy: str, billed: Sequence[int], skipped: Sequence[int]
):
    house = street.house
    await house.ok(house.app.admin, "PUT", "/billing-policy", {"missedPeriods": policy})
    late = await made_due(street, 2, periods=3)
    charges = await catch_up(street, worker)
    assert len(charges) == 2 * len(billed)
    for row in late:
        bills = {bill["uuid"]: bill for bill in await street.of(row, "bills")}
        charged = [c["metadata"]["bill"] for c in charges if c["metadata"]["bill"] in bills]
        assert [bills[uuid]["periodNumber"] for uuid in charged] == billed
        assert {bill["status"] for bill in bills.values()} == {"paid"}
        periods = await street.of(row, "periods")
        assert [p["number"] for p in periods[::-1] if p["kind"] == "skipped"] == skipped
        row = await street.now(row)
        assert (row["status"], row["currentPeriodNumber"]) == ("active", 4)


async def test_an_account_that_is_asked_too_much_holds_up_no_other_app(
    street: Street, worker: Worker
):
    slow, quick = street, replace(street, house=replace(street.house, app=street.house.other))
    await made_due(slow, 8)
    await made_due(quick, 2)
    await street.sandbox.post("/_control/settings", json={"callsPerSecond": 2})
    try:
        await worker.round()
    finally:
        await street.sandbox.post("/_control/settings", json={"callsPerSecond": 0})
    assert len(await asked_of(quick)) == 2
    assert len(await asked_of(slow)) < 8

    # Later there is room again.
    async def all_are_charged() -> bool:
        await street.house.connection.execute(
            """
            update subscriptions set due_at = now()
             where due_at between now() and now() + interval '1 hour';
            update payment_attempts set due_at = now() where status = 'submitting';
            """
        )
        await worker.round()
        return len(await asked_of(slow)) >= 8

    await until(all_are_charged)
    bills = Counter(charge["metadata"]["bill"] for charge in await asked_of(slow))
    assert (len(bills), set(bills.values())) == (8, {1})


class LateClock(SystemClock):
    by = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.by


class LateParts(Parts):
    def plug_in(self, settings: Settings) -> None:
        super().plug_in(settings)
        self.clock = self.late = LateClock()


@dataclass(frozen=True)
class Late:
    """A worker whose time can be moved on, and the provider's with it."""

    street: Street
    clock: LateClock
    worker: Worker

    async def begin(self, fault: str) -> Json:
        """A renewal whose charge meets the fault."""
        told = {"operation": "createPayment", "kind": fault}
        (row,) = await made_due(self.street, 1)
        await self.street.sandbox.post("/_control/faults", json=told)
        await self.worker.round()
        row = await self.street.now(row)
        assert row["status"] == "collecting"
        return row

    async def wait(self, **by: int) -> None:
        self.clock.by += timedelta(**by)
        seconds = int(timedelta(**by).total_seconds())
        await self.street.sandbox.post("/_control/clock", json={"advanceSeconds": seconds})
        while await self.worker.round():
            pass


@pytest.fixture
async def late(street: Street, settings: Settings) -> AsyncIterator[Late]:
    parts = LateParts(settings)
    async with parts.open():
        worker = Worker(jobs_of(parts), parts.directory.apps_with_due_work, parts.clock, poll_s=1)
        yield Late(street, parts.late, worker)
    await street.sandbox.post("/_control/clock", json={"now": SystemClock().now().isoformat()})


async def test_a_charge_that_was_made_is_found_when_its_key_is_forgotten(late: Late):
    row = await late.begin("truncatedJson")
    await late.wait(minutes=61)
    (charge,) = await asked_of(late.street)
    await late.street._control(charge["id"], {"status": "paid"})
    assert (await late.street.now(row))["status"] == "active"
    assert len(await asked_of(late.street)) == 1


async def test_a_charge_that_was_never_made_is_not_sent_again_when_its_key_is_forgotten(
    late: Late,
):
    row = await late.begin("connectionReset")
    await late.wait(minutes=51)
    assert (await late.street.now(row))["status"] == "collecting"
    await late.wait(minutes=20)
    assert (await late.street.now(row))["status"] == "past_due"
    assert await asked_of(late.street) == []

    await late.wait(days=3)  # a try of its own
    (charge,) = await asked_of(late.street)
    await late.street._control(charge["id"], {"status": "paid"})
    assert (await late.street.now(row))["status"] == "active"
