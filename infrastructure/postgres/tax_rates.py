"""Tax rates of one app, and the countries that all apps share."""

from typing import Final
from uuid import UUID

import asyncpg

from domain.catalog.tax_rate import Country, TaxRate
from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid
from domain.kernel.pages import Page, PageRequest
from domain.kernel.percent import Percent
from infrastructure.postgres.database import Connection

_COUNTRY_COLUMNS: Final = "uuid, id, name, alpha2, alpha3, created_at, updated_at, deleted_at"

RATE_COLUMNS: Final = """
    rate.uuid, rate.app_uuid, rate.id, rate.tax_rate_id, rate.payment_provider_uuid, rate.name,
    rate.percentage_e4, rate.inclusive, rate.state, rate.jurisdiction, rate.description,
    rate.created_at, rate.updated_at, rate.deleted_at,
    country.uuid as country_uuid, country.id as country_id, country.name as country_name,
    country.alpha2 as country_alpha2, country.alpha3 as country_alpha3,
    country.created_at as country_created_at, country.updated_at as country_updated_at,
    country.deleted_at as country_deleted_at
"""
"""What `rate_of` needs, from `tax_rates as rate` joined with `countries as country`."""


class PostgresTaxRates:
    """Implements `TaxRates`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, rate: TaxRate) -> TaxRate:
        row = await self._connection.fetchrow(
            f"""
            with rate as (
                insert into tax_rates (
                    app_uuid, uuid, tax_rate_id, payment_provider_uuid, country_uuid, name,
                    percentage_e4, inclusive, state, jurisdiction, description, created_at,
                    updated_at, deleted_at
                )
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             returning uuid, app_uuid, id, tax_rate_id, payment_provider_uuid, country_uuid, name,
                       percentage_e4, inclusive, state, jurisdiction, description, created_at,
                       updated_at, deleted_at
            )
            select {RATE_COLUMNS}
              from rate join countries as country on country.uuid = rate.country_uuid
            """,
            rate.app_uuid,
            rate.uuid,
            rate.tax_rate_id,
            rate.payment_provider_uuid,
            rate.country.uuid,
            rate.name,
            rate.percentage.e4,
            rate.inclusive,
            rate.state,
            rate.jurisdiction,
            rate.description,
            rate.created_at,
            rate.updated_at,
            rate.deleted_at,
        )
        return self._found(rate.uuid, row)

    async def get(self, uuid: UUID) -> TaxRate:
        row = await self._connection.fetchrow(
            f"""
            select {RATE_COLUMNS}
              from tax_rates as rate join countries as country on country.uuid = rate.country_uuid
             where rate.app_uuid = $1 and rate.uuid = $2
            """,
            self._app_uuid,
            uuid,
        )
        return self._found(uuid, row)

    async def get_for_update(self, uuid: UUID) -> TaxRate:
        row = await self._connection.fetchrow(
            f"""
            select {RATE_COLUMNS}
              from tax_rates as rate join countries as country on country.uuid = rate.country_uuid
             where rate.app_uuid = $1 and rate.uuid = $2
               for update of rate
            """,
            self._app_uuid,
            uuid,
        )
        return self._found(uuid, row)

    async def page(self, request: PageRequest) -> Page[TaxRate]:
        # The count is the first table, so that a page past the end still tells it.
        rows = await self._connection.fetch(
            f"""
            select active.total, row.*
              from (
                    select count(*) as total
                      from tax_rates
                     where app_uuid = $1 and deleted_at is null
                   ) as active
                   left join (
                    select {RATE_COLUMNS}
                      from tax_rates as rate
                           join countries as country on country.uuid = rate.country_uuid
                     where rate.app_uuid = $1 and rate.deleted_at is null
                     order by rate.uuid desc
                     limit $2 offset $3
                   ) as row on true
             order by row.uuid desc
            """,
            self._app_uuid,
            request.limit,
            request.offset,
        )
        rates = tuple(rate_of(row) for row in rows if row["uuid"] is not None)
        return Page(rates, rows[0]["total"])

    async def save(self, rate: TaxRate) -> None:
        await self._connection.execute(
            """
            update tax_rates
               set tax_rate_id = $3, payment_provider_uuid = $4, name = $5, state = $6,
                   jurisdiction = $7, description = $8, updated_at = $9, deleted_at = $10
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            rate.uuid,
            rate.tax_rate_id,
            rate.payment_provider_uuid,
            rate.name,
            rate.state,
            rate.jurisdiction,
            rate.description,
            rate.updated_at,
            rate.deleted_at,
        )

    async def country(self, key: UUID | str) -> Country | None:
        column = "uuid" if isinstance(key, UUID) else "alpha2"
        row = await self._connection.fetchrow(
            f"select {_COUNTRY_COLUMNS} from countries where {column} = $1 and deleted_at is null",
            key,
        )
        return None if row is None else Country(**dict(row))

    async def countries(self, request: PageRequest) -> Page[Country]:
        rows = await self._connection.fetch(
            f"""
            select active.total, country.*
              from (select count(*) as total from countries where deleted_at is null) as active
                   left join (
                    select {_COUNTRY_COLUMNS}
                      from countries
                     where deleted_at is null
                     order by alpha2
                     limit $1 offset $2
                   ) as country on true
             order by country.alpha2
            """,
            request.limit,
            request.offset,
        )
        found = (dict(row) for row in rows if row["uuid"] is not None)
        countries = tuple(
            Country(**{name: value for name, value in row.items() if name != "total"})
            for row in found
        )
        return Page(countries, rows[0]["total"])

    def _found(self, uuid: UUID, row: asyncpg.Record | None) -> TaxRate:
        if row is None:
            raise NotFound("tax rate", uuid)
        return rate_of(row)


def rate_of(row: asyncpg.Record) -> TaxRate:
    """From RATE_COLUMNS."""
    country = Country(
        uuid=row["country_uuid"],
        id=row["country_id"],
        name=row["country_name"],
        alpha2=row["country_alpha2"],
        alpha3=row["country_alpha3"],
        created_at=row["country_created_at"],
        updated_at=row["country_updated_at"],
        deleted_at=row["country_deleted_at"],
    )
    return TaxRate(
        uuid=row["uuid"],
        app_uuid=row["app_uuid"],
        id=row["id"],
        tax_rate_id=row["tax_rate_id"],
        payment_provider_uuid=row["payment_provider_uuid"],
        country=country,
        name=row["name"],
        percentage=Percent(row["percentage_e4"]),
        inclusive=row["inclusive"],
        state=row["state"],
        jurisdiction=row["jurisdiction"],
        description=row["description"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row["deleted_at"],
    )
