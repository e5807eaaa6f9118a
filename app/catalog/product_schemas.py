"""Products as clients see them: what may be sent, and the row that comes back."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from app.catalog.price_schemas import CreatePriceBody, PriceView
from app.http.bodies import Body
from app.http.envelope import Timestamp, maybe_stamp, stamp
from app.http.fields import ExternalId, Metadata, Url, check_line, check_metadata, check_url
from domain.catalog.product import Product, ProductImage
from domain.catalog.product_service import NewProduct, ProductChange
from domain.kernel.errors import Violation

IMAGES_MAX: Final = 20
PRICES_MAX: Final = 50

Name = Annotated[
    str, Meta(min_length=1, max_length=250, description="What buyers read", examples=["Pro Plan"])
]
Description = Annotated[
    str, Meta(max_length=5000, description="For buyers", examples=["Everything, for one team"])
]
Dimension = Annotated[
    int,
    Meta(ge=0, le=2_147_483_647, description="A whole number in a unit of yours", examples=[0]),
]


class ImageBody(Body, frozen=True, kw_only=True):
    url: Url

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_url(given.get("url"), "url")


class CreateProductBody(Body, frozen=True, kw_only=True):
    """A product, with its prices and images in one go."""

    product_id: ExternalId | None = None
    name: Name
    description: Description | None = None
    shippable: bool = False
    package_dimension_height: Dimension | None = None
    package_dimension_width: Dimension | None = None
    package_dimension_length: Dimension | None = None
    package_dimension_weight: Dimension | None = None
    url: Url | None = None
    metadata: Metadata = field(default_factory=dict)
    prices: list[CreatePriceBody] = field(default_factory=list)
    images: list[ImageBody] = field(default_factory=list)

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("name"), "name")
        yield from check_url(given.get("url"), "url")
        yield from check_metadata(given.get("metadata"))
        yield from _check_images(given.get("images"))
        prices: list[CreatePriceBody] = given.get("prices") or []
        if len(prices) > PRICES_MAX:
            yield Violation(f"must be {PRICES_MAX} at most; add the rest one by one", "prices")
        seen: set[str] = set()
        for index, price in enumerate(prices):
            if price.lookup_key in seen:
                yield Violation("another price has it too", f"prices[{index}].lookupKey")
            seen.update(filter(None, [price.lookup_key]))

    def new(self) -> NewProduct:
        return NewProduct(
            product_id=self.product_id,
            name=self.name,
            description=self.description,
            shippable=self.shippable,
            package_dimension_height=self.package_dimension_height,
            package_dimension_width=self.package_dimension_width,
            package_dimension_length=self.package_dimension_length,
            package_dimension_weight=self.package_dimension_weight,
            url=self.url,
            metadata=self.metadata,
            image_urls=tuple(image.url for image in self.images),
            prices=tuple(price.new() for price in self.prices),
        )


class UpdateProductBody(Body, frozen=True, kw_only=True):
    """Send what is to change. `images` takes the place of all that were there."""

    product_id: ExternalId | UnsetType | None = UNSET
    name: Name | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    shippable: bool | UnsetType = UNSET
    package_dimension_height: Dimension | UnsetType | None = UNSET
    package_dimension_width: Dimension | UnsetType | None = UNSET
    package_dimension_length: Dimension | UnsetType | None = UNSET
    package_dimension_weight: Dimension | UnsetType | None = UNSET
    url: Url | UnsetType | None = UNSET
    metadata: Metadata | UnsetType = UNSET
    images: list[ImageBody] | UnsetType = UNSET

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("name"), "name")
        yield from check_url(given.get("url"), "url")
        yield from check_metadata(given.get("metadata"))
        yield from _check_images(given.get("images"))

    def change(self) -> ProductChange:
        images = self.images
        return ProductChange(
            product_id=self.product_id,
            name=self.name,
            description=self.description,
            shippable=self.shippable,
            package_dimension_height=self.package_dimension_height,
            package_dimension_width=self.package_dimension_width,
            package_dimension_length=self.package_dimension_length,
            package_dimension_weight=self.package_dimension_weight,
            url=self.url,
            metadata=self.metadata,
            image_urls=images if images is UNSET else tuple(image.url for image in images),
        )


def _check_images(images: object) -> Iterator[Violation]:
    if not isinstance(images, list):
        return
    if len(images) > IMAGES_MAX:
        yield Violation(f"must be {IMAGES_MAX} at most", "images")


class ProductImageView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    app_uuid: UUID
    product_uuid: UUID
    url: str
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, image: ProductImage) -> "ProductImageView":
        return cls(
            uuid=image.uuid,
            app_uuid=image.app_uuid,
            product_uuid=image.product_uuid,
            url=image.url,
            created_at=stamp(image.created_at),
            updated_at=stamp(image.updated_at),
        )


class ProductView(Struct, frozen=True, kw_only=True, rename="camel"):
    """`productPrices` are the active ones, oldest first."""

    uuid: UUID
    app_uuid: UUID
    product_id: str | None
    name: str
    description: str | None
    shippable: bool
    package_dimension_height: int | None
    package_dimension_width: int | None
    package_dimension_length: int | None
    package_dimension_weight: int | None
    url: str | None
    metadata: dict[str, Any]
    created_at: Timestamp
    updated_at: Timestamp
    archived_at: Timestamp | None
    product_images: list[ProductImageView]
    product_prices: list[PriceView]

    @classmethod
    def of(cls, product: Product) -> "ProductView":
        return cls(
            uuid=product.uuid,
            app_uuid=product.app_uuid,
            product_id=product.product_id,
            name=product.name,
            description=product.description,
            shippable=product.shippable,
            package_dimension_height=product.package_dimension_height,
            package_dimension_width=product.package_dimension_width,
            package_dimension_length=product.package_dimension_length,
            package_dimension_weight=product.package_dimension_weight,
            url=product.url,
            metadata=dict(product.metadata),
            created_at=stamp(product.created_at),
            updated_at=stamp(product.updated_at),
            archived_at=maybe_stamp(product.archived_at),
            product_images=[ProductImageView.of(image) for image in product.images],
            product_prices=[PriceView.of(price) for price in product.prices],
        )
