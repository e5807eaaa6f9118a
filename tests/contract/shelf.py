"""Where subscriptions are kept, in memory and in PostgreSQL, for the tests of both."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol
from uuid import UUID

from domain.kernel.ids import AppUuid
from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.subscription import (
    HistoryRow,
    SubscriptionStatus,
)
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.fakes.checkout import FakeCheckout, FakeCheckoutTx
from tests.fakes.clock import NOON
from tests.make import (
    APP,
    OTHER_APP,
    OTHER_TENANT,
    TENANT,
    a_price,
    a_product,
    a_tax_rate,
    a_tenant,
    a_uuid,
    an_account,
    an_app,
    money,
)
from tests.make_checkout import ACCOUNT, PRICE, PRODUCT
from tests.make_subscriptions import (
    MONTH,
    SUBSCRIPTION,
    a_subscription_book,
)

OTHER_PRICE: Final = a_uuid(84)
TAX_RATE: Final = a_uuid(85)
PAYMENT: Final = a_uuid(86)
STARTED: Final = HistoryRow(
    old_status=None, new_status=SubscriptionStatus.ACTIVE, reason="checked_out", at=NOON
)


class Store(Protocol):
    def begin(
        self, app_uuid: AppUuid
    ) -> AbstractAsyncContextManager[FakeCheckoutTx | PostgresTx]: ...


@asynccontextmanager
async def open_shelf(kind: str, clean_database: str) -> AsyncIterator[Store]:
    if kind == "fake":
        fake = FakeCheckout()
        await furnish(fake)
        yield fake
        return
    database = Database(clean_database, PostgresTx)
    async with database.open():
        for app_uuid in (APP, OTHER_APP):
            async with database.begin(app_uuid) as tx:
                await tx.apps.add(an_app(app_uuid=app_uuid))
        await furnish(database)
        yield database


async def furnish(store: Store) -> None:
    product = a_product(uuid=PRODUCT)
    async with store.begin(APP) as tx:
        for uuid in (TENANT, OTHER_TENANT):
            await tx.tenants.add(a_tenant(uuid=uuid))
        await tx.payment_providers.add(an_account(uuid=ACCOUNT, is_default=True))
        await tx.products.add(product)
        monthly = a_price(product, uuid=PRICE, recurring=MONTH, trial_days=14)
        await tx.prices.add([monthly, a_price(product, uuid=OTHER_PRICE, recurring=MONTH)])
        await tx.tax_rates.add(a_tax_rate(uuid=TAX_RATE))


async def added(store: Store, book: SubscriptionBook | None = None) -> SubscriptionBook:
    book = book or a_subscription_book()
    async with store.begin(APP) as tx:
        await tx.subscriptions.add(book, [STARTED], opening_balance=money(0))
    return await book_of(store, book.subscription.uuid)


async def book_of(store: Store, uuid: UUID = SUBSCRIPTION, *with_bills: UUID) -> SubscriptionBook:
    async with store.begin(APP) as tx:
        return await tx.subscriptions.book(uuid, lock=True, with_bills=with_bills)


async def saved(
    store: Store, before: SubscriptionBook, after: SubscriptionBook, *moves: HistoryRow
) -> SubscriptionBook:
    async with store.begin(APP) as tx:
        await tx.subscriptions.save(before, after, moves)
    return await book_of(store, after.subscription.uuid, *(bill.uuid for bill in after.bills))
