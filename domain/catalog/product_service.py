"""Products: everybody in the app sees them, who may write the catalog changes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.catalog.ports import CatalogTx
from domain.catalog.price import price_event
from domain.catalog.price_service import NewPrice, price_from
from domain.catalog.product import Product, ProductImage, archive, product_event
from domain.kernel.change import given
from domain.kernel.clock import Clock
from domain.kernel.ids import Ids
from domain.kernel.pages import Page, PageRequest
from domain.tenancy.caller import Actor, Scope


class NewProduct(Struct, frozen=True, kw_only=True):
    product_id: str | None = None
    name: str
    description: str | None = None
    shippable: bool = False
    package_dimension_height: int | None = None
    package_dimension_width: int | None = None
    package_dimension_length: int | None = None
    package_dimension_weight: int | None = None
    url: str | None = None
    metadata: Mapping[str, object] = {}
    image_urls: tuple[str, ...] = ()
    prices: tuple[NewPrice, ...] = ()


class ProductChange(Struct, frozen=True, kw_only=True):
    product_id: str | UnsetType | None = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    shippable: bool | UnsetType = UNSET
    package_dimension_height: int | UnsetType | None = UNSET
    package_dimension_width: int | UnsetType | None = UNSET
    package_dimension_length: int | UnsetType | None = UNSET
    package_dimension_weight: int | UnsetType | None = UNSET
    url: str | UnsetType | None = UNSET
    metadata: Mapping[str, object] | UnsetType = UNSET
    image_urls: tuple[str, ...] | UnsetType = UNSET
    """All of them: the list takes the place of the one before."""


@dataclass(frozen=True, slots=True)
class ProductService:
    clock: Clock
    ids: Ids

    async def create(self, tx: CatalogTx, actor: Actor, new: NewProduct) -> Product:
        """The product with its images and prices, all or nothing."""
        actor.need(Scope.CATALOG_WRITE)
        now, uuid = self.clock.now(), self.ids.new()
        facts = given(new)
        image_urls, new_prices = facts.pop("image_urls"), facts.pop("prices")
        product = Product(
            uuid=uuid, app_uuid=actor.app_uuid, created_at=now, updated_at=now, **facts
        )
        prices = tuple(price_from(p, product, uuid=self.ids.new(), at=now) for p in new_prices)
        product = replace(product, images=self._images(product, image_urls), prices=prices)
        await tx.products.add(product)
        await tx.prices.add(prices)
        created = [product_event("created", product, at=now)]
        await tx.outbox.append(*created, *(price_event("created", p, at=now) for p in prices))
        return product

    async def get(self, tx: CatalogTx, actor: Actor, uuid: UUID) -> Product:
        """Archived ones too: somebody may have bought it."""
        return await tx.products.get(uuid)

    async def page(self, tx: CatalogTx, actor: Actor, request: PageRequest) -> Page[Product]:
        return await tx.products.page(request)

    async def update(
        self, tx: CatalogTx, actor: Actor, uuid: UUID, change: ProductChange
    ) -> Product:
        actor.need(Scope.CATALOG_WRITE)
        before = await tx.products.get_for_update(uuid)
        before.need_active()
        now, facts = self.clock.now(), given(change)
        image_urls = facts.pop("image_urls", None)
        after = replace(before, **facts)
        has_new_images = image_urls not in (None, tuple(image.url for image in before.images))
        if has_new_images:
            after = replace(after, images=self._images(after, image_urls))
        if after == before:
            return before
        after = replace(after, updated_at=now)
        await tx.products.save(after)
        if has_new_images:
            await tx.products.replace_images(after)
        await tx.outbox.append(product_event("updated", after, at=now))
        return after

    async def archive(self, tx: CatalogTx, actor: Actor, uuid: UUID) -> Product:
        """Its prices are archived with it. The second time nothing happens."""
        actor.need(Scope.CATALOG_WRITE)
        before = await tx.products.get_for_update(uuid)
        now = self.clock.now()
        after = archive(before, at=now)
        if after is before:
            return before
        await tx.products.save(after)
        prices = await tx.prices.archive_all(uuid, at=now)
        ended = [price_event("archived", price, at=now) for price in prices]
        await tx.outbox.append(*ended, product_event("archived", after, at=now))
        return after

    def _images(self, product: Product, urls: tuple[str, ...]) -> tuple[ProductImage, ...]:
        now = self.clock.now()
        return tuple(
            ProductImage(
                uuid=self.ids.new(),
                app_uuid=product.app_uuid,
                product_uuid=product.uuid,
                url=url,
                created_at=now,
                updated_at=now,
            )
            for url in urls
        )
