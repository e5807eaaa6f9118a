"""Subscriptions, their periods, bills and history, as lists to look at."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.subscriptions.bill import Bill
from domain.subscriptions.subscription import (
    HistoryRow,
    Period,
    Subscription,
    SubscriptionStatus,
)
from infrastructure.postgres import subscription_rows as srows
from infrastructure.postgres.subscription_books import PostgresSubscriptionBooks


class PostgresSubscriptions(PostgresSubscriptionBooks):
    """Implements `Subscriptions`."""

    async def get(self, uuid: UUID) -> Subscription:
        row = await self._connection.fetchrow(
            f"""
            select {srows.SUBSCRIPTION}, p.* from subscriptions s {srows.CURRENT_PERIOD}
             where s.app_uuid = $1 and s.uuid = $2
            """,
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("subscription", uuid)
        return srows.subscription_of(row)

    async def list(
        self,
        request: PageRequest,
        *,
        only: frozenset[TenantUuid] | None,
        status: SubscriptionStatus | None = None,
    ) -> Page[Subscription]:
        tenants = None if only is None else list(only)
        found = await self._connection.fetch(
            f"""
            select {srows.SUBSCRIPTION}, p.* from subscriptions s {srows.CURRENT_PERIOD}
             where s.app_uuid = $1 and ($2::uuid[] is null or s.tenant_uuid = any($2))
               and ($3::text is null or s.status = $3)
             order by s.uuid desc limit $4 offset $5
            """,
            self._app_uuid,
            tenants,
            status,
            request.limit,
            request.offset,
        )
        total = await self._connection.fetchval(
            """
            select count(*) from subscriptions
             where app_uuid = $1 and ($2::uuid[] is null or tenant_uuid = any($2))
               and ($3::text is null or status = $3)
            """,
            self._app_uuid,
            tenants,
            status,
        )
        return Page(tuple(srows.subscription_of(row) for row in found), total)

    async def open_amounts(self, uuids: Collection[UUID]) -> dict[UUID, int]:
        found = await self._connection.fetch(
            """
            select subscription_uuid, sum(open_minor)::bigint from bills
             where app_uuid = $1 and subscription_uuid = any($2) and status = 'open'
             group by subscription_uuid
            """,
            self._app_uuid,
            list(uuids),
        )
        return {row[0]: row[1] for row in found}

    async def periods(self, uuid: UUID, request: PageRequest) -> Page[Period]:
        found, total = await self._of(uuid, "subscription_periods", srows.PERIOD, request)
        return Page(tuple(srows.period_of(row) for row in found), total)

    async def bills(self, uuid: UUID, request: PageRequest) -> Page[Bill]:
        found = await self._connection.fetch(
            f"""
            select {srows.BILL} from bills
             where app_uuid = $1 and subscription_uuid = $2
             order by uuid desc limit $3 offset $4
            """,
            self._app_uuid,
            uuid,
            request.limit,
            request.offset,
        )
        total = await self._connection.fetchval(
            "select count(*) from bills where app_uuid = $1 and subscription_uuid = $2",
            self._app_uuid,
            uuid,
        )
        return Page(tuple(srows.bill_of(row) for row in found), total)

    async def history(self, uuid: UUID, request: PageRequest) -> Page[HistoryRow]:
        columns = "old_status, new_status, reason, at"
        found, total = await self._of(uuid, "subscription_history", columns, request)
        return Page(tuple(srows.history_of(row) for row in found), total)

    async def _of(
        self, uuid: UUID, table: str, columns: str, request: PageRequest
    ) -> tuple[Sequence[Any], int]:
        """The newest first, of a table that numbers its rows."""
        found = await self._connection.fetch(
            f"""
            select {columns} from {table}
             where app_uuid = $1 and subscription_uuid = $2
             order by number desc limit $3 offset $4
            """,
            self._app_uuid,
            uuid,
            request.limit,
            request.offset,
        )
        total = await self._connection.fetchval(
            f"select count(*) from {table} where app_uuid = $1 and subscription_uuid = $2",
            self._app_uuid,
            uuid,
        )
        return found, total
