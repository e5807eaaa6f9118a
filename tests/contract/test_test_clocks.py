"""Test clocks, and what is due by them: what the fake does, PostgreSQL does too."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from asyncpg import PostgresError
from msgspec.structs import replace

from domain.kernel.errors import NotFound
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import PageRequest
from domain.payments.answers import PaymentStatus, SequenceType
from domain.payments.attempt import AttemptStatus
from domain.subscriptions import test_clock
from domain.subscriptions.bill import BillStatus, closed
from domain.subscriptions.subscription import SubscriptionStatus
from tests.contract.shelf import Store, added, book_of, open_shelf, saved
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.make import APP, OTHER_APP, a_tenant, a_uuid
from tests.make_checkout import ACCOUNT, PRICE, a_payment, an_attempt
from tests.make_subscriptions import a_bill, a_subscription, a_subscription_book

IDS: Final = FakeIds(series=21)
CLOCK: Final = a_uuid(91)
ON_IT: Final = TenantUuid(a_uuid(93))
FIRST: Final = a_uuid(94)
HOUR: Final = timedelta(hours=1)
LEASED: Final = NOON + HOUR


def a_clock(**said: Any) -> test_clock.TestClock:
    usual = {"uuid": CLOCK, "app_uuid": APP, "now": NOON, "created_at": NOON, "updated_at": NOON}
    return test_clock.TestClock(**usual | said)


@pytest.fixture(params=["fake", "postgres"])
async def store(request: pytest.FixtureRequest, clean_database: str) -> AsyncIterator[Store]:
    async with open_shelf(request.param, clean_database) as opened:
        async with opened.begin(APP) as tx:
            await tx.test_clocks.add(a_clock())
            await tx.tenants.add(a_tenant(uuid=ON_IT, test_clock_uuid=CLOCK))
        yield opened


async def clock_of(store: Store) -> test_clock.TestClock:
    async with store.begin(APP) as tx:
        return await tx.test_clocks.get(CLOCK)


async def save(store: Store, **said: Any) -> None:
    async with store.begin(APP) as tx:
        await tx.test_clocks.save(a_clock(**said))


async def subscribe(store: Store, uuid: UUID, **said: Any) -> None:
    usual = {"tenant_uuid": ON_IT, "test_clock_uuid": CLOCK, "due_at": NOON + HOUR}
    await added(store, a_subscription_book(a_subscription(uuid=uuid, **usual | said)))


async def test_a_clock_comes_back_as_it_was_saved(store: Store):
    assert await clock_of(store) == a_clock()
    going = a_clock(
        status=test_clock.ClockStatus.ADVANCING,
        now=NOON + HOUR,
        advancing_to=NOON + 2 * HOUR,
        failure="the provider is away",
        due_at=LEASED,
        updated_at=LEASED,
    )
    async with store.begin(APP) as tx:
        locked = await tx.test_clocks.get_for_update(CLOCK)
        await tx.test_clocks.save(replace(going, name="its name stays", created_at=LEASED))
    assert locked == a_clock()
    assert await clock_of(store) == going


async def test_clocks_are_listed_newest_first_and_deleted_ones_are_gone(store: Store):
    newer = a_clock(uuid=a_uuid(95), name="Newer")
    async with store.begin(APP) as tx:
        await tx.test_clocks.add(newer)
        page = await tx.test_clocks.list(PageRequest(0, 1))
        assert (page.items, page.total) == ((newer,), 2)
    await save(store, deleted_at=NOON)
    async with store.begin(APP) as tx:
        page = await tx.test_clocks.list(PageRequest())
        assert (page.items, page.total) == ((newer,), 1)
        for look in (tx.test_clocks.get, tx.test_clocks.get_for_update):
            with pytest.raises(NotFound):
                await look(CLOCK)


async def test_a_clock_of_another_app_is_not_there(store: Store):
    async with store.begin(OTHER_APP) as tx:
        with pytest.raises(NotFound):
            await tx.test_clocks.get(CLOCK)
        assert (await tx.test_clocks.list(PageRequest())).total == 0
        assert await tx.test_clocks.next_due(CLOCK, until=NOON + HOUR) is None
        assert not await tx.test_clocks.has_living_subscriptions(CLOCK)


async def test_a_book_and_the_grounds_of_another_show_what_the_clock_shows(store: Store):
    await subscribe(store, FIRST)
    await save(store, now=NOON + HOUR)
    assert (await book_of(store, FIRST)).clock_now == NOON + HOUR
    async with store.begin(APP) as tx:
        grounds = await tx.subscriptions.grounds(ON_IT, ACCOUNT, (PRICE, None))
    assert grounds.clock == (CLOCK, NOON + HOUR)


async def test_what_is_due_first_by_the_clock_is_found_first(store: Store):
    await subscribe(store, a_uuid(96), due_at=NOON + 2 * HOUR)
    await subscribe(store, FIRST)
    await subscribe(store, a_uuid(97), due_at=None)
    await subscribe(store, a_uuid(98), due_at=NOON, test_clock_uuid=None)  # in real time
    async with store.begin(APP) as tx:
        due = tx.test_clocks.next_due
        assert await due(CLOCK, until=NOON + HOUR - timedelta(seconds=1)) is None
        assert await due(CLOCK, until=NOON + HOUR) == (NOON + HOUR, FIRST)
        assert await due(CLOCK, until=NOON + 5 * HOUR) == (NOON + HOUR, FIRST)


async def test_what_lives_by_a_clock_is_nothing_that_a_worker_claims(store: Store):
    await subscribe(store, FIRST)
    await subscribe(store, a_uuid(98), test_clock_uuid=None)
    async with store.begin(APP) as tx:
        found = await tx.due_work.subscriptions(NOON + 2 * HOUR, NOON + 3 * HOUR)
        await tx.subscriptions.postpone(FIRST, until=NOON + 9 * HOUR)
    assert found == [a_uuid(98)]
    assert (await book_of(store, FIRST)).subscription.due_at == NOON + HOUR


async def test_a_clock_is_claimed_when_it_is_due(store: Store):
    async with store.begin(APP) as tx:
        assert await tx.due_work.test_clocks(NOON, LEASED) == []
    await save(store, due_at=NOON)
    async with store.begin(APP) as tx:
        assert await tx.due_work.test_clocks(NOON, LEASED) == [CLOCK]
    async with store.begin(APP) as tx:
        assert await tx.due_work.test_clocks(NOON, LEASED) == []
    assert (await clock_of(store)).due_at == LEASED


@pytest.mark.parametrize(
    ("due_at", "held", "expected"),
    [
        (NOON + timedelta(seconds=1), None, None),  # it is not so late yet
        (NOON, None, LEASED),
        (NOON, NOON + 3 * HOUR, NOON + 3 * HOUR),  # somebody sees to it
    ],
)
async def test_a_clock_that_is_past_what_is_due_is_woken(
    store: Store, due_at: datetime, held: datetime | None, expected: datetime | None
):
    await save(store, due_at=held)
    async with store.begin(APP) as tx:
        await tx.test_clocks.wake(CLOCK, due_at=due_at, at=LEASED)
    assert (await clock_of(store)).due_at == expected


async def test_charges_that_are_not_decided_are_under_way(store: Store):
    await subscribe(store, FIRST)
    before = await book_of(store, FIRST)
    bill = a_bill(before.subscription)
    attempt = an_attempt(uuid=IDS.new(), checkout_session_uuid=None, bill_uuid=bill.uuid)
    asked = await saved(store, before, before.with_bill(bill).with_attempt(attempt))
    async with store.begin(APP) as tx:
        assert await tx.test_clocks.under_way(CLOCK) == test_clock.UnderWay(
            attempts=(attempt.uuid,)
        )
    payment = a_payment(
        attempt_uuid=attempt.uuid,
        checkout_session_uuid=None,
        bill_uuid=bill.uuid,
        sequence_type=SequenceType.RECURRING,
    )
    accepted = replace(attempt, status=AttemptStatus.ACCEPTED)
    answered = replace(asked.with_attempt(accepted), payments=(payment,))
    answered = await saved(store, asked, answered)
    async with store.begin(APP) as tx:
        found = await tx.test_clocks.under_way(CLOCK)
    assert found.attempts == ()
    assert found.payments == ((payment.payment_provider_uuid, payment.provider_ref),)
    failed = replace(payment, status=PaymentStatus.FAILED)
    settled = replace(answered, payments=(failed,))
    settled = settled.with_bill(closed(settled.bills[0], BillStatus.VOID, at=NOON))
    await saved(store, answered, settled)
    async with store.begin(APP) as tx:
        assert await tx.test_clocks.under_way(CLOCK) == test_clock.UnderWay()


async def test_it_is_in_use_while_a_subscription_that_has_not_ended_lives_by_it(store: Store):
    await subscribe(store, a_uuid(96), status=SubscriptionStatus.CANCELED, due_at=None)
    await subscribe(store, a_uuid(97), status=SubscriptionStatus.EXPIRED, due_at=None)
    async with store.begin(APP) as tx:
        assert not await tx.test_clocks.has_living_subscriptions(CLOCK)
    await subscribe(store, FIRST, status=SubscriptionStatus.PAUSED, due_at=None)
    async with store.begin(APP) as tx:
        assert await tx.test_clocks.has_living_subscriptions(CLOCK)


async def test_a_tenants_clock_comes_back_with_it_and_must_be_there(clean_database: str):
    async with open_shelf("postgres", clean_database) as store:
        async with store.begin(APP) as tx:
            assert not await tx.tenants.clock_is_usable(CLOCK)
            await tx.test_clocks.add(a_clock())
            assert await tx.tenants.clock_is_usable(CLOCK)
            on_it = a_tenant(uuid=ON_IT, test_clock_uuid=CLOCK)
            await tx.tenants.add(on_it)
            assert await tx.tenants.get(ON_IT) == on_it
            found = await tx.tenants.list(PageRequest(), only=frozenset({ON_IT}))
            assert found.items == (on_it,)
        await save(store, deleted_at=NOON)
        async with store.begin(APP) as tx:
            assert not await tx.tenants.clock_is_usable(CLOCK)
        with pytest.raises(PostgresError, match="tenants_test_clock_fkey"):
            async with store.begin(APP) as tx:
                await tx.tenants.add(a_tenant(uuid=FIRST, test_clock_uuid=a_uuid(99)))


async def test_a_clock_that_arrives_waits_for_a_subscription_that_is_being_saved(
    clean_database: str,
):
    """Else nobody would see to what that has due."""
    async with open_shelf("postgres", clean_database) as store:
        async with store.begin(APP) as tx:
            await tx.test_clocks.add(a_clock())
        async with store.begin(APP) as saving:
            await saving.test_clocks.wake(CLOCK, due_at=NOON + HOUR, at=NOON)

            async def arrive() -> None:
                async with store.begin(APP) as tx:
                    await tx.test_clocks.get_for_update(CLOCK)

            arriving = asyncio.create_task(arrive())
            await asyncio.wait_for(somebody_waits(clean_database), 5)
            assert not arriving.done()
        await asyncio.wait_for(arriving, 5)


async def somebody_waits(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    waiting = "select exists (select from pg_locks where not granted)"
    try:
        while not await connection.fetchval(waiting):  # noqa: ASYNC110  # a server has no Event
            await asyncio.sleep(0.01)
    finally:
        await connection.close()
