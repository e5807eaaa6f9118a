"""The catalog and the payment provider accounts in memory, transactions and all.

tests/contract/test_catalog.py and test_accounts.py hold it to what PostgreSQL does.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from copy import copy
from datetime import UTC, datetime
from typing import Final, Self, TypeVar
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from domain.catalog.price import Price
from domain.catalog.product import Product
from domain.catalog.tax_rate import Country, TaxRate
from domain.kernel.errors import Conflict, NotFound, Refused
from domain.kernel.events import Event
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.payment_provider import PaymentProvider, ProviderName
from piccolo_migrations.m0004_countries import COUNTRIES as ISO
from piccolo_migrations.m0004_countries import country_uuid

T = TypeVar("T")

_SINCE: Final = datetime(2026, 1, 1, tzinfo=UTC)


def _country(id: int, line: str) -> Country:
    alpha2, alpha3, name = line.split(" ", 2)
    return Country(
        uuid=country_uuid(alpha2),
        id=id,
        name=name,
        alpha2=alpha2,
        alpha3=alpha3,
        created_at=_SINCE,
        updated_at=_SINCE,
    )


COUNTRIES: Final = tuple(
    _country(id, line) for id, line in enumerate(ISO.strip().splitlines(), start=1)
)


class Rows(Struct):
    """What one app has."""

    products: dict[UUID, Product] = field(default_factory=dict)
    prices: dict[UUID, Price] = field(default_factory=dict)
    tax_rates: dict[UUID, TaxRate] = field(default_factory=dict)
    accounts: dict[UUID, PaymentProvider] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def snapshot(self) -> Self:
        return type(self)(*(copy(getattr(self, name)) for name in self.__struct_fields__))


class FakeOutbox:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def append(self, *events: Event) -> None:
        self._rows.events.extend(events)


class FakeProducts:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, product: Product) -> None:
        self._rows.products[product.uuid] = replace(product, prices=())

    async def get(self, uuid: UUID) -> Product:
        return self._with_prices(_found(self._rows.products, uuid, "product"))

    async def names(self, uuids: Collection[UUID]) -> dict[UUID, str]:
        return {uuid: p.name for uuid, p in self._rows.products.items() if uuid in uuids}

    async def get_for_update(self, uuid: UUID) -> Product:
        return await self.get(uuid)

    async def page(self, request: PageRequest) -> Page[Product]:
        active = [p for p in self._rows.products.values() if p.archived_at is None]
        return _page([self._with_prices(p) for p in _newest_first(active)], request)

    async def save(self, product: Product) -> None:
        images = self._rows.products[product.uuid].images
        self._rows.products[product.uuid] = replace(product, prices=(), images=images)

    async def replace_images(self, product: Product) -> None:
        stored = self._rows.products[product.uuid]
        self._rows.products[product.uuid] = replace(stored, images=product.images)

    def _with_prices(self, product: Product) -> Product:
        return replace(product, prices=tuple(_active_prices(self._rows, product.uuid)))


class FakePrices:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, prices: Sequence[Price]) -> None:
        for price in prices:
            _found(self._rows.products, price.product_uuid, "product")
            self._write(price)

    async def get(self, uuid: UUID) -> Price:
        return _found(self._rows.prices, uuid, "price")

    async def get_for_update(self, uuid: UUID) -> Price:
        return await self.get(uuid)

    async def page(self, product_uuid: UUID, request: PageRequest) -> Page[Price]:
        _found(self._rows.products, product_uuid, "product")
        return _page(_active_prices(self._rows, product_uuid), request)

    async def save(self, price: Price) -> None:
        self._write(price)

    async def archive_all(self, product_uuid: UUID, *, at: datetime) -> Sequence[Price]:
        active = _active_prices(self._rows, product_uuid)
        archived = [replace(p, archived_at=at, updated_at=at) for p in active]
        self._rows.prices.update((p.uuid, p) for p in archived)
        return archived

    def _write(self, price: Price) -> None:
        _check_account(self._rows, price.payment_provider_uuid)
        if price.lookup_key is not None and price.archived_at is None:
            others = (p for p in self._rows.prices.values() if p.uuid != price.uuid)
            if any(p.lookup_key == price.lookup_key and p.archived_at is None for p in others):
                raise Conflict("another active price has this lookupKey")
        self._rows.prices[price.uuid] = price


class FakeTaxRates:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, rate: TaxRate) -> TaxRate:
        _check_account(self._rows, rate.payment_provider_uuid)
        self._rows.tax_rates[rate.uuid] = replace(rate, id=len(self._rows.tax_rates) + 1)
        return self._rows.tax_rates[rate.uuid]

    async def get(self, uuid: UUID) -> TaxRate:
        return _found(self._rows.tax_rates, uuid, "tax rate")

    async def get_for_update(self, uuid: UUID) -> TaxRate:
        return await self.get(uuid)

    async def page(self, request: PageRequest) -> Page[TaxRate]:
        active = [r for r in self._rows.tax_rates.values() if r.deleted_at is None]
        return _page(_newest_first(active), request)

    async def save(self, rate: TaxRate) -> None:
        _check_account(self._rows, rate.payment_provider_uuid)
        self._rows.tax_rates[rate.uuid] = rate

    async def country(self, key: UUID | str) -> Country | None:
        return next((c for c in COUNTRIES if key in (c.uuid, c.alpha2)), None)

    async def countries(self, request: PageRequest) -> Page[Country]:
        return _page(COUNTRIES, request)


class FakePaymentProviders:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, account: PaymentProvider) -> PaymentProvider:
        self._write(replace(account, id=len(self._rows.accounts) + 1))
        return self._rows.accounts[account.uuid]

    async def get(self, uuid: UUID) -> PaymentProvider:
        return _found(self._rows.accounts, uuid, "payment provider")

    async def get_for_update(self, uuid: UUID) -> PaymentProvider:
        return await self.get(uuid)

    async def default(self, name: ProviderName) -> PaymentProvider | None:
        used = (a for a in self._rows.accounts.values() if a.deleted_at is None)
        return next((a for a in used if a.name is name and a.is_default), None)

    async def usual(
        self, tenant_uuid: TenantUuid, mandate_uuid: UUID | None
    ) -> PaymentProvider | None:
        """Nobody has mandates here."""
        used = (a for a in self._rows.accounts.values() if a.deleted_at is None and a.is_default)
        return min(used, key=lambda a: a.uuid, default=None)

    async def page(self, request: PageRequest) -> Page[PaymentProvider]:
        used = [a for a in self._rows.accounts.values() if a.deleted_at is None]
        return _page(_newest_first(used), request)

    async def save(self, account: PaymentProvider) -> None:
        self._write(account)

    async def clear_default(self, name: ProviderName, *, at: datetime) -> None:
        if (account := await self.default(name)) is not None:
            self._write(replace(account, is_default=False, updated_at=at))

    def _write(self, account: PaymentProvider) -> None:
        others = [a for a in self._rows.accounts.values() if a.uuid != account.uuid]
        if account.is_default and any(a.is_default and a.name is account.name for a in others):
            raise Conflict("another account became the default")
        self._rows.accounts[account.uuid] = account


class FakeCatalogTx:
    """A CatalogTx and an AccountsTx."""

    def __init__(self, rows: Rows) -> None:
        self.products = FakeProducts(rows)
        self.prices = FakePrices(rows)
        self.tax_rates = FakeTaxRates(rows)
        self.payment_providers = FakePaymentProviders(rows)
        self.outbox = FakeOutbox(rows)


class FakeCatalog:
    """A unit of work. `rows` is what is committed, by app."""

    def __init__(self) -> None:
        self.rows: dict[AppUuid, Rows] = {}

    @asynccontextmanager
    async def begin(self, app_uuid: AppUuid) -> AsyncIterator[FakeCatalogTx]:
        rows = self.rows.get(app_uuid, Rows()).snapshot()
        yield FakeCatalogTx(rows)
        self.rows[app_uuid] = rows


def _found(table: dict[UUID, T], uuid: UUID, kind: str) -> T:
    if uuid not in table:
        raise NotFound(kind, uuid)
    return table[uuid]


def _page(rows: Sequence[T], request: PageRequest) -> Page[T]:
    return Page(tuple(rows[request.offset : request.offset + request.limit]), len(rows))


def _newest_first(rows: Sequence[T]) -> list[T]:
    return sorted(rows, key=lambda row: row.uuid, reverse=True)  # type: ignore[attr-defined]


def _active_prices(rows: Rows, product_uuid: UUID) -> list[Price]:
    ours = (p for p in rows.prices.values() if p.product_uuid == product_uuid)
    return sorted((p for p in ours if p.archived_at is None), key=lambda price: price.uuid)


def _check_account(rows: Rows, uuid: UUID | None) -> None:
    if uuid is not None and uuid not in rows.accounts:
        raise Refused("no such payment provider", field="paymentProviderUuid")
