"""Claims of due rows, one app at a time, and the two questions that cross apps.

A claim moves `due_at` on, so that a dead worker's rows come back by themselves.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.kernel.ids import AppUuid
from domain.payments.payment_provider import ProviderName
from domain.webhooks.due_work import DuePayment
from domain.webhooks.inbox import Message
from infrastructure.postgres.database import Connection, Database

BATCH: Final = 20


class PostgresDueWork:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def messages(self, now: datetime, until: datetime) -> list[Message]:
        found = await self._connection.fetch(
            """
            update inbox set due_at = $3, tries = tries + 1
             where app_uuid = $1 and uuid in (
                   select uuid from inbox where app_uuid = $1 and due_at <= $2
                    order by due_at limit $4 for update skip locked)
            returning uuid, payment_provider_uuid, provider_ref, event_id, tries, due_at,
                      received_at
            """,
            self._app_uuid,
            now,
            until,
            BATCH,
        )
        return [Message(app_uuid=self._app_uuid, **dict(row.items())) for row in found]

    async def forget_messages(self, *, done_before: datetime) -> None:
        await self._connection.execute(
            "delete from inbox where app_uuid = $1 and done_at < $2", self._app_uuid, done_before
        )

    async def forget_provider_calls(self, *, made_before: datetime) -> None:
        await self._connection.execute(
            "delete from provider_calls where app_uuid = $1 and at < $2",
            self._app_uuid,
            made_before,
        )

    async def forget_details(self, *, ended_before: datetime) -> None:
        # What was asked of the provider is kept for asking again, which nobody does any more.
        await self._connection.execute(
            """
            with forgotten as (
                update checkout_sessions set collected = null
                 where app_uuid = $1 and collected is not null and updated_at < $2
                   and status in ('expired', 'failed') and payment_status = 'unpaid'
                returning uuid
            )
            update payment_attempts a set request = ''
              from forgotten
             where a.app_uuid = $1 and a.checkout_session_uuid = forgotten.uuid
               and a.status <> 'submitting'
            """,
            self._app_uuid,
            ended_before,
        )

    async def payments(self, now: datetime, until: datetime) -> list[DuePayment]:
        found = await self._connection.fetch(
            """
            update payments set due_at = $3
             where app_uuid = $1 and uuid in (
                   select uuid from payments where app_uuid = $1 and due_at <= $2
                    order by due_at limit $4 for update skip locked)
            returning payment_provider_uuid, provider_ref
            """,
            self._app_uuid,
            now,
            until,
            BATCH,
        )
        return [DuePayment(*row) for row in found]

    async def postpone_payment(self, account_uuid: UUID, ref: str, *, due_at: datetime) -> None:
        await self._connection.execute(
            """
            update payments set due_at = $4
             where app_uuid = $1 and payment_provider_uuid = $2 and provider_ref = $3
            """,
            self._app_uuid,
            account_uuid,
            ref,
            due_at,
        )

    async def sessions(self, now: datetime, until: datetime) -> list[UUID]:
        found = await self._connection.fetch(
            """
            update checkout_sessions set due_at = $3
             where app_uuid = $1 and uuid in (
                   select uuid from checkout_sessions
                    where app_uuid = $1 and status = 'open' and due_at <= $2
                    order by due_at limit $4 for update skip locked)
            returning uuid
            """,
            self._app_uuid,
            now,
            until,
            BATCH,
        )
        return [row["uuid"] for row in found]

    async def attempts(self, now: datetime) -> list[UUID]:
        return await self._due("payment_attempts", "submitting", now)

    async def subscriptions(self, now: datetime, until: datetime) -> list[UUID]:
        found = await self._connection.fetch(
            """
            update subscriptions set due_at = $3
             where app_uuid = $1 and uuid in (
                   select uuid from subscriptions
                    where app_uuid = $1 and test_clock_uuid is null and due_at <= $2
                    order by due_at limit $4 for update skip locked)
            returning uuid
            """,
            self._app_uuid,
            now,
            until,
            BATCH,
        )
        return [row["uuid"] for row in found]

    async def test_clocks(self, now: datetime, until: datetime) -> list[UUID]:
        found = await self._connection.fetch(
            """
            update test_clocks set due_at = $3
             where app_uuid = $1 and uuid in (
                   select uuid from test_clocks where app_uuid = $1 and due_at <= $2
                    order by due_at limit $4 for no key update skip locked)
            returning uuid
            """,
            self._app_uuid,
            now,
            until,
            BATCH,
        )
        return [row["uuid"] for row in found]

    async def accounts(
        self, names: Collection[ProviderName], now: datetime, until: datetime
    ) -> list[UUID]:
        found = await self._connection.fetch(
            """
            update payment_providers set sweep_due_at = $3
             where app_uuid = $1 and uuid in (
                   select uuid from payment_providers
                    where app_uuid = $1 and deleted_at is null and is_connected
                      and sweep_due_at <= $2 and name = any($5)
                    order by sweep_due_at limit $4 for no key update skip locked)
            returning uuid
            """,
            self._app_uuid,
            now,
            until,
            BATCH,
            list(names),
        )
        return [row["uuid"] for row in found]

    async def refunds(self, now: datetime) -> list[UUID]:
        return await self._due("refunds", "requested", now)

    async def captures(self, now: datetime) -> list[UUID]:
        return await self._due("captures", "requested", now)

    async def _due(self, table: str, status: str, now: datetime) -> list[UUID]:
        """Intents are not claimed here: whoever sends one takes its lease."""
        # The status stands in the text: the index on what is due has it as its condition.
        found = await self._connection.fetch(
            f"""
            select uuid from {table}
             where app_uuid = $1 and status = '{status}' and due_at <= $2
             order by due_at limit $3
            """,
            self._app_uuid,
            now,
            BATCH,
        )
        return [row["uuid"] for row in found]


class PostgresDirectory:
    """Implements `Directory`: what is asked before the app is known."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    async def app_of_account(self, account_uuid: UUID) -> AppUuid | None:
        async with self._database.connection() as connection:
            found = await connection.fetchval("select app_of_payment_provider($1)", account_uuid)
        return None if found is None else AppUuid(found)

    async def apps_with_due_work(self, at: datetime) -> tuple[AppUuid, ...]:
        async with self._database.connection() as connection:
            found = await connection.fetch("select apps_with_due_work($1)", at)
        return tuple(AppUuid(row[0]) for row in found)

    async def apps_with_due_sweeps(self, at: datetime) -> tuple[AppUuid, ...]:
        async with self._database.connection() as connection:
            found = await connection.fetch("select apps_with_due_sweeps($1)", at)
        return tuple(AppUuid(row[0]) for row in found)

    async def apps_with_due_webhooks(self, at: datetime) -> tuple[AppUuid, ...]:
        async with self._database.connection() as connection:
            found = await connection.fetch("select apps_with_due_webhooks($1)", at)
        return tuple(AppUuid(row[0]) for row in found)
