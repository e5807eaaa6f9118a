"""The feed of events: rows of the outbox that have a position.

Who numbers events holds the app's row of `event_counters` until the commit, so positions become
visible in their order.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.kernel.errors import Invalid, NotFound, Violation
from domain.kernel.ids import AppUuid
from domain.webhooks.event_types import TEST
from domain.webhooks.ports import Period, Unpublished
from domain.webhooks.public_event import NewEvent, PublicEvent
from infrastructure.postgres.database import Connection

EVENT: Final = "uuid, type, aggregate_uuid, facts, happened_at, position, sequence"


class PostgresEventFeed:
    """Implements `EventFeed`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def unpublished(self, limit: int) -> Unpublished | None:
        position = await self._counter()
        if position is None:
            # The app's first event; or another publisher holds the row, and this changes nothing.
            await self._connection.execute(
                """
                insert into event_counters (app_uuid, position) values ($1, 0)
                on conflict do nothing
                """,
                self._app_uuid,
            )
            position = await self._counter()
        if position is None:
            return None
        # A statement of its own: it sees what was committed before the lock was ours.
        found = await self._connection.fetch(
            """
            select uuid, type, aggregate_uuid, facts, happened_at
              from outbox
             where app_uuid = $1 and due_at is not null
             order by id limit $2
            """,
            self._app_uuid,
            limit,
        )
        counted = await self._connection.fetch(
            """
            select aggregate_uuid, max(sequence) as sequence
              from outbox
             where app_uuid = $1 and aggregate_uuid = any($2) and sequence is not null
             group by aggregate_uuid
            """,
            self._app_uuid,
            list({row["aggregate_uuid"] for row in found}),
        )
        return Unpublished(
            events=tuple(NewEvent(**dict(row.items())) for row in found),
            position=position,
            sequences={row["aggregate_uuid"]: row["sequence"] for row in counted},
        )

    async def publish(self, events: Sequence[PublicEvent], *, at: datetime) -> None:
        await self._connection.execute(
            """
            update outbox
               set position = given.position, sequence = given.sequence, due_at = null,
                   published_at = $5
              from unnest($2::uuid[], $3::bigint[], $4::bigint[])
                   as given (uuid, position, sequence)
             where app_uuid = $1 and outbox.uuid = given.uuid
            """,
            self._app_uuid,
            [event.uuid for event in events],
            [event.position for event in events],
            [event.sequence for event in events],
            at,
        )
        await self._connection.execute(
            "update event_counters set position = $2 where app_uuid = $1",
            self._app_uuid,
            events[-1].position,
        )

    async def get(self, uuid: UUID) -> PublicEvent:
        row = await self._connection.fetchrow(
            f"""
            select {EVENT} from outbox
             where app_uuid = $1 and uuid = $2 and position is not null
            """,
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("event", uuid)
        return event_of(row)

    async def after(
        self, after: UUID | None, *, types: Sequence[str], limit: int
    ) -> tuple[PublicEvent, ...]:
        position = 0 if after is None else await self._position(after)
        found = await self._connection.fetch(
            f"""
            select {EVENT} from outbox
             where app_uuid = $1 and position > $2
               and (cardinality($3::text[]) = 0 or type = any($3))
             order by position limit $4
            """,
            self._app_uuid,
            position,
            list(types),
            limit,
        )
        return tuple(event_of(row) for row in found)

    async def of_period(
        self, period: Period, *, types: Sequence[str], limit: int
    ) -> tuple[PublicEvent, ...]:
        found = await self._connection.fetch(
            f"""
            select {EVENT} from outbox
             where app_uuid = $1 and happened_at >= $2 and happened_at < $3
               and position is not null and type <> $4
               and (cardinality($5::text[]) = 0 or type = any($5))
             order by position limit $6
            """,
            self._app_uuid,
            period.from_at,
            period.to_at,
            TEST,
            list(types),
            limit,
        )
        return tuple(event_of(row) for row in found)

    async def _counter(self) -> int | None:
        position: int | None = await self._connection.fetchval(
            "select position from event_counters where app_uuid = $1 for update skip locked",
            self._app_uuid,
        )
        return position

    async def _position(self, uuid: UUID) -> int:
        position: int | None = await self._connection.fetchval(
            "select position from outbox where app_uuid = $1 and uuid = $2", self._app_uuid, uuid
        )
        if position is None:
            raise Invalid([Violation("is no event of this app's feed", "after")])
        return position


def event_of(row: Any) -> PublicEvent:
    """From the columns of EVENT."""
    return PublicEvent(
        uuid=row["uuid"],
        type=row["type"],
        aggregate_uuid=row["aggregate_uuid"],
        facts=row["facts"],
        happened_at=row["happened_at"],
        position=row["position"],
        sequence=row["sequence"],
    )
