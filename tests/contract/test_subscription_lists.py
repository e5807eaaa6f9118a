"""Subscriptions as lists and as work: what the fake does, PostgreSQL does too."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.kernel.errors import NotFound
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import PageRequest
from domain.subscriptions.subscription import (
    Period,
    Subscription,
    SubscriptionStatus,
)
from tests.contract.shelf import (
    STARTED,
    Store,
    added,
    book_of,
    open_shelf,
    saved,
)
from tests.fakes.clock import NOON
from tests.make import (
    APP,
    OTHER_APP,
    OTHER_TENANT,
    TENANT,
    a_uuid,
    money,
)
from tests.make_ledger import a_quote
from tests.make_subscriptions import (
    SUBSCRIPTION,
    a_bill,
    a_subscription,
    a_subscription_book,
    days_on,
)

LATER: Final = NOON + timedelta(hours=1)


@pytest.fixture(params=["fake", "postgres"])
async def store(request: pytest.FixtureRequest, clean_database: str) -> AsyncIterator[Store]:
    async with open_shelf(request.param, clean_database) as opened:
        yield opened


def numbered(number: int, **said: Any) -> Subscription:
    return a_subscription(**{"uuid": a_uuid(100 + number)} | said)


async def test_subscriptions_are_listed_newest_first(store: Store):
    for number in range(3):
        await added(store, a_subscription_book(numbered(number)))
    theirs = numbered(3, tenant_uuid=OTHER_TENANT, status=SubscriptionStatus.PAST_DUE)
    await added(store, a_subscription_book(theirs))

    async def listed(page: int = 0, limit: int = 20, **which: Any) -> tuple[list[UUID], int]:
        wanted: dict[str, Any] = {"only": None} | which
        async with store.begin(APP) as tx:
            found = await tx.subscriptions.list(PageRequest(page, limit), **wanted)
        return [subscription.uuid for subscription in found.items], found.total

    newest = [a_uuid(103), a_uuid(102), a_uuid(101), a_uuid(100)]
    others, past_due = frozenset({TenantUuid(OTHER_TENANT)}), SubscriptionStatus.PAST_DUE
    assert await listed() == (newest, 4)
    assert await listed(1, 3) == (newest[3:], 4)
    assert await listed(only=others) == (newest[:1], 1)
    assert await listed(only=frozenset()) == ([], 0)
    assert await listed(status=past_due) == (newest[:1], 1)
    assert await listed(status=past_due, only=frozenset({TenantUuid(TENANT)})) == ([], 0)


async def test_periods_bills_and_history_are_read_by_page(store: Store):
    book = await added(store)
    for number in range(2, 5):
        starts_at = days_on(31 * number)
        period = Period(
            number=number,
            starts_at=starts_at,
            ends_at=days_on(31 * number + 31),
            amount=a_quote(1, 0),
        )
        move = replace(STARTED, old_status=SubscriptionStatus.PAST_DUE, reason=f"{number}")
        bill = a_bill(book.subscription, period_number=number)
        book = await saved(store, book, book.with_bill(bill).with_period(period), move)
    async with store.begin(APP) as tx:
        periods = await tx.subscriptions.periods(SUBSCRIPTION, PageRequest(1, 2))
        bills = await tx.subscriptions.bills(SUBSCRIPTION, PageRequest(1, 2))
        history = await tx.subscriptions.history(SUBSCRIPTION, PageRequest(1, 2))
        nothing = await tx.subscriptions.bills(a_uuid(99), PageRequest())
    assert ([p.number for p in periods.items], periods.total) == ([2, 1], 4)
    assert ([b.period_number for b in bills.items], bills.total) == ([2], 3)
    assert ([h.reason for h in history.items], history.total) == (["2", "checked_out"], 4)
    assert (nothing.items, nothing.total) == ((), 0)


async def test_what_is_due_is_handed_out_once_and_can_be_postponed(store: Store):
    await added(store)
    ended = a_subscription(uuid=a_uuid(87), due_at=None, status=SubscriptionStatus.CANCELED)
    await added(store, a_subscription_book(ended))
    due_at = a_subscription().due_at
    assert due_at is not None
    async with store.begin(APP) as tx:
        assert await tx.due_work.subscriptions(due_at - timedelta(seconds=1), LATER) == []
        until = due_at + timedelta(minutes=1)
        assert await tx.due_work.subscriptions(due_at, until) == [SUBSCRIPTION]
        assert await tx.due_work.subscriptions(due_at, until) == []
        await tx.subscriptions.postpone(SUBSCRIPTION, until=due_at)
        assert await tx.due_work.subscriptions(due_at, until) == [SUBSCRIPTION]


async def test_another_apps_subscription_is_not_found(store: Store):
    before = await added(store)
    bill = a_bill(before.subscription)
    await saved(store, before, before.with_bill(bill))
    async with store.begin(OTHER_APP) as tx:
        with pytest.raises(NotFound):
            await tx.subscriptions.get(SUBSCRIPTION)
        with pytest.raises(NotFound):
            await tx.subscriptions.book(SUBSCRIPTION, lock=True)
        assert await tx.subscriptions.of_bill(bill.uuid) is None
        assert await tx.subscriptions.bill(bill.uuid) is None
        for pages in (tx.subscriptions.periods, tx.subscriptions.bills, tx.subscriptions.history):
            assert (await pages(SUBSCRIPTION, PageRequest())).total == 0
        assert (await tx.subscriptions.list(PageRequest(), only=None)).items == ()
        assert await tx.due_work.subscriptions(days_on(100), days_on(100)) == []


async def test_what_fails_in_the_middle_leaves_nothing(store: Store):
    with pytest.raises(ZeroDivisionError):
        async with store.begin(APP) as tx:
            await tx.subscriptions.add(a_subscription_book(), [], opening_balance=money(0))
            raise ZeroDivisionError
    with pytest.raises(NotFound):
        await book_of(store)
