"""Prices: what they cost is final, everything else is not."""

from datetime import timedelta

import pytest

from domain.catalog.price import Interval, Price, Recurrence
from domain.catalog.price_service import (
    NewPrice,
    PriceChange,
    PriceEdit,
    PriceFacts,
    PriceService,
)
from domain.kernel.errors import Conflict, Forbidden, NotFound, Refused
from domain.kernel.pages import PageRequest
from domain.tenancy.caller import Scope
from tests.fakes.catalog import FakeCatalog
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.make import APP, MONTHLY, a_price, a_product, an_actor, money

EDITOR = an_actor(Scope.CATALOG_WRITE)
READER = an_actor()
CLOCK = FakeClock(NOON + timedelta(hours=1))
PRICES = PriceService(CLOCK, FakeIds())
PRODUCT = a_product()
SAME_FACTS = PriceFacts(
    unit_amount=9_99,
    currency="EUR",
    recurring=True,
    recurring_interval=Interval.MONTH,
    recurring_interval_count=1,
)


async def a_catalog(*prices: Price) -> FakeCatalog:
    catalog = FakeCatalog()
    async with catalog.begin(APP) as tx:
        await tx.products.add(PRODUCT)
        await tx.prices.add(prices)
    return catalog


def types(catalog: FakeCatalog) -> list[str]:
    return [event.type for event in catalog.rows[APP].events]


async def test_a_price_is_added_to_a_product():
    catalog = await a_catalog()
    new = NewPrice(unit_amount=money(9_99), recurring=MONTHLY, trial_days=14, lookup_key="pro")
    async with catalog.begin(APP) as tx:
        made = await PRICES.create(tx, EDITOR, PRODUCT.uuid, new)
        assert await PRICES.get(tx, READER, made.uuid) == made
        assert (await PRICES.page(tx, READER, PRODUCT.uuid, PageRequest())).items == (made,)
    assert (made.product_uuid, made.unit_amount, made.recurring, made.trial_days) == (
        PRODUCT.uuid,
        money(9_99),
        MONTHLY,
        14,
    )
    assert types(catalog) == ["price.created"]


async def test_an_archived_product_gets_no_new_price():
    catalog, product = FakeCatalog(), a_product(archived_at=NOON)
    async with catalog.begin(APP) as tx:
        await tx.products.add(product)
        with pytest.raises(Conflict, match="product is archived"):
            await PRICES.create(tx, EDITOR, product.uuid, NewPrice(unit_amount=money(1)))


async def test_a_product_that_is_not_there_gets_no_price():
    async with FakeCatalog().begin(APP) as tx:
        with pytest.raises(NotFound):
            await PRICES.create(tx, EDITOR, PRODUCT.uuid, NewPrice(unit_amount=money(1)))
        with pytest.raises(NotFound):
            await PRICES.page(tx, READER, PRODUCT.uuid, PageRequest())


async def test_only_who_may_write_the_catalog_changes_prices():
    price = a_price(PRODUCT)
    catalog = await a_catalog(price)
    async with catalog.begin(APP) as tx:
        with pytest.raises(Forbidden):
            await PRICES.create(tx, READER, PRODUCT.uuid, NewPrice(unit_amount=money(1)))
        with pytest.raises(Forbidden):
            await PRICES.update(tx, READER, price.uuid, PriceEdit())
        with pytest.raises(Forbidden):
            await PRICES.archive(tx, READER, price.uuid)


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("unitAmount", PriceFacts(unit_amount=10_00)),
        ("currency", PriceFacts(currency="USD")),
        ("recurring", PriceFacts(recurring=False)),
        ("recurringInterval", PriceFacts(recurring_interval=Interval.YEAR)),
        ("recurringInterval", PriceFacts(recurring_interval=None)),
        ("recurringIntervalCount", PriceFacts(recurring_interval_count=2)),
    ],
)
async def test_what_a_price_costs_never_changes(field: str, facts: PriceFacts):
    price = a_price(PRODUCT, recurring=Recurrence(Interval.MONTH))
    catalog = await a_catalog(price)
    with pytest.raises(Refused, match="never changes") as caught:
        async with catalog.begin(APP) as tx:
            edit = PriceEdit(facts=facts, change=PriceChange(nickname="cheap"))
            await PRICES.update(tx, EDITOR, price.uuid, edit)
    assert caught.value.field == field
    assert catalog.rows[APP].prices[price.uuid] == price


async def test_sending_what_a_price_costs_once_more_is_fine():
    price = a_price(PRODUCT, recurring=MONTHLY)
    catalog = await a_catalog(price)
    async with catalog.begin(APP) as tx:
        edit = PriceEdit(facts=SAME_FACTS, change=PriceChange(nickname="Monthly"))
        after = await PRICES.update(tx, EDITOR, price.uuid, edit)
    assert after.nickname == "Monthly"
    assert after.updated_at == CLOCK.now()
    assert types(catalog) == ["price.updated"]


async def test_a_price_for_once_has_no_interval_to_repeat():
    price = a_price(PRODUCT)
    catalog = await a_catalog(price)
    facts = PriceFacts(recurring=False, recurring_interval=None, recurring_interval_count=None)
    async with catalog.begin(APP) as tx:
        assert await PRICES.update(tx, EDITOR, price.uuid, PriceEdit(facts=facts)) == price
    assert types(catalog) == []


async def test_a_price_for_once_gets_no_trial():
    price = a_price(PRODUCT)
    catalog = await a_catalog(price)
    async with catalog.begin(APP) as tx:
        with pytest.raises(Refused) as caught:
            edit = PriceEdit(change=PriceChange(trial_days=7))
            await PRICES.update(tx, EDITOR, price.uuid, edit)
    assert caught.value.field == "trialDays"


async def test_two_active_prices_never_share_a_lookup_key():
    price = a_price(PRODUCT, lookup_key="pro")
    catalog = await a_catalog(price)
    new = NewPrice(unit_amount=money(12_00), lookup_key="pro")
    with pytest.raises(Conflict, match="lookupKey"):
        async with catalog.begin(APP) as tx:
            await PRICES.create(tx, EDITOR, PRODUCT.uuid, new)
    async with catalog.begin(APP) as tx:
        await PRICES.archive(tx, EDITOR, price.uuid)
        successor = await PRICES.create(tx, EDITOR, PRODUCT.uuid, new)
    assert successor.lookup_key == "pro"


async def test_an_archived_price_stays_readable_and_does_not_change():
    price = a_price(PRODUCT)
    catalog = await a_catalog(price)
    async with catalog.begin(APP) as tx:
        archived = await PRICES.archive(tx, EDITOR, price.uuid)
        assert await PRICES.get(tx, READER, price.uuid) == archived
        assert (await PRICES.page(tx, READER, PRODUCT.uuid, PageRequest())).total == 0
        with pytest.raises(Conflict, match="archived"):
            await PRICES.update(tx, EDITOR, price.uuid, PriceEdit())
        assert await PRICES.archive(tx, EDITOR, price.uuid) == archived
    assert archived.archived_at == CLOCK.now()
    assert types(catalog) == ["price.archived"]
