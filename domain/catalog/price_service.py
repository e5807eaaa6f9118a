"""Prices: added to a product, looked up for ever, never changed in what they cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.catalog.ports import CatalogTx
from domain.catalog.price import Interval, Price, Recurrence, archive, price_event
from domain.catalog.product import Product
from domain.kernel.change import given, refuse_change
from domain.kernel.clock import Clock
from domain.kernel.errors import Refused
from domain.kernel.ids import Ids
from domain.kernel.money import Money
from domain.kernel.pages import Page, PageRequest
from domain.tenancy.caller import Actor, Scope


class NewPrice(Struct, frozen=True, kw_only=True):
    payment_provider_uuid: UUID | None = None
    product_price_id: str | None = None
    unit_amount: Money
    recurring: Recurrence | None = None
    trial_days: int = 0
    nickname: str | None = None
    lookup_key: str | None = None
    metadata: Mapping[str, object] = {}


class PriceFacts(Struct, frozen=True, kw_only=True):
    """What never changes, as a caller may repeat it."""

    unit_amount: int | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    recurring: bool | UnsetType = UNSET
    recurring_interval: Interval | UnsetType | None = UNSET
    recurring_interval_count: int | UnsetType | None = UNSET


class PriceChange(Struct, frozen=True, kw_only=True):
    payment_provider_uuid: UUID | UnsetType | None = UNSET
    product_price_id: str | UnsetType | None = UNSET
    trial_days: int | UnsetType = UNSET
    nickname: str | UnsetType | None = UNSET
    lookup_key: str | UnsetType | None = UNSET
    metadata: Mapping[str, object] | UnsetType = UNSET


class PriceEdit(Struct, frozen=True, kw_only=True):
    """A change to a price, together with the facts that it claims about it."""

    facts: PriceFacts = PriceFacts()
    change: PriceChange = PriceChange()


def price_from(new: NewPrice, product: Product, *, uuid: UUID, at: datetime) -> Price:
    return Price(
        uuid=uuid,
        app_uuid=product.app_uuid,
        product_uuid=product.uuid,
        created_at=at,
        updated_at=at,
        **given(new),
    )


def refuse_other_facts(price: Price, claimed: PriceFacts) -> None:
    """Raises Refused, naming the first field that is not what the price has."""
    every = price.recurring
    refuse_change(
        (
            ("unitAmount", price.unit_amount.minor, claimed.unit_amount),
            ("currency", price.unit_amount.currency, claimed.currency),
            ("recurring", every is not None, claimed.recurring),
            ("recurringInterval", every and every.interval, claimed.recurring_interval),
            ("recurringIntervalCount", every and every.count, claimed.recurring_interval_count),
        )
    )


@dataclass(frozen=True, slots=True)
class PriceService:
    clock: Clock
    ids: Ids

    async def create(self, tx: CatalogTx, actor: Actor, product_uuid: UUID, new: NewPrice) -> Price:
        actor.need(Scope.CATALOG_WRITE)
        # The product is held, so that it cannot be archived before its new price is there.
        product = await tx.products.get_for_update(product_uuid)
        product.need_active()
        now = self.clock.now()
        price = price_from(new, product, uuid=self.ids.new(), at=now)
        await tx.prices.add([price])
        await tx.outbox.append(price_event("created", price, at=now))
        return price

    async def get(self, tx: CatalogTx, actor: Actor, uuid: UUID) -> Price:
        """Archived ones too: somebody may have bought at it."""
        return await tx.prices.get(uuid)

    async def page(
        self, tx: CatalogTx, actor: Actor, product_uuid: UUID, request: PageRequest
    ) -> Page[Price]:
        return await tx.prices.page(product_uuid, request)

    async def update(self, tx: CatalogTx, actor: Actor, uuid: UUID, edit: PriceEdit) -> Price:
        actor.need(Scope.CATALOG_WRITE)
        before = await tx.prices.get_for_update(uuid)
        before.need_active()
        refuse_other_facts(before, edit.facts)
        after = replace(before, **given(edit.change))
        if after == before:
            return before
        if after.trial_days and after.recurring is None:
            raise Refused("only a recurring price has a trial", field="trialDays")
        now = self.clock.now()
        after = replace(after, updated_at=now)
        await tx.prices.save(after)
        await tx.outbox.append(price_event("updated", after, at=now))
        return after

    async def archive(self, tx: CatalogTx, actor: Actor, uuid: UUID) -> Price:
        """Nobody buys at it any more. The second time nothing happens."""
        actor.need(Scope.CATALOG_WRITE)
        before = await tx.prices.get_for_update(uuid)
        now = self.clock.now()
        after = archive(before, at=now)
        if after is before:
            return before
        await tx.prices.save(after)
        await tx.outbox.append(price_event("archived", after, at=now))
        return after
