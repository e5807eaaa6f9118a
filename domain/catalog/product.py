"""A product: what an app sells. It has pictures to show and prices to pay.

Products are archived, never deleted: what was once bought must stay readable.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.catalog.price import Price
from domain.kernel.errors import Conflict
from domain.kernel.events import Event
from domain.kernel.ids import AppUuid


class ProductImage(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    product_uuid: UUID
    url: str
    created_at: datetime
    updated_at: datetime


class Product(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    product_id: str | None = None
    """The app's own name for it, or a provider's."""
    name: str
    description: str | None = None
    shippable: bool = False
    package_dimension_height: int | None = None
    package_dimension_width: int | None = None
    package_dimension_length: int | None = None
    package_dimension_weight: int | None = None
    """Whole numbers, in the units that the app uses."""
    url: str | None = None
    metadata: Mapping[str, object] = {}
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None
    images: tuple[ProductImage, ...] = ()
    """In the order in which the app gave them."""
    prices: tuple[Price, ...] = ()
    """The active ones, oldest first. Archived prices are read one by one."""

    def need_active(self) -> None:
        if self.archived_at is not None:
            raise Conflict("the product is archived")


def archive(product: Product, *, at: datetime) -> Product:
    """Its prices end with it. An archived product is left as it is."""
    if product.archived_at is not None:
        return product
    return replace(product, archived_at=at, updated_at=at, prices=())


def product_event(what: str, product: Product, *, at: datetime) -> Event:
    facts = {"productUuid": str(product.uuid), "productId": product.product_id}
    return Event(type=f"product.{what}", aggregate_uuid=product.uuid, at=at, facts=facts)
