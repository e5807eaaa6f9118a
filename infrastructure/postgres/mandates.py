"""Mandates on their own: listed, made the default, ended. payment_files.py writes what is seen."""

from datetime import datetime
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.mandate import Mandate
from infrastructure.postgres import rows
from infrastructure.postgres.database import Connection
from infrastructure.postgres.payment_files import lock_customer


class PostgresMandates:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def list(self, tenant_uuid: TenantUuid, request: PageRequest) -> Page[Mandate]:
        found = await self._connection.fetch(
            f"""
            select {rows.MANDATE} from mandates
             where app_uuid = $1 and tenant_uuid = $2
             order by uuid desc limit $3 offset $4
            """,
            self._app_uuid,
            tenant_uuid,
            request.limit,
            request.offset,
        )
        total = await self._connection.fetchval(
            "select count(*) from mandates where app_uuid = $1 and tenant_uuid = $2",
            self._app_uuid,
            tenant_uuid,
        )
        return Page(tuple(rows.mandate_of(row) for row in found), total)

    async def living(self, tenant_uuid: TenantUuid) -> tuple[Mandate, ...]:
        found = await self._connection.fetch(
            f"""
            select {rows.MANDATE} from mandates
             where app_uuid = $1 and tenant_uuid = $2 and status <> 'invalid'
             order by uuid desc
            """,
            self._app_uuid,
            tenant_uuid,
        )
        return tuple(rows.mandate_of(row) for row in found)

    async def get(self, uuid: UUID) -> Mandate:
        row = await self._connection.fetchrow(
            f"select {rows.MANDATE} from mandates where app_uuid = $1 and uuid = $2",
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("payment method", uuid)
        return rows.mandate_of(row)

    async def make_default(self, mandate: Mandate) -> bool:
        of = (self._app_uuid, mandate.payment_provider_uuid, mandate.tenant_uuid)
        await lock_customer(self._connection, *of)
        is_valid = await self._connection.fetchval(
            """
            select true from mandates
             where app_uuid = $1 and uuid = $2 and status = 'valid' for update
            """,
            self._app_uuid,
            mandate.uuid,
        )
        if not is_valid:
            return False
        await self._connection.execute(
            """
            update mandates set is_default = false
             where app_uuid = $1 and payment_provider_uuid = $2 and tenant_uuid = $3
               and is_default and uuid <> $4
            """,
            *of,
            mandate.uuid,
        )
        await self._connection.execute(
            "update mandates set is_default = true where app_uuid = $1 and uuid = $2",
            self._app_uuid,
            mandate.uuid,
        )
        return True

    async def end(self, uuid: UUID, *, at: datetime) -> bool:
        ended = await self._connection.fetchval(
            """
            update mandates set status = 'invalid', is_default = false, updated_at = $3
             where app_uuid = $1 and uuid = $2 and status <> 'invalid'
            returning true
            """,
            self._app_uuid,
            uuid,
            at,
        )
        return bool(ended)

    async def living_subscriptions(self, uuid: UUID) -> tuple[UUID, ...]:
        # One that names no mandate is charged on the usual one: see domain/payments/mandate.py.
        found = await self._connection.fetch(
            """
            select s.uuid from mandates m
              join subscriptions s on s.app_uuid = m.app_uuid and s.tenant_uuid = m.tenant_uuid
               and s.payment_provider_uuid = m.payment_provider_uuid
             where m.app_uuid = $1 and m.uuid = $2 and s.status not in ('canceled', 'expired')
               and m.uuid = coalesce(s.mandate_uuid, (
                       select uuid from mandates o
                        where o.app_uuid = $1 and o.tenant_uuid = m.tenant_uuid
                          and o.payment_provider_uuid = m.payment_provider_uuid
                        order by o.status = 'valid' desc, o.is_default desc, o.uuid desc limit 1))
             order by s.uuid
            """,
            self._app_uuid,
            uuid,
        )
        return tuple(row["uuid"] for row in found)
