"""Products with their images, in one app and one transaction. A page of them is one statement."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from domain.catalog.product import Product, ProductImage
from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid
from domain.kernel.pages import Page, PageRequest
from infrastructure.postgres.database import Connection
from infrastructure.postgres.prices import price_of

_COLUMNS: Final = """
    uuid, app_uuid, product_id, name, description, shippable, package_dimension_height,
    package_dimension_width, package_dimension_length, package_dimension_weight, url, metadata,
    created_at, updated_at, archived_at
"""

# $1 is the app, `product` the row that they belong to.
_BELONGINGS: Final = """
    left join lateral (
        select jsonb_agg(image order by image.position) as images
          from (
                select uuid, app_uuid, product_uuid, position, url, created_at, updated_at
                  from product_images
                 where app_uuid = $1 and product_uuid = product.uuid
               ) as image
    ) as gallery on true
    left join lateral (
        select jsonb_agg(price order by price.uuid) as prices
          from (
                select uuid, app_uuid, product_uuid, payment_provider_uuid, product_price_id,
                       currency, unit_amount_minor, recurring_interval, recurring_interval_count,
                       trial_days, nickname, lookup_key, metadata, created_at, updated_at,
                       archived_at
                  from prices
                 where app_uuid = $1 and product_uuid = product.uuid and archived_at is null
               ) as price
    ) as price_list on true
"""


class PostgresProducts:
    """Implements `Products`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, product: Product) -> None:
        await self._connection.execute(
            """
            with product as (
                insert into products (
                    app_uuid, uuid, product_id, name, description, shippable,
                    package_dimension_height, package_dimension_width, package_dimension_length,
                    package_dimension_weight, url, metadata, created_at, updated_at, archived_at
                )
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            )
            insert into product_images (
                app_uuid, uuid, product_uuid, position, url, created_at, updated_at
            )
            select $1, image.uuid, $2, image.position, image.url, image.created_at, image.updated_at
              from unnest($16::uuid[], $17::text[], $18::timestamptz[], $19::timestamptz[])
                   with ordinality as image (uuid, url, created_at, updated_at, position)
            """,
            *_values(product),
            product.created_at,
            product.updated_at,
            product.archived_at,
            *_unnested(product.images),
        )

    async def get(self, uuid: UUID) -> Product:
        row = await self._connection.fetchrow(
            f"""
            select product.*, gallery.images, price_list.prices
              from (select {_COLUMNS} from products where app_uuid = $1 and uuid = $2) as product
                   {_BELONGINGS}
            """,
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("product", uuid)
        return _product(row)

    async def names(self, uuids: Collection[UUID]) -> dict[UUID, str]:
        found = await self._connection.fetch(
            "select uuid, name from products where app_uuid = $1 and uuid = any($2)",
            self._app_uuid,
            list(uuids),
        )
        return {row["uuid"]: row["name"] for row in found}

    async def get_for_update(self, uuid: UUID) -> Product:
        # Two statements: images and prices must be read after the lock is there, or they could
        # be those from before the change that we waited for.
        await self._connection.execute(
            "select from products where app_uuid = $1 and uuid = $2 for update",
            self._app_uuid,
            uuid,
        )
        return await self.get(uuid)

    async def page(self, request: PageRequest) -> Page[Product]:
        # The count is the first table, so that a page past the end still tells it.
        rows = await self._connection.fetch(
            f"""
            select active.total, product.*, gallery.images, price_list.prices
              from (
                    select count(*) as total
                      from products
                     where app_uuid = $1 and archived_at is null
                   ) as active
                   left join (
                    select {_COLUMNS}
                      from products
                     where app_uuid = $1 and archived_at is null
                     order by uuid desc
                     limit $2 offset $3
                   ) as product on true
                   {_BELONGINGS}
             order by product.uuid desc
            """,
            self._app_uuid,
            request.limit,
            request.offset,
        )
        products = tuple(_product(row) for row in rows if row["uuid"] is not None)
        return Page(products, rows[0]["total"])

    async def save(self, product: Product) -> None:
        await self._connection.execute(
            """
            update products
               set product_id = $3, name = $4, description = $5, shippable = $6,
                   package_dimension_height = $7, package_dimension_width = $8,
                   package_dimension_length = $9, package_dimension_weight = $10,
                   url = $11, metadata = $12, updated_at = $13, archived_at = $14
             where app_uuid = $1 and uuid = $2
            """,
            *_values(product),
            product.updated_at,
            product.archived_at,
        )

    async def replace_images(self, product: Product) -> None:
        await self._connection.execute(
            """
            with gone as (
                delete from product_images where app_uuid = $1 and product_uuid = $2
            )
            insert into product_images (
                app_uuid, uuid, product_uuid, position, url, created_at, updated_at
            )
            select $1, image.uuid, $2, image.position, image.url, image.created_at, image.updated_at
              from unnest($3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[])
                   with ordinality as image (uuid, url, created_at, updated_at, position)
            """,
            self._app_uuid,
            product.uuid,
            *_unnested(product.images),
        )


def _values(product: Product) -> tuple[object, ...]:
    """$1 to $12 of `add` and `save`."""
    return (
        product.app_uuid,
        product.uuid,
        product.product_id,
        product.name,
        product.description,
        product.shippable,
        product.package_dimension_height,
        product.package_dimension_width,
        product.package_dimension_length,
        product.package_dimension_weight,
        product.url,
        product.metadata,
    )


def _unnested(images: tuple[ProductImage, ...]) -> tuple[list[Any], ...]:
    """One list a column."""
    return (
        [image.uuid for image in images],
        [image.url for image in images],
        [image.created_at for image in images],
        [image.updated_at for image in images],
    )


def _product(row: asyncpg.Record) -> Product:
    facts = dict(row)
    facts["images"] = msgspec.convert(row["images"] or (), tuple[ProductImage, ...])
    facts["prices"] = tuple(price_of(price) for price in row["prices"] or ())
    facts.pop("total", None)
    return Product(**facts)
