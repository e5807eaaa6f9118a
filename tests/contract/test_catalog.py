"""The catalog's repositories: what the fake does, PostgreSQL does too."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

import pytest
from msgspec.structs import replace

from domain.catalog.price import Interval, Recurrence, archive
from domain.kernel.errors import Conflict, NotFound, Refused
from domain.kernel.ids import AppUuid
from domain.kernel.pages import PageRequest
from domain.kernel.percent import Percent
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.fakes.catalog import COUNTRIES, FakeCatalog, FakeCatalogTx
from tests.fakes.clock import NOON
from tests.make import (
    APP,
    GERMANY,
    MONTHLY,
    OTHER_APP,
    a_price,
    a_product,
    a_tax_rate,
    an_account,
    an_app,
    an_image,
    money,
)

LATER = NOON + timedelta(days=1)


class Catalog(Protocol):
    def begin(
        self, app_uuid: AppUuid
    ) -> AbstractAsyncContextManager[FakeCatalogTx | PostgresTx]: ...


@pytest.fixture(params=["fake", "postgres"])
async def catalog(request: pytest.FixtureRequest, clean_database: str) -> AsyncIterator[Catalog]:
    if request.param == "fake":
        yield FakeCatalog()
        return
    database = Database(clean_database, PostgresTx)
    async with database.open():
        for app_uuid in (APP, OTHER_APP):
            async with database.begin(app_uuid) as tx:
                await tx.apps.add(an_app(app_uuid=app_uuid))
        yield database


async def test_a_product_comes_back_with_images_in_order_and_prices_oldest_first(catalog: Catalog):
    bare = a_product(
        product_id="ext_1",
        description="Everything",
        shippable=True,
        package_dimension_height=1,
        package_dimension_width=2,
        package_dimension_length=3,
        package_dimension_weight=4,
        url="https://a.example",
        metadata={"team": "growth", "seats": 5, "tags": ["a", None]},
    )
    images = tuple(an_image(bare, f"https://a.example/{n}.png") for n in (2, 1, 3))
    prices = (
        a_price(
            bare,
            unit_amount=money(99_999_999_99),
            recurring=Recurrence(Interval.DAY, 365),
            trial_days=30,
            nickname="Yearly",
            lookup_key="pro",
            product_price_id="price_1",
            metadata={"n": 1},
        ),
        a_price(bare, unit_amount=money(0, "JPY")),
    )
    product = replace(bare, images=images, prices=prices)
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        await tx.prices.add(prices)
    async with catalog.begin(APP) as tx:
        assert await tx.products.get(product.uuid) == product
        assert await tx.products.get_for_update(product.uuid) == product
        assert (await tx.products.page(PageRequest())).items == (product,)
        for price in prices:
            assert await tx.prices.get(price.uuid) == price
            assert await tx.prices.get_for_update(price.uuid) == price
        assert (await tx.prices.page(product.uuid, PageRequest())).items == prices


async def test_a_product_without_images_and_prices_has_none(catalog: Catalog):
    product = a_product()
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        await tx.prices.add([])
        assert await tx.products.get(product.uuid) == product


async def test_lists_show_the_newest_active_products_and_count_them_all(catalog: Catalog):
    products = [a_product(name=f"Plan {n}") for n in range(5)]
    gone = a_product(archived_at=NOON)
    async with catalog.begin(APP) as tx:
        for product in [*products, gone]:
            await tx.products.add(product)
    async with catalog.begin(APP) as tx:
        pages = [await tx.products.page(PageRequest(n, 2)) for n in range(4)]
        assert (await tx.products.get(gone.uuid)) == gone
    assert [page.total for page in pages] == [5, 5, 5, 5]
    assert [p.name for page in pages for p in page.items] == [f"Plan {n}" for n in (4, 3, 2, 1, 0)]
    assert pages[3].items == ()


async def test_saving_a_product_leaves_its_images_alone(catalog: Catalog):
    bare = a_product()
    product = replace(bare, images=(an_image(bare, "https://a.example/1.png"),))
    after = replace(product, name="Team", metadata={"a": 1}, updated_at=LATER, archived_at=LATER)
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        await tx.products.save(replace(after, images=()))
    async with catalog.begin(APP) as tx:
        assert await tx.products.get(product.uuid) == after


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_images_are_replaced_all_at_once(catalog: Catalog, count: int):
    bare = a_product()
    product = replace(bare, images=(an_image(bare, "https://a.example/old.png"),))
    new = tuple(an_image(bare, f"https://a.example/{n}.png") for n in range(count))
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        await tx.products.replace_images(replace(product, images=new))
        assert (await tx.products.get(product.uuid)).images == new


async def test_another_apps_rows_are_not_there(catalog: Catalog):
    product, rate = a_product(), a_tax_rate()
    price = a_price(product)
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        await tx.prices.add([price])
        await tx.tax_rates.add(rate)
    async with catalog.begin(OTHER_APP) as tx:
        with pytest.raises(NotFound):
            await tx.products.get(product.uuid)
        with pytest.raises(NotFound):
            await tx.products.get_for_update(product.uuid)
        with pytest.raises(NotFound):
            await tx.prices.get(price.uuid)
        with pytest.raises(NotFound):
            await tx.prices.get_for_update(price.uuid)
        with pytest.raises(NotFound):
            await tx.prices.page(product.uuid, PageRequest())
        with pytest.raises(NotFound):
            await tx.tax_rates.get(rate.uuid)
        with pytest.raises(NotFound):
            await tx.tax_rates.get_for_update(rate.uuid)
        assert (await tx.products.page(PageRequest())).total == 0
        assert (await tx.tax_rates.page(PageRequest())).total == 0


async def test_prices_are_listed_oldest_first_and_counted(catalog: Catalog):
    product = a_product()
    prices = [a_price(product, unit_amount=money(n)) for n in range(3)]
    gone = a_price(product, archived_at=NOON)
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        await tx.prices.add([*prices, gone])
        pages = [await tx.prices.page(product.uuid, PageRequest(n, 2)) for n in range(3)]
    assert [page.total for page in pages] == [3, 3, 3]
    assert [price for page in pages for price in page.items] == prices


async def test_what_may_change_of_a_price_is_saved(catalog: Catalog):
    product, account = a_product(), an_account()
    price = a_price(product, recurring=MONTHLY)
    after = replace(
        price,
        payment_provider_uuid=account.uuid,
        product_price_id="price_2",
        trial_days=7,
        nickname="Monthly",
        lookup_key="pro",
        metadata={"b": [1]},
        updated_at=LATER,
        archived_at=LATER,
    )
    async with catalog.begin(APP) as tx:
        await tx.payment_providers.add(account)
        await tx.products.add(product)
        await tx.prices.add([price])
        await tx.prices.save(after)
    async with catalog.begin(APP) as tx:
        assert await tx.prices.get(price.uuid) == after


async def test_archiving_all_prices_of_a_product_tells_which_they_were(catalog: Catalog):
    product, other = a_product(), a_product()
    active = [a_price(product), a_price(product)]
    gone, foreign = a_price(product, archived_at=NOON), a_price(other)
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        await tx.products.add(other)
        await tx.prices.add([*active, gone, foreign])
        archived = await tx.prices.archive_all(product.uuid, at=LATER)
        assert await tx.prices.archive_all(product.uuid, at=LATER) == []
    assert list(archived) == [archive(price, at=LATER) for price in active]
    async with catalog.begin(APP) as tx:
        assert await tx.prices.get(gone.uuid) == gone
        assert await tx.prices.get(foreign.uuid) == foreign


async def test_a_lookup_key_belongs_to_one_active_price(catalog: Catalog):
    product = a_product()
    first, second = a_price(product, lookup_key="pro"), a_price(product, lookup_key="pro")
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        await tx.prices.add([first])
    with pytest.raises(Conflict, match="lookupKey"):
        async with catalog.begin(APP) as tx:
            await tx.prices.add([second])
    async with catalog.begin(APP) as tx:
        await tx.prices.save(archive(first, at=LATER))
        await tx.prices.add([second])
    with pytest.raises(Conflict, match="lookupKey"):
        async with catalog.begin(APP) as tx:
            await tx.prices.save(first)


async def test_what_a_price_refers_to_must_be_there(catalog: Catalog):
    product = a_product()
    with pytest.raises(NotFound):
        async with catalog.begin(APP) as tx:
            await tx.prices.add([a_price(product)])
    with pytest.raises(Refused) as caught:
        async with catalog.begin(APP) as tx:
            await tx.products.add(product)
            await tx.prices.add([a_price(product, payment_provider_uuid=product.uuid)])
    assert caught.value.field == "paymentProviderUuid"


async def test_a_failure_leaves_nothing_behind(catalog: Catalog):
    product = a_product()
    with pytest.raises(ZeroDivisionError):
        async with catalog.begin(APP) as tx:
            await tx.products.add(product)
            raise ZeroDivisionError
    async with catalog.begin(APP) as tx:
        with pytest.raises(NotFound):
            await tx.products.get(product.uuid)


async def test_a_tax_rate_comes_back_with_its_country_and_an_id(catalog: Catalog):
    rate = a_tax_rate(
        tax_rate_id="txr_1",
        percentage=Percent(81_001),
        inclusive=True,
        state="BE",
        jurisdiction="Berlin",
        description="German VAT",
    )
    async with catalog.begin(APP) as tx:
        added = await tx.tax_rates.add(rate)
    async with catalog.begin(APP) as tx:
        assert await tx.tax_rates.get(rate.uuid) == added
        assert await tx.tax_rates.get_for_update(rate.uuid) == added
        assert (await tx.tax_rates.page(PageRequest())).items == (added,)
    assert added.id > 0
    assert replace(added, id=0) == rate


async def test_what_may_change_of_a_tax_rate_is_saved(catalog: Catalog):
    account = an_account()
    async with catalog.begin(APP) as tx:
        await tx.payment_providers.add(account)
        added = await tx.tax_rates.add(a_tax_rate())
        after = replace(
            added,
            tax_rate_id="txr_2",
            payment_provider_uuid=account.uuid,
            name="USt",
            state="BE",
            jurisdiction="Berlin",
            description="German VAT",
            updated_at=LATER,
            deleted_at=LATER,
        )
        await tx.tax_rates.save(after)
    async with catalog.begin(APP) as tx:
        assert await tx.tax_rates.get(added.uuid) == after
        assert (await tx.tax_rates.page(PageRequest())).total == 0


async def test_tax_rates_are_listed_newest_first_and_counted(catalog: Catalog):
    async with catalog.begin(APP) as tx:
        rates = [await tx.tax_rates.add(a_tax_rate(name=f"Rate {n}")) for n in range(3)]
        pages = [await tx.tax_rates.page(PageRequest(n, 2)) for n in range(3)]
    assert [page.total for page in pages] == [3, 3, 3]
    assert [rate for page in pages for rate in page.items] == rates[::-1]


async def test_a_tax_rate_of_an_account_that_is_not_there_is_refused(catalog: Catalog):
    with pytest.raises(Refused) as caught:
        async with catalog.begin(APP) as tx:
            await tx.tax_rates.add(a_tax_rate(payment_provider_uuid=GERMANY.uuid))
    assert caught.value.field == "paymentProviderUuid"


async def test_countries_are_found_by_uuid_and_by_letters(catalog: Catalog):
    async with catalog.begin(APP) as tx:
        assert await tx.tax_rates.country(GERMANY.uuid) == GERMANY
        assert await tx.tax_rates.country("DE") == GERMANY
        assert await tx.tax_rates.country("XX") is None
        assert await tx.tax_rates.country(a_product().uuid) is None


async def test_all_countries_are_listed(catalog: Catalog):
    async with catalog.begin(APP) as tx:
        pages = [await tx.tax_rates.countries(PageRequest(n, 100)) for n in range(4)]
    assert {page.total for page in pages} == {len(COUNTRIES)}
    assert [country for page in pages for country in page.items] == list(COUNTRIES)
