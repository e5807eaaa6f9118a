"""Prices, in one app and one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from domain.catalog.price import Interval, Price, Recurrence
from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid
from domain.kernel.money import Currency, Money
from domain.kernel.pages import Page, PageRequest
from infrastructure.postgres.database import Connection

_COLUMNS: Final = """
    uuid, app_uuid, product_uuid, payment_provider_uuid, product_price_id, currency,
    unit_amount_minor, recurring_interval, recurring_interval_count, trial_days, nickname,
    lookup_key, metadata, created_at, updated_at, archived_at
"""


class PostgresPrices:
    """Implements `Prices`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, prices: Sequence[Price]) -> None:
        if not prices:
            return
        await self._connection.executemany(
            """
            insert into prices (
                app_uuid, uuid, product_uuid, payment_provider_uuid, product_price_id, currency,
                unit_amount_minor, recurring_interval, recurring_interval_count, trial_days,
                nickname, lookup_key, metadata, created_at, updated_at, archived_at
            )
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            """,
            [_values(price) for price in prices],
        )

    async def get(self, uuid: UUID) -> Price:
        return self._found(
            uuid,
            await self._connection.fetchrow(
                f"select {_COLUMNS} from prices where app_uuid = $1 and uuid = $2",
                self._app_uuid,
                uuid,
            ),
        )

    async def get_for_update(self, uuid: UUID) -> Price:
        return self._found(
            uuid,
            await self._connection.fetchrow(
                f"select {_COLUMNS} from prices where app_uuid = $1 and uuid = $2 for update",
                self._app_uuid,
                uuid,
            ),
        )

    async def page(self, product_uuid: UUID, request: PageRequest) -> Page[Price]:
        # The product is the first table: no row means that there is no such product, and one row
        # without a price is a page past the end.
        rows = await self._connection.fetch(
            f"""
            select active.total, price.*
              from products as product
                   cross join lateral (
                    select count(*) as total
                      from prices
                     where app_uuid = $1 and product_uuid = product.uuid and archived_at is null
                   ) as active
                   left join lateral (
                    select {_COLUMNS}
                      from prices
                     where app_uuid = $1 and product_uuid = product.uuid and archived_at is null
                     order by uuid
                     limit $3 offset $4
                   ) as price on true
             where product.app_uuid = $1 and product.uuid = $2
             order by price.uuid
            """,
            self._app_uuid,
            product_uuid,
            request.limit,
            request.offset,
        )
        if not rows:
            raise NotFound("product", product_uuid)
        prices = tuple(price_of(row) for row in rows if row["uuid"] is not None)
        return Page(prices, rows[0]["total"])

    async def save(self, price: Price) -> None:
        await self._connection.execute(
            """
            update prices
               set payment_provider_uuid = $3, product_price_id = $4, trial_days = $5,
                   nickname = $6, lookup_key = $7, metadata = $8, updated_at = $9,
                   archived_at = $10
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            price.uuid,
            price.payment_provider_uuid,
            price.product_price_id,
            price.trial_days,
            price.nickname,
            price.lookup_key,
            price.metadata,
            price.updated_at,
            price.archived_at,
        )

    async def archive_all(self, product_uuid: UUID, *, at: datetime) -> Sequence[Price]:
        rows = await self._connection.fetch(
            f"""
            with archived as (
                update prices
                   set archived_at = $3, updated_at = $3
                 where app_uuid = $1 and product_uuid = $2 and archived_at is null
             returning {_COLUMNS}
            )
            select {_COLUMNS} from archived order by uuid
            """,
            self._app_uuid,
            product_uuid,
            at,
        )
        return [price_of(row) for row in rows]

    def _found(self, uuid: UUID, row: asyncpg.Record | None) -> Price:
        if row is None:
            raise NotFound("price", uuid)
        return price_of(row)


class _Row(Struct, frozen=True):
    """A row of `prices`, the same from a table as from a JSON aggregate."""

    uuid: UUID
    app_uuid: UUID
    product_uuid: UUID
    payment_provider_uuid: UUID | None
    product_price_id: str | None
    currency: str
    unit_amount_minor: int
    recurring_interval: Interval | None
    recurring_interval_count: int | None
    trial_days: int
    nickname: str | None
    lookup_key: str | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None


def price_of(columns: asyncpg.Record | Mapping[str, Any]) -> Price:
    """From all columns of `prices`; others beside them do no harm."""
    row = msgspec.convert(dict(columns), _Row)
    recurring = None
    if row.recurring_interval is not None and row.recurring_interval_count is not None:
        recurring = Recurrence(row.recurring_interval, row.recurring_interval_count)
    return Price(
        uuid=row.uuid,
        app_uuid=AppUuid(row.app_uuid),
        product_uuid=row.product_uuid,
        payment_provider_uuid=row.payment_provider_uuid,
        product_price_id=row.product_price_id,
        unit_amount=Money(row.unit_amount_minor, Currency(row.currency)),
        recurring=recurring,
        trial_days=row.trial_days,
        nickname=row.nickname,
        lookup_key=row.lookup_key,
        metadata=row.metadata,
        created_at=row.created_at,
        updated_at=row.updated_at,
        archived_at=row.archived_at,
    )


def _values(price: Price) -> tuple[object, ...]:
    every = price.recurring
    return (
        price.app_uuid,
        price.uuid,
        price.product_uuid,
        price.payment_provider_uuid,
        price.product_price_id,
        price.unit_amount.currency,
        price.unit_amount.minor,
        None if every is None else every.interval,
        None if every is None else every.count,
        price.trial_days,
        price.nickname,
        price.lookup_key,
        price.metadata,
        price.created_at,
        price.updated_at,
        price.archived_at,
    )
