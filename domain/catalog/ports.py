"""What the catalog needs from outside: its rows, in one transaction of one app."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.catalog.price import Price
from domain.catalog.product import Product
from domain.catalog.tax_rate import Country, TaxRate
from domain.kernel.events import Outbox
from domain.kernel.pages import Page, PageRequest


class Products(Protocol):
    """Pages hold the active ones, newest first; the other reads find archived ones too."""

    async def add(self, product: Product) -> None:
        """The product and its images; its prices are for `Prices.add`."""
        ...

    async def get(self, uuid: UUID) -> Product:
        """With its images and active prices. Raises NotFound."""
        ...

    async def names(self, uuids: Collection[UUID]) -> Mapping[UUID, str]:
        """Of those that there are, archived or not."""
        ...

    async def get_for_update(self, uuid: UUID) -> Product:
        """Nobody else can change it, or add a price to it, before this transaction ends."""
        ...

    async def page(self, request: PageRequest) -> Page[Product]: ...

    async def save(self, product: Product) -> None:
        """Everything but its images and prices."""
        ...

    async def replace_images(self, product: Product) -> None:
        """The product's images become those that it has now."""
        ...


class Prices(Protocol):
    async def add(self, prices: Sequence[Price]) -> None:
        """Raises Conflict when an active price has the lookup key of one."""
        ...

    async def get(self, uuid: UUID) -> Price:
        """Archived or not. Raises NotFound."""
        ...

    async def get_for_update(self, uuid: UUID) -> Price: ...

    async def page(self, product_uuid: UUID, request: PageRequest) -> Page[Price]:
        """The active prices of a product, oldest first. NotFound: there is no such product."""
        ...

    async def save(self, price: Price) -> None:
        """What may change of a price. Raises Conflict like `add`."""
        ...

    async def archive_all(self, product_uuid: UUID, *, at: datetime) -> Sequence[Price]:
        """Archive the product's active prices. Returns them, oldest first."""
        ...


class TaxRates(Protocol):
    async def add(self, rate: TaxRate) -> TaxRate:
        """With the id that the database gave it."""
        ...

    async def get(self, uuid: UUID) -> TaxRate:
        """Archived or not. Raises NotFound."""
        ...

    async def get_for_update(self, uuid: UUID) -> TaxRate: ...

    async def page(self, request: PageRequest) -> Page[TaxRate]:
        """The active ones, newest first."""
        ...

    async def save(self, rate: TaxRate) -> None:
        """What may change of a tax rate."""
        ...

    async def country(self, key: UUID | str) -> Country | None:
        """By uuid, or by its two letters."""
        ...

    async def countries(self, request: PageRequest) -> Page[Country]:
        """In the order of their two letters."""
        ...


class CatalogTx(Protocol):
    """The part of a transaction that the catalog's services may touch."""

    @property
    def products(self) -> Products: ...
    @property
    def prices(self) -> Prices: ...
    @property
    def tax_rates(self) -> TaxRates: ...
    @property
    def outbox(self) -> Outbox: ...
