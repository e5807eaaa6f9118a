"""A subscription's lock: two who write the same one see each other's work, whole."""

import asyncio
from uuid import UUID

from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.pen import Pen
from domain.subscriptions.renew import next_period
from tests.http.house import CLOCK, IDS, House


async def somebody_waits(house: House) -> bool:
    found: bool = await house.connection.fetchval(
        "select exists (select from pg_locks where not granted)"
    )
    return found


async def test_whoever_waited_for_a_subscription_reads_all_of_it_as_it_has_become(
    subscribed: House,
):
    house, uuid = subscribed, UUID(subscribed.app.ids["subscription"])

    async def read() -> SubscriptionBook:
        async with house.database.begin(house.app.app_uuid) as tx:
            return await tx.subscriptions.book(uuid, lock=True)

    async with house.database.begin(house.app.app_uuid) as tx:
        before = await tx.subscriptions.book(uuid, lock=True)
        waiting = asyncio.create_task(read())
        async with asyncio.timeout(5):
            while not await somebody_waits(house):  # noqa: ASYNC110  # PostgreSQL sets no event
                await asyncio.sleep(0.01)
        pen = Pen(before, IDS, CLOCK.now())
        next_period(pen)
        await tx.subscriptions.save(before, pen.book, pen.history)

    found = await waiting
    assert found.subscription == pen.subscription
    assert found.subscription.current_period.number == 2
    assert [bill.period_number for bill in found.bills] == [2]
