"""Payments, mandates and refunds on their own; inside a session they are read by checkout.py."""

from datetime import datetime
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.refund import SETTLED, Refund
from infrastructure.postgres import rows
from infrastructure.postgres.database import Connection


class PostgresPayments:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def list(
        self, tenant_uuid: TenantUuid, request: PageRequest, *, after: UUID | None
    ) -> Page[Payment]:
        found = await self._connection.fetch(
            f"""
            select {rows.PAYMENT} from payments
             where app_uuid = $1 and tenant_uuid = $2 and ($3::uuid is null or uuid < $3)
             order by uuid desc limit $4 offset $5
            """,
            self._app_uuid,
            tenant_uuid,
            after,
            request.limit,
            0 if after else request.offset,
        )
        total = 0
        if after is None:
            total = await self._connection.fetchval(
                "select count(*) from payments where app_uuid = $1 and tenant_uuid = $2",
                self._app_uuid,
                tenant_uuid,
            )
        return Page(tuple(rows.payment_of(row) for row in found), total)


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


class PostgresRefunds:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> Refund | None:
        row = await self._connection.fetchrow(
            f"""
            update refunds
               set lease_until = $4, due_at = $4, tries = tries + 1, updated_at = $3,
                   first_submitted_at = case when tries = 0 then $3 else first_submitted_at end
             where app_uuid = $1 and uuid = $2 and status = 'requested' and lease_until <= $3
            returning {rows.REFUND}
            """,
            self._app_uuid,
            uuid,
            now,
            until,
        )
        return None if row is None else rows.refund_of(row)

    async def release(self, uuid: UUID, *, now: datetime, due_at: datetime) -> None:
        await self._connection.execute(
            """
            update refunds set lease_until = $3, due_at = $4, updated_at = $3
             where app_uuid = $1 and uuid = $2 and status = 'requested'
            """,
            self._app_uuid,
            uuid,
            now,
            due_at,
        )

    async def are_awaited(self, account_uuid: UUID, payment_ref: str) -> bool:
        found: bool = await self._connection.fetchval(
            """
            select exists (
                select from payments p
                  join refunds r on r.app_uuid = $1 and r.payment_uuid = p.uuid
                 where p.app_uuid = $1 and p.payment_provider_uuid = $2 and p.provider_ref = $3
                   and r.status <> all($4))
            """,
            self._app_uuid,
            account_uuid,
            payment_ref,
            list(SETTLED),
        )
        return found

    async def payment_of(self, refund: Refund) -> Payment:
        row = await self._connection.fetchrow(
            f"select {rows.PAYMENT} from payments where app_uuid = $1 and uuid = $2",
            self._app_uuid,
            refund.payment_uuid,
        )
        if row is None:
            raise NotFound("payment", refund.payment_uuid)
        return rows.payment_of(row)
