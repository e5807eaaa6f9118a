"""A tax rate: a percentage that a country asks for, on top of a price or inside it.

Percentage, inclusiveness and country never change: they are on invoices. A new rate is a new row.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.catalog.quote import Tax
from domain.kernel.errors import Conflict
from domain.kernel.events import Event
from domain.kernel.ids import AppUuid
from domain.kernel.percent import Percent


class Country(Struct, frozen=True, kw_only=True):
    """ISO 3166-1. The same for all apps."""

    uuid: UUID
    id: int
    name: str
    alpha2: str
    alpha3: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


class TaxRate(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    id: int = 0
    """Given by the database; 0 before."""
    tax_rate_id: str | None = None
    """The app's own name for it, or a provider's."""
    payment_provider_uuid: UUID | None = None
    country: Country
    name: str
    percentage: Percent
    inclusive: bool
    state: str | None = None
    jurisdiction: str | None = None
    description: str | None = None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def tax(self) -> Tax:
        return Tax(self.percentage, self.inclusive, self.country.alpha2)

    def need_active(self) -> None:
        if self.deleted_at is not None:
            raise Conflict("the tax rate is archived")


def archive(rate: TaxRate, *, at: datetime) -> TaxRate:
    """An archived rate is left as it is."""
    if rate.deleted_at is not None:
        return rate
    return replace(rate, deleted_at=at, updated_at=at)


def tax_rate_event(what: str, rate: TaxRate, *, at: datetime) -> Event:
    facts = {
        "taxRateUuid": str(rate.uuid),
        "country": rate.country.alpha2,
        "percentage": str(rate.percentage.decimal()),
        "inclusive": rate.inclusive,
    }
    return Event(type=f"tax_rate.{what}", aggregate_uuid=rate.uuid, at=at, facts=facts)
