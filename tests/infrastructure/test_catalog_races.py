"""The catalog and the accounts when two requests meet, on real PostgreSQL; and what lists cost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from msgspec.structs import replace

from domain.catalog.price_service import NewPrice, PriceService
from domain.catalog.product_service import ProductChange, ProductService
from domain.kernel.errors import Conflict
from domain.kernel.pages import PageRequest
from domain.payments.payment_provider import ProviderName
from domain.payments.provider_service import ProviderChange, ProviderService
from domain.tenancy.caller import Scope
from infrastructure.postgres.database import Database
from infrastructure.postgres.products import PostgresProducts
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.providers import CREDENTIALS
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault
from tests.make import APP, a_price, a_product, an_account, an_actor, an_app, an_image, money

CLOCK, IDS = FakeClock(NOON + timedelta(hours=1)), FakeIds(series=9)
PRODUCTS, PRICES = ProductService(CLOCK, IDS), PriceService(CLOCK, IDS)
ACCOUNTS = ProviderService(FakeVault(), CREDENTIALS, CLOCK, IDS)
EDITOR = an_actor(Scope.CATALOG_WRITE, Scope.PROVIDERS_WRITE)


@pytest.fixture
async def database(clean_database: str) -> AsyncIterator[Database[PostgresTx]]:
    database = Database(clean_database, PostgresTx)
    async with database.open():
        async with database.begin(APP) as tx:
            await tx.apps.add(an_app())
        yield database


async def until_somebody_waits(database_url: str) -> None:
    """Bounded: fails when nobody comes to wait for a lock."""
    watcher = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(5):
            waiting = "select count(*) from pg_locks where not granted"
            while not await watcher.fetchval(waiting):  # noqa: ASYNC110  # a server has no Event
                await asyncio.sleep(0.01)
    finally:
        await watcher.close()


async def test_a_price_never_slips_into_a_product_that_is_being_archived(
    database: Database[PostgresTx], clean_database: str
):
    product = a_product()
    async with database.begin(APP) as tx:
        await tx.products.add(product)

    async def add_price() -> None:
        async with database.begin(APP) as tx:
            await PRICES.create(tx, EDITOR, product.uuid, NewPrice(unit_amount=money(1)))

    async with database.begin(APP) as tx:
        await PRODUCTS.archive(tx, EDITOR, product.uuid)
        late = asyncio.create_task(add_price())
        await until_somebody_waits(clean_database)
    with pytest.raises(Conflict, match="archived"):
        await late


async def test_who_waited_for_a_product_sees_what_the_other_made_of_it(
    database: Database[PostgresTx], clean_database: str
):
    product = a_product()
    async with database.begin(APP) as tx:
        await tx.products.add(product)

    async def rename() -> list[str]:
        async with database.begin(APP) as tx:
            change = ProductChange(name="Team")
            after = await PRODUCTS.update(tx, EDITOR, product.uuid, change)
            return [image.url for image in after.images]

    async with database.begin(APP) as tx:
        change = ProductChange(image_urls=("https://a.example/new.png",))
        await PRODUCTS.update(tx, EDITOR, product.uuid, change)
        late = asyncio.create_task(rename())
        await until_somebody_waits(clean_database)
    assert await late == ["https://a.example/new.png"]


async def test_two_accounts_made_the_default_at_once_leave_one_default(
    database: Database[PostgresTx], clean_database: str
):
    old, one, two = an_account(is_default=True), an_account(), an_account()
    async with database.begin(APP) as tx:
        for account in (old, one, two):
            await tx.payment_providers.add(account)

    async def choose_two() -> None:
        async with database.begin(APP) as tx:
            await ACCOUNTS.update(tx, EDITOR, two.uuid, ProviderChange(is_default=True))

    async with database.begin(APP) as tx:
        await ACCOUNTS.update(tx, EDITOR, one.uuid, ProviderChange(is_default=True))
        late = asyncio.create_task(choose_two())
        await until_somebody_waits(clean_database)
    with pytest.raises(Conflict, match="default"):
        await late
    async with database.begin(APP) as tx:
        default = await tx.payment_providers.default(ProviderName.MOLLIE)
    assert default is not None
    assert default.uuid == one.uuid


async def test_a_page_of_products_is_one_statement_however_full(database: Database[PostgresTx]):
    async with database.begin(APP) as tx:
        for _ in range(5):
            bare = a_product()
            await tx.products.add(replace(bare, images=(an_image(bare, "https://a.example"),)))
            await tx.prices.add([a_price(bare), a_price(bare)])
    told: list[str] = []
    async with database.connection() as connection:
        await connection.execute(f"begin; set local kontor.app = '{APP}'")
        with connection.query_logger(lambda record: told.append(record.query)):
            page = await PostgresProducts(connection, APP).page(PageRequest())
        await connection.execute("rollback")
    assert [(len(p.images), len(p.prices)) for p in page.items] == [(1, 2)] * 5
    assert len([query for query in told if "products" in query]) == 1
