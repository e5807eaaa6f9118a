"""The ledger: what the fake does, PostgreSQL does too."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

import pytest
from msgspec.structs import replace

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid
from domain.ledger import rules
from domain.ledger.ports import PostingQuery
from domain.ledger.posting import Account, Posting, PostingKind
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.fakes.checkout import FakeCheckout, FakeCheckoutTx
from tests.fakes.clock import NOON
from tests.make import APP, OTHER_APP, OTHER_TENANT, TENANT, a_tenant, a_uuid, an_app, money
from tests.make_ledger import SOLD, a_fact, a_quote

A, K = Account, PostingKind
DAY = timedelta(days=1)
SALE = rules.sale_made(a_fact(1, facts={"paymentUuid": "p"}), SOLD)
PAID = rules.payment_received(a_fact(2, at=NOON + DAY), settles=SOLD.total, held=money(0))
HELD = rules.payment_received(
    a_fact(3, tenant_uuid=OTHER_TENANT, at=NOON + 2 * DAY), settles=money(0), held=money(100)
)
YEN = rules.sale_made(a_fact(4, at=NOON + 3 * DAY), a_quote(900, 90, "JPY"))


class Books(Protocol):
    def begin(
        self, app_uuid: AppUuid
    ) -> AbstractAsyncContextManager[FakeCheckoutTx | PostgresTx]: ...


@pytest.fixture(params=["fake", "postgres"])
async def books(request: pytest.FixtureRequest, clean_database: str) -> AsyncIterator[Books]:
    if request.param == "fake":
        yield FakeCheckout()
        return
    database = Database(clean_database, PostgresTx)
    async with database.open():
        for app_uuid in (APP, OTHER_APP):
            async with database.begin(app_uuid) as tx:
                await tx.apps.add(an_app(app_uuid=app_uuid))
                for uuid in (TENANT, OTHER_TENANT):
                    await tx.tenants.add(a_tenant(uuid=uuid, app_uuid=app_uuid))
        yield database


async def posted(books: Books, *postings: Posting, app_uuid: AppUuid = APP) -> None:
    async with books.begin(app_uuid) as tx:
        await tx.ledger.append(*postings)


async def found(books: Books, **wanted: object) -> list[Posting]:
    async with books.begin(APP) as tx:
        page = await tx.ledger.list(PostingQuery(**wanted))
    return [row.posting for row in page.items]


async def test_what_is_posted_comes_back_the_oldest_first(books: Books):
    await posted(books, SALE, PAID)
    await posted(books, HELD)
    async with books.begin(APP) as tx:
        page = await tx.ledger.list(PostingQuery())
        assert [row.posting for row in page.items] == [SALE, PAID, HELD]
        assert page.total == 3
        assert len({row.uuid for row in page.items}) == 3
        ids = [row.id for row in page.items]
        assert ids == sorted(set(ids))
        for row in page.items:
            assert await tx.ledger.get(row.uuid, only=None) == row


async def test_a_fact_is_posted_once_however_often_it_is_told(books: Books):
    await posted(books, SALE, PAID, SALE)
    other = rules.sale_made(a_fact(1), a_quote(1, 1))
    await posted(books, SALE, other, HELD)
    assert await found(books) == [SALE, PAID, HELD]


async def test_one_row_may_be_a_fact_of_several_kinds(books: Books):
    made = rules.refund_made(a_fact(5), SOLD)
    failed = rules.refund_failed(made, at=NOON + DAY)
    await posted(books, made)
    await posted(books, failed, PAID)
    async with books.begin(APP) as tx:
        assert await tx.ledger.of(a_uuid(5)) == (made, failed)
        assert await tx.ledger.of(a_uuid(5), a_uuid(2)) == (made, failed, PAID)
        assert await tx.ledger.of() == ()


async def test_what_moves_nothing_is_left_out(books: Books):
    await posted(books)
    await posted(books, rules.bill_issued(a_fact(), a_quote(0, 0)))
    assert await found(books) == []


async def test_lists_are_narrowed_down(books: Books):
    await posted(books, SALE, PAID, HELD, YEN)
    assert await found(books, tenant_uuid=OTHER_TENANT) == [HELD]
    assert await found(books, account=A.CASH) == [PAID, HELD]
    assert await found(books, account=A.WRITE_OFFS) == []
    assert await found(books, kind=K.SALE_MADE) == [SALE, YEN]
    assert await found(books, since=NOON + DAY) == [PAID, HELD, YEN]
    assert await found(books, until=NOON + DAY) == [SALE]
    assert await found(books, tenant_uuid=TENANT, account=A.TAX, since=NOON + DAY) == [YEN]


async def test_pages_go_on_after_the_last_one_read(books: Books):
    await posted(books, SALE, PAID, HELD, YEN)
    async with books.begin(APP) as tx:
        first = await tx.ledger.list(PostingQuery(limit=2))
        assert (len(first.items), first.total) == (2, 4)
        second = await tx.ledger.list(PostingQuery(limit=2, after=first.items[-1].uuid))
        assert [row.posting for row in second.items] == [HELD, YEN]
        assert second.total == 0
        last = await tx.ledger.list(PostingQuery(after=second.items[-1].uuid))
        assert last.items == ()
        with pytest.raises(NotFound):
            await tx.ledger.list(PostingQuery(after=a_uuid(404)))
        with pytest.raises(NotFound):
            theirs = first.items[0].uuid
            await tx.ledger.list(PostingQuery(after=theirs, tenant_uuid=OTHER_TENANT))


async def test_balances_are_by_currency_exact_and_as_of_a_moment(books: Books):
    large = rules.sale_made(a_fact(6), a_quote(9 * 10**18, 10**17))
    await posted(books, SALE, PAID, HELD, YEN, large, replace(large, source_uuid=a_uuid(7)))
    async with books.begin(APP) as tx:
        euro, yen = await tx.ledger.balances(tenant_uuid=None, at=None)
        before = await tx.ledger.balances(tenant_uuid=None, at=NOON - DAY)
        then = await tx.ledger.balances(tenant_uuid=OTHER_TENANT, at=NOON + 2 * DAY)
    assert (euro.currency, yen.currency) == ("EUR", "JPY")
    assert set(euro.amounts) == set(Account)
    assert euro.amounts[A.REVENUE] == -(18 * 10**18 + 999)
    assert euro.amounts[A.CASH] == 1289
    assert sum(euro.amounts.values()) == sum(yen.amounts.values()) == 0
    assert yen.amounts[A.RECEIVABLE] == 990
    assert before == ()
    assert [balance.amounts[A.HELD] for balance in then] == [-100]


async def test_a_posting_is_there_for_its_own_tenants_alone(books: Books):
    await posted(books, SALE)
    async with books.begin(APP) as tx:
        (row,) = (await tx.ledger.list(PostingQuery())).items
        assert await tx.ledger.get(row.uuid, only=frozenset({TENANT})) == row
        for only in (frozenset({OTHER_TENANT}), frozenset()):
            with pytest.raises(NotFound):
                await tx.ledger.get(row.uuid, only=only)


async def test_another_apps_books_are_not_there(books: Books):
    await posted(books, SALE)
    async with books.begin(APP) as tx:
        (row,) = (await tx.ledger.list(PostingQuery())).items
    async with books.begin(OTHER_APP) as tx:
        assert (await tx.ledger.list(PostingQuery())).items == ()
        assert await tx.ledger.balances(tenant_uuid=None, at=None) == ()
        assert await tx.ledger.of(SALE.source_uuid) == ()
        with pytest.raises(NotFound):
            await tx.ledger.get(row.uuid, only=None)
        with pytest.raises(NotFound):
            await tx.ledger.list(PostingQuery(after=row.uuid))
    await posted(books, SALE, app_uuid=OTHER_APP)
    assert await found(books) == [SALE]
