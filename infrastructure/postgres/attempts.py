"""The journal of payment attempts: whose they are, and who may work on one now."""

from datetime import datetime
from uuid import UUID

from domain.kernel.ids import AppUuid
from domain.payments.attempt import Owner, OwnerKind, PaymentAttempt
from infrastructure.postgres import rows
from infrastructure.postgres.database import Connection


class PostgresAttempts:
    """Implements `PaymentAttempts`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def owner(self, uuid: UUID) -> Owner | None:
        row = await self._connection.fetchrow(
            """
            select checkout_session_uuid, bill_uuid from payment_attempts
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            uuid,
        )
        if row is None:
            return None
        if row["bill_uuid"] is not None:
            return Owner(OwnerKind.BILL, row["bill_uuid"])
        return Owner(OwnerKind.SESSION, row["checkout_session_uuid"])

    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> PaymentAttempt | None:
        row = await self._connection.fetchrow(
            f"""
            update payment_attempts
               set lease_until = $4, due_at = $4, tries = tries + 1, updated_at = $3
             where app_uuid = $1 and uuid = $2 and status = 'submitting' and lease_until <= $3
            returning {rows.ATTEMPT}
            """,
            self._app_uuid,
            uuid,
            now,
            until,
        )
        return None if row is None else rows.attempt_of(row)

    async def release(self, held: PaymentAttempt, *, now: datetime, due_at: datetime) -> None:
        await self._connection.execute(
            """
            update payment_attempts set lease_until = $3, due_at = $4, updated_at = $3
             where app_uuid = $1 and uuid = $2 and status = 'submitting' and lease_until = $5
            """,
            self._app_uuid,
            held.uuid,
            now,
            due_at,
            held.lease_until,
        )
