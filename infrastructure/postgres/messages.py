"""The inbox and the outbox."""

from datetime import datetime
from uuid import UUID

from domain.kernel.events import Event
from domain.kernel.ids import AppUuid, Ids
from domain.webhooks.inbox import Message, Outcome
from infrastructure.postgres.database import Connection


class PostgresInbox:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, message: Message) -> bool:
        added = await self._connection.fetchval(
            """
            insert into inbox (app_uuid, uuid, payment_provider_uuid, provider_ref, tries, due_at,
                   received_at, event_id)
            values ($1, $2, $3, $4, 0, $5, $6, $7)
            on conflict (app_uuid, payment_provider_uuid, event_id) where event_id is not null
               do nothing
            returning uuid
            """,
            self._app_uuid,
            message.uuid,
            message.payment_provider_uuid,
            message.provider_ref,
            message.due_at,
            message.received_at,
            message.event_id,
        )
        return added is not None

    async def done(self, uuid: UUID, outcome: Outcome, *, at: datetime) -> None:
        await self._connection.execute(
            """
            update inbox set outcome = $3, due_at = null, done_at = $4
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            uuid,
            outcome,
            at,
        )

    async def postpone(self, uuid: UUID, *, due_at: datetime) -> None:
        await self._connection.execute(
            "update inbox set due_at = $3 where app_uuid = $1 and uuid = $2 and done_at is null",
            self._app_uuid,
            uuid,
            due_at,
        )


class PostgresOutbox:
    def __init__(self, connection: Connection, app_uuid: AppUuid, ids: Ids) -> None:
        self._connection, self._app_uuid, self._ids = connection, app_uuid, ids

    async def append(self, *events: Event) -> None:
        """Due at once: an event on a test clock may be far ahead of us."""
        if not events:
            return
        await self._connection.executemany(
            """
            insert into outbox (app_uuid, uuid, type, aggregate_uuid, facts, happened_at, due_at)
            values ($1, $2, $3, $4, $5, $6, least($6, now()))
            """,
            [
                (self._app_uuid, self._ids.new(), e.type, e.aggregate_uuid, dict(e.facts), e.at)
                for e in events
            ],
        )
