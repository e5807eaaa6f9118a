"""Products: created whole, changed in part, archived with their prices."""

from datetime import timedelta

import pytest

from domain.catalog.price_service import NewPrice
from domain.catalog.product_service import NewProduct, ProductChange, ProductService
from domain.kernel.errors import Conflict, Forbidden, NotFound
from domain.kernel.pages import PageRequest
from domain.tenancy.caller import Scope
from tests.fakes.catalog import FakeCatalog
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.make import APP, MONTHLY, a_price, a_product, an_actor, an_image, money

EDITOR = an_actor(Scope.CATALOG_WRITE)
READER = an_actor()
CLOCK = FakeClock(NOON + timedelta(hours=1))
PRODUCTS = ProductService(CLOCK, FakeIds())
PRO = NewProduct(
    name="Pro Plan",
    image_urls=("https://a.example/1.png", "https://a.example/2.png"),
    prices=(
        NewPrice(unit_amount=money(9_99), recurring=MONTHLY),
        NewPrice(unit_amount=money(1_500, "JPY")),
    ),
)


def types(catalog: FakeCatalog) -> list[str]:
    return [event.type for event in catalog.rows[APP].events]


async def test_a_product_comes_with_its_images_and_prices_in_one_go():
    catalog = FakeCatalog()
    async with catalog.begin(APP) as tx:
        made = await PRODUCTS.create(tx, EDITOR, PRO)
    async with catalog.begin(APP) as tx:
        assert await PRODUCTS.get(tx, READER, made.uuid) == made
    assert [image.url for image in made.images] == list(PRO.image_urls)
    assert [price.unit_amount for price in made.prices] == [money(9_99), money(1_500, "JPY")]
    assert types(catalog) == ["product.created", "price.created", "price.created"]


async def test_only_who_may_write_the_catalog_changes_products():
    catalog, product = FakeCatalog(), a_product()
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
    for actor in (READER, an_actor(Scope.CATALOG_READ, Scope.BILLING_WRITE)):
        async with catalog.begin(APP) as tx:
            with pytest.raises(Forbidden, match="catalog:write"):
                await PRODUCTS.create(tx, actor, PRO)
            with pytest.raises(Forbidden):
                await PRODUCTS.update(tx, actor, product.uuid, ProductChange(name="Mine"))
            with pytest.raises(Forbidden):
                await PRODUCTS.archive(tx, actor, product.uuid)
    assert types(catalog) == []


async def test_what_is_not_sent_stays_as_it_is():
    catalog, product = FakeCatalog(), a_product(description="Everything", url="https://a.example")
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        change = ProductChange(name="Team Plan", url=None)
        after = await PRODUCTS.update(tx, EDITOR, product.uuid, change)
    assert (after.name, after.description, after.url) == ("Team Plan", "Everything", None)
    assert after.updated_at == CLOCK.now()
    assert types(catalog) == ["product.updated"]


async def test_a_change_to_what_is_there_already_says_nothing():
    catalog, product = FakeCatalog(), a_product()
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        change = ProductChange(name=product.name, image_urls=())
        assert await PRODUCTS.update(tx, EDITOR, product.uuid, change) == product
    assert types(catalog) == []


async def test_new_images_take_the_place_of_the_old_ones():
    catalog, product = FakeCatalog(), a_product()
    old = an_image(product, "https://a.example/old.png")
    async with catalog.begin(APP) as tx:
        await tx.products.add(a_product(uuid=product.uuid, images=(old,)))
        change = ProductChange(image_urls=("https://a.example/new.png",))
        await PRODUCTS.update(tx, EDITOR, product.uuid, change)
        after = await PRODUCTS.get(tx, READER, product.uuid)
    assert [image.url for image in after.images] == ["https://a.example/new.png"]
    assert after.updated_at == CLOCK.now()


async def test_archiving_a_product_archives_its_prices():
    catalog, product = FakeCatalog(), a_product()
    price = a_price(product)
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        await tx.prices.add([price])
        archived = await PRODUCTS.archive(tx, EDITOR, product.uuid)
        assert (await tx.prices.get(price.uuid)).archived_at == CLOCK.now()
        assert await PRODUCTS.get(tx, READER, product.uuid) == archived
        assert (await PRODUCTS.page(tx, READER, PageRequest())).items == ()
    assert (archived.archived_at, archived.prices) == (CLOCK.now(), ())
    assert types(catalog) == ["price.archived", "product.archived"]


async def test_archiving_twice_gives_the_same_row_and_says_nothing():
    catalog, product = FakeCatalog(), a_product(archived_at=NOON)
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        assert await PRODUCTS.archive(tx, EDITOR, product.uuid) == product
    assert types(catalog) == []


async def test_an_archived_product_does_not_change():
    catalog, product = FakeCatalog(), a_product(archived_at=NOON)
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        with pytest.raises(Conflict, match="archived"):
            await PRODUCTS.update(tx, EDITOR, product.uuid, ProductChange(name="Again"))


async def test_a_product_that_is_not_there_is_not_found():
    async with FakeCatalog().begin(APP) as tx:
        with pytest.raises(NotFound):
            await PRODUCTS.get(tx, READER, a_product().uuid)
