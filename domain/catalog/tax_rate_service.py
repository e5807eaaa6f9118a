"""Tax rates and the countries that they are for."""

from dataclasses import dataclass
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.catalog.ports import CatalogTx
from domain.catalog.tax_rate import Country, TaxRate, archive, tax_rate_event
from domain.kernel.change import given, refuse_change
from domain.kernel.clock import Clock
from domain.kernel.errors import Refused
from domain.kernel.ids import Ids
from domain.kernel.pages import Page, PageRequest
from domain.kernel.percent import Percent
from domain.tenancy.caller import Actor, Scope


class NewTaxRate(Struct, frozen=True, kw_only=True):
    country: UUID | str
    """Its uuid, or its two letters."""
    tax_rate_id: str | None = None
    payment_provider_uuid: UUID | None = None
    name: str
    percentage: Percent
    inclusive: bool
    state: str | None = None
    jurisdiction: str | None = None
    description: str | None = None


class TaxRateFacts(Struct, frozen=True, kw_only=True):
    """What never changes, as a caller may repeat it."""

    percentage: Percent | UnsetType = UNSET
    inclusive: bool | UnsetType = UNSET
    country_uuid: UUID | UnsetType = UNSET
    country_code: str | UnsetType = UNSET


class TaxRateChange(Struct, frozen=True, kw_only=True):
    tax_rate_id: str | UnsetType | None = UNSET
    payment_provider_uuid: UUID | UnsetType | None = UNSET
    name: str | UnsetType = UNSET
    state: str | UnsetType | None = UNSET
    jurisdiction: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET


class TaxRateEdit(Struct, frozen=True, kw_only=True):
    """A change to a tax rate, together with the facts that it claims about it."""

    facts: TaxRateFacts = TaxRateFacts()
    change: TaxRateChange = TaxRateChange()


def refuse_other_facts(rate: TaxRate, claimed: TaxRateFacts) -> None:
    """Raises Refused, naming the first field that is not what the rate has."""
    refuse_change(
        (
            ("percentage", rate.percentage, claimed.percentage),
            ("inclusive", rate.inclusive, claimed.inclusive),
            ("countryUuid", rate.country.uuid, claimed.country_uuid),
            ("countryCode", rate.country.alpha2, claimed.country_code),
        )
    )


@dataclass(frozen=True, slots=True)
class TaxRateService:
    clock: Clock
    ids: Ids

    async def create(self, tx: CatalogTx, actor: Actor, new: NewTaxRate) -> TaxRate:
        actor.need(Scope.CATALOG_WRITE)
        facts = given(new)
        country = await tx.tax_rates.country(facts.pop("country"))
        if country is None:
            field = "countryUuid" if isinstance(new.country, UUID) else "countryCode"
            raise Refused("no such country", field=field)
        now = self.clock.now()
        rate = await tx.tax_rates.add(
            TaxRate(
                uuid=self.ids.new(),
                app_uuid=actor.app_uuid,
                country=country,
                created_at=now,
                updated_at=now,
                **facts,
            )
        )
        await tx.outbox.append(tax_rate_event("created", rate, at=now))
        return rate

    async def get(self, tx: CatalogTx, actor: Actor, uuid: UUID) -> TaxRate:
        """Archived ones too: somebody may have paid it."""
        return await tx.tax_rates.get(uuid)

    async def page(self, tx: CatalogTx, actor: Actor, request: PageRequest) -> Page[TaxRate]:
        return await tx.tax_rates.page(request)

    async def countries(self, tx: CatalogTx, actor: Actor, request: PageRequest) -> Page[Country]:
        return await tx.tax_rates.countries(request)

    async def update(self, tx: CatalogTx, actor: Actor, uuid: UUID, edit: TaxRateEdit) -> TaxRate:
        actor.need(Scope.CATALOG_WRITE)
        before = await tx.tax_rates.get_for_update(uuid)
        before.need_active()
        refuse_other_facts(before, edit.facts)
        after = replace(before, **given(edit.change))
        if after == before:
            return before
        now = self.clock.now()
        after = replace(after, updated_at=now)
        await tx.tax_rates.save(after)
        await tx.outbox.append(tax_rate_event("updated", after, at=now))
        return after

    async def archive(self, tx: CatalogTx, actor: Actor, uuid: UUID) -> TaxRate:
        """It applies to nothing new. The second time nothing happens."""
        actor.need(Scope.CATALOG_WRITE)
        before = await tx.tax_rates.get_for_update(uuid)
        now = self.clock.now()
        after = archive(before, at=now)
        if after is before:
            return before
        await tx.tax_rates.save(after)
        await tx.outbox.append(tax_rate_event("archived", after, at=now))
        return after
