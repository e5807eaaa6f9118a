"""Tax rates: percentage, inclusiveness and country are final."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.catalog.tax_rate_service import (
    NewTaxRate,
    TaxRateChange,
    TaxRateEdit,
    TaxRateFacts,
    TaxRateService,
)
from domain.kernel.errors import Conflict, Forbidden, Refused
from domain.kernel.pages import PageRequest
from domain.kernel.percent import Percent
from domain.tenancy.caller import Scope
from tests.fakes.catalog import FakeCatalog
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.make import APP, GERMANY, a_tax_rate, an_actor

EDITOR = an_actor(Scope.CATALOG_WRITE)
READER = an_actor()
CLOCK = FakeClock(NOON + timedelta(hours=1))
RATES = TaxRateService(CLOCK, FakeIds())
VAT = Percent(190_000)


def types(catalog: FakeCatalog) -> list[str]:
    return [event.type for event in catalog.rows[APP].events]


@pytest.mark.parametrize("country", [GERMANY.uuid, "DE"])
async def test_a_country_is_named_by_uuid_or_by_its_letters(country: UUID | str):
    catalog = FakeCatalog()
    new = NewTaxRate(name="VAT", percentage=VAT, inclusive=False, country=country)
    async with catalog.begin(APP) as tx:
        made = await RATES.create(tx, EDITOR, new)
        assert await RATES.get(tx, READER, made.uuid) == made
    assert (made.country, made.id) == (GERMANY, 1)
    assert types(catalog) == ["tax_rate.created"]


@pytest.mark.parametrize(
    ("country", "field"), [("XX", "countryCode"), (RATES.ids.new(), "countryUuid")]
)
async def test_a_country_that_does_not_exist_is_refused(country: UUID | str, field: str):
    new = NewTaxRate(name="VAT", percentage=VAT, inclusive=False, country=country)
    async with FakeCatalog().begin(APP) as tx:
        with pytest.raises(Refused, match="no such country") as caught:
            await RATES.create(tx, EDITOR, new)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("percentage", TaxRateFacts(percentage=Percent(190_001))),
        ("inclusive", TaxRateFacts(inclusive=True)),
        ("countryUuid", TaxRateFacts(country_uuid=a_tax_rate().uuid)),
        ("countryCode", TaxRateFacts(country_code="NL")),
    ],
)
async def test_what_an_invoice_says_of_a_rate_never_changes(field: str, facts: TaxRateFacts):
    rate = a_tax_rate(percentage=VAT)
    async with FakeCatalog().begin(APP) as tx:
        await tx.tax_rates.add(rate)
        with pytest.raises(Refused, match="never changes") as caught:
            await RATES.update(tx, EDITOR, rate.uuid, TaxRateEdit(facts=facts))
    assert caught.value.field == field


async def test_the_rest_changes_and_the_facts_may_be_repeated():
    catalog, rate = FakeCatalog(), a_tax_rate(percentage=VAT, state="BE")
    facts = TaxRateFacts(
        percentage=VAT, inclusive=False, country_uuid=GERMANY.uuid, country_code="DE"
    )
    async with catalog.begin(APP) as tx:
        before = await tx.tax_rates.add(rate)
        assert await RATES.update(tx, EDITOR, rate.uuid, TaxRateEdit(facts=facts)) == before
        change = TaxRateChange(jurisdiction="Berlin", state=None)
        after = await RATES.update(tx, EDITOR, rate.uuid, TaxRateEdit(facts=facts, change=change))
    assert (after.jurisdiction, after.state, after.name) == ("Berlin", None, rate.name)
    assert types(catalog) == ["tax_rate.updated"]


async def test_an_archived_rate_stays_readable_and_does_not_change():
    catalog, rate = FakeCatalog(), a_tax_rate()
    async with catalog.begin(APP) as tx:
        await tx.tax_rates.add(rate)
        archived = await RATES.archive(tx, EDITOR, rate.uuid)
        assert await RATES.archive(tx, EDITOR, rate.uuid) == archived
        assert await RATES.get(tx, READER, rate.uuid) == archived
        assert (await RATES.page(tx, READER, PageRequest())).total == 0
        with pytest.raises(Conflict, match="archived"):
            await RATES.update(tx, EDITOR, rate.uuid, TaxRateEdit())
    assert archived.deleted_at == CLOCK.now()
    assert types(catalog) == ["tax_rate.archived"]


async def test_only_who_may_write_the_catalog_changes_rates():
    rate = a_tax_rate()
    async with FakeCatalog().begin(APP) as tx:
        await tx.tax_rates.add(rate)
        with pytest.raises(Forbidden):
            new = NewTaxRate(name="VAT", percentage=VAT, inclusive=False, country="DE")
            await RATES.create(tx, READER, new)
        with pytest.raises(Forbidden):
            await RATES.update(tx, READER, rate.uuid, TaxRateEdit())
        with pytest.raises(Forbidden):
            await RATES.archive(tx, READER, rate.uuid)


async def test_everybody_may_look_up_countries():
    async with FakeCatalog().begin(APP) as tx:
        page = await RATES.countries(tx, READER, PageRequest(page=1, limit=100))
    assert (page.total, len(page.items)) == (249, 100)
