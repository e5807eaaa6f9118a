"""What only PostgreSQL can show: publishers, couriers and requests at the same time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from domain.webhooks.delivery import DeliveryStatus
from domain.webhooks.publish import PublishEvents
from infrastructure.postgres.database import Database
from infrastructure.postgres.due_work import PostgresDirectory
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.system import SystemClock, SystemIds
from tests.fakes.clock import NOON, FakeClock
from tests.make import APP, OTHER_APP, a_uuid, an_app
from tests.make_webhooks import OTHER_SESSION, an_endpoint, an_event

LEASE = timedelta(minutes=1)
Tables = Database[PostgresTx]


@pytest.fixture
async def tables(clean_database: str) -> AsyncIterator[Tables]:
    database = Database(clean_database, PostgresTx)
    async with database.open():
        for app_uuid in (APP, OTHER_APP):
            async with database.begin(app_uuid) as tx:
                await tx.apps.add(an_app(app_uuid=app_uuid))
        yield database


def publisher(tables: Tables) -> PublishEvents:
    return PublishEvents(tables, FakeClock(), SystemIds())


async def happened(tables: Tables, *names: str) -> None:
    async with tables.begin(APP) as tx:
        await tx.outbox.append(*[an_event(name) for name in names])


async def read(tables: Tables, after=None) -> list[str]:
    async with tables.begin(APP) as tx:
        return [event.type for event in await tx.events.after(after, types=(), limit=100)]


async def test_while_one_publishes_another_goes_away(tables: Tables):
    await happened(tables, "payment.paid")
    await publisher(tables)(APP)
    await happened(tables, "payment.paid")
    async with tables.begin(APP) as tx:
        assert await tx.events.unpublished(9) is not None
        assert await publisher(tables)(APP) == []
    assert len(await publisher(tables)(APP)) == 1


async def test_many_publishers_number_each_event_once_and_without_a_gap(tables: Tables):
    for _ in range(10):
        await happened(tables, *["payment.paid"] * 25)
    while sum(map(len, await asyncio.gather(*[publisher(tables)(APP) for _ in range(6)]))):
        pass
    async with tables.begin(APP) as tx:
        feed = await tx.events.after(None, types=(), limit=1000)
    assert [event.position for event in feed] == list(range(1, 251))
    assert [event.sequence for event in feed] == list(range(1, 251))


async def test_who_reads_on_misses_nothing_that_was_written_early_and_committed_late(
    tables: Tables,
):
    async with tables.begin(APP) as slow:
        await slow.outbox.append(an_event("bill.issued", aggregate_uuid=OTHER_SESSION))
        await happened(tables, "bill.paid")
        (quick,) = await publisher(tables)(APP)
        assert await read(tables) == ["bill.paid"]
    await publisher(tables)(APP)
    assert await read(tables, quick.uuid) == ["bill.issued"]


async def test_an_event_in_the_future_of_a_test_clock_is_published_now(tables: Tables):
    async with tables.begin(APP) as tx:
        await tx.outbox.append(an_event(at=NOON + timedelta(days=9000)))
    soon = SystemClock().now() + timedelta(minutes=1)
    assert await PostgresDirectory(tables).apps_with_due_work(soon) == (APP,)
    assert len(await publisher(tables)(APP)) == 1


async def test_a_line_has_one_first_whatever_the_program_does(tables: Tables, clean_database: str):
    async with tables.begin(APP) as tx:
        await tx.webhook_endpoints.add(an_endpoint())
    await happened(tables, "payment.paid", "payment.paid")
    await publisher(tables)(APP)
    owner = await asyncpg.connect(clean_database)
    try:
        with pytest.raises(asyncpg.UniqueViolationError):
            await owner.execute("update webhook_deliveries set due_at = now()")
    finally:
        await owner.close()


async def test_publishing_and_settling_at_once_leave_every_line_with_a_first(tables: Tables):
    endpoint = an_endpoint()
    async with tables.begin(APP) as tx:
        await tx.webhook_endpoints.add(endpoint)

    arrived: list[object] = []

    async def settle_one() -> bool:
        async with tables.begin(APP) as tx:
            found = await tx.webhook_deliveries.claim(
                {endpoint.uuid: 1}, now=NOON, until=NOON + LEASE
            )
        for delivery, event in found:
            async with tables.begin(APP) as tx:
                await tx.webhook_endpoints.get_for_update(endpoint.uuid)
                arrived.append(event.facts["number"])
                await tx.webhook_deliveries.settle(delivery, DeliveryStatus.DELIVERED, at=NOON)
        return bool(found)

    async def publish(number: int) -> None:
        async with tables.begin(APP) as tx:
            await tx.outbox.append(an_event(facts={"number": number}))
        await publisher(tables)(APP)

    for number in range(40):
        await asyncio.gather(publish(number), settle_one(), settle_one())
    while await settle_one():
        pass
    assert arrived == list(range(40))


async def test_many_couriers_claim_nothing_twice(tables: Tables):
    endpoint = an_endpoint()
    async with tables.begin(APP) as tx:
        await tx.webhook_endpoints.add(endpoint)
        await tx.outbox.append(*[an_event(aggregate_uuid=a_uuid(900 + n)) for n in range(60)])
    await publisher(tables)(APP)

    async def claim() -> list[object]:
        async with tables.begin(APP) as tx:
            rooms = {endpoint.uuid: 4}
            found = await tx.webhook_deliveries.claim(rooms, now=NOON, until=NOON + LEASE)
        return [delivery.uuid for delivery, _ in found]

    claims = [one for round in range(4) for one in await asyncio.gather(claim(), claim())]
    claimed = [uuid for found in claims for uuid in found]
    assert len(claimed) == len(set(claimed)) == 32


async def test_the_directory_names_the_apps_with_something_to_send(tables: Tables):
    directory = PostgresDirectory(tables)
    async with tables.begin(APP) as tx:
        await tx.webhook_endpoints.add(endpoint := an_endpoint())
    assert await directory.apps_with_due_webhooks(NOON) == ()
    await happened(tables, "payment.paid")
    assert await directory.apps_with_due_work(NOON) == (APP,)
    await publisher(tables)(APP)
    assert await directory.apps_with_due_webhooks(NOON) == (APP,)
    async with tables.begin(APP) as tx:
        await tx.webhook_deliveries.claim({endpoint.uuid: 1}, now=NOON, until=NOON + LEASE)
    assert await directory.apps_with_due_webhooks(NOON) == ()
    assert await directory.apps_with_due_webhooks(NOON + LEASE) == (APP,)
