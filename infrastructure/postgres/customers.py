"""Customers: one row per tenant and account, by a unique constraint."""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid, TenantUuid
from domain.payments.customer import Customer
from infrastructure.postgres.database import Connection

_COLUMNS = """uuid, payment_provider_uuid, tenant_uuid, provider_ref, lease_until,
    first_submitted_at, created_at, updated_at"""


class PostgresCustomers:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def claim(self, new: Customer, *, now: datetime) -> tuple[Customer, bool]:
        ours = await self._connection.fetchrow(
            f"""
            insert into customers as c (app_uuid, {_COLUMNS})
            values ($1, $2, $3, $4, null, $5, $6, $7, $7)
            on conflict (app_uuid, payment_provider_uuid, tenant_uuid) do update
               set lease_until = excluded.lease_until, updated_at = excluded.updated_at
             where c.app_uuid = $1 and c.provider_ref is null and c.lease_until <= $8
            returning {_COLUMNS}
            """,
            self._app_uuid,
            new.uuid,
            new.payment_provider_uuid,
            new.tenant_uuid,
            new.lease_until,
            new.first_submitted_at,
            new.created_at,
            now,
        )
        if ours is not None:
            return self._customer(ours), True
        row = await self._connection.fetchrow(
            f"""
            select {_COLUMNS} from customers
             where app_uuid = $1 and payment_provider_uuid = $2 and tenant_uuid = $3
            """,
            self._app_uuid,
            new.payment_provider_uuid,
            new.tenant_uuid,
        )
        return self._customer(row), False

    async def adopt(self, uuid: UUID, provider_ref: str, *, at: datetime) -> None:
        await self._connection.execute(
            """
            update customers set provider_ref = $3, updated_at = $4
             where app_uuid = $1 and uuid = $2 and provider_ref is null
            """,
            self._app_uuid,
            uuid,
            provider_ref,
            at,
        )

    async def release(self, uuid: UUID, *, at: datetime) -> None:
        await self._connection.execute(
            """
            update customers set lease_until = $3, updated_at = $3
             where app_uuid = $1 and uuid = $2 and provider_ref is null
            """,
            self._app_uuid,
            uuid,
            at,
        )

    async def forget(
        self, account_uuid: UUID, tenant_uuid: TenantUuid, *, known_before: datetime, new_uuid: UUID
    ) -> None:
        await self._connection.execute(
            """
            update customers
               set uuid = $4, provider_ref = null, lease_until = $5, first_submitted_at = $5,
                   updated_at = $5
             where app_uuid = $1 and payment_provider_uuid = $2 and tenant_uuid = $3
               and provider_ref is not null and updated_at <= $5
            """,
            self._app_uuid,
            account_uuid,
            tenant_uuid,
            new_uuid,
            known_before,
        )

    async def reference(self, account_uuid: UUID, tenant_uuid: TenantUuid) -> str:
        ref: str | None = await self._connection.fetchval(
            """
            select provider_ref from customers
             where app_uuid = $1 and payment_provider_uuid = $2 and tenant_uuid = $3
            """,
            self._app_uuid,
            account_uuid,
            tenant_uuid,
        )
        if ref is None:
            raise NotFound("customer of tenant", tenant_uuid)
        return ref

    def _customer(self, row: Any) -> Customer:
        return Customer(app_uuid=self._app_uuid, **dict(row.items()))
