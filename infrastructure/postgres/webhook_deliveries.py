"""Deliveries to webhook endpoints, in lines: one for each endpoint and aggregate.

Only the first of a line that is pending has a `due_at`. Everybody who adds to a line or takes from
it holds the endpoint's row, and a unique index has the last word.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.kernel.errors import Invalid, NotFound, Violation
from domain.kernel.ids import AppUuid
from domain.webhooks.delivery import Delivery, DeliveryStatus, Try
from domain.webhooks.public_event import PublicEvent
from infrastructure.postgres.database import Connection
from infrastructure.postgres.events import event_of

_DELIVERY: Final = """
    d.app_uuid, d.uuid as delivery_uuid, d.webhook_endpoint_uuid, d.is_replay, d.status, d.tries,
    d.due_at, d.created_at, d.settled_at,
    o.uuid, o.type, o.aggregate_uuid, o.facts, o.happened_at, o.position, o.sequence
"""
_FROM: Final = """
    webhook_deliveries d
    join outbox o on o.app_uuid = d.app_uuid and o.uuid = d.event_uuid
"""

Found = tuple[Delivery, PublicEvent]


class PostgresWebhookDeliveries:
    """Implements `WebhookDeliveries`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, deliveries: Sequence[Delivery], *, at: datetime) -> None:
        if not deliveries:
            return
        await self._connection.execute(
            """
            insert into webhook_deliveries (app_uuid, uuid, webhook_endpoint_uuid, event_uuid,
                   aggregate_uuid, is_replay, status, tries, due_at, created_at)
            select $1, new.uuid, new.endpoint_uuid, new.event_uuid, new.aggregate_uuid,
                   new.is_replay, 'pending', 0,
                   case when row_number() over (
                            partition by new.endpoint_uuid, new.aggregate_uuid
                            order by new.place) = 1
                         and not exists (
                            select from webhook_deliveries d
                             where d.app_uuid = $1 and d.webhook_endpoint_uuid = new.endpoint_uuid
                               and d.aggregate_uuid = new.aggregate_uuid and d.status = 'pending')
                        then $7::timestamptz end,
                   $7
              from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::boolean[])
                   with ordinality
                   as new (uuid, endpoint_uuid, event_uuid, aggregate_uuid, is_replay, place)
             order by new.place
            """,
            self._app_uuid,
            [delivery.uuid for delivery in deliveries],
            [delivery.webhook_endpoint_uuid for delivery in deliveries],
            [delivery.event_uuid for delivery in deliveries],
            [delivery.aggregate_uuid for delivery in deliveries],
            [delivery.is_replay for delivery in deliveries],
            at,
        )

    async def claim(
        self, rooms: Mapping[UUID, int], *, now: datetime, until: datetime
    ) -> tuple[Found, ...]:
        found = await self._connection.fetch(
            f"""
            with first as (
                select line.uuid
                  from unnest($2::uuid[], $3::integer[]) as room (endpoint_uuid, places)
                       cross join lateral (
                           select uuid from webhook_deliveries
                            where app_uuid = $1 and webhook_endpoint_uuid = room.endpoint_uuid
                              and due_at <= $4
                            order by due_at limit room.places
                              for no key update skip locked) as line
            ), d as (
                update webhook_deliveries
                   set due_at = $5, tries = tries + 1
                 where app_uuid = $1 and uuid in (select uuid from first)
                returning *
            )
            select {_DELIVERY}
              from d join outbox o on o.app_uuid = d.app_uuid and o.uuid = d.event_uuid
             order by d.id
            """,
            self._app_uuid,
            list(rooms.keys()),
            list(rooms.values()),
            now,
            until,
        )
        return tuple(_found(row) for row in found)

    async def add_try(self, delivery_uuid: UUID, made: Try) -> None:
        await self._connection.execute(
            """
            insert into webhook_tries (app_uuid, delivery_uuid, number, tried_at, duration_ms,
                   http_status, error, excerpt)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            self._app_uuid,
            delivery_uuid,
            made.number,
            made.tried_at,
            made.duration_ms,
            made.http_status,
            made.error,
            made.excerpt,
        )

    async def settle(self, claimed: Delivery, status: DeliveryStatus, *, at: datetime) -> bool:
        settled = await self._connection.fetchval(
            """
            update webhook_deliveries set status = $4, due_at = null, settled_at = $5
             where app_uuid = $1 and uuid = $2 and tries = $3 and status = 'pending'
            returning true
            """,
            self._app_uuid,
            claimed.uuid,
            claimed.tries,
            status,
            at,
        )
        if settled is None:
            return False
        await self._connection.execute(
            """
            update webhook_deliveries set due_at = $4
             where app_uuid = $1 and uuid = (
                   select uuid from webhook_deliveries
                    where app_uuid = $1 and webhook_endpoint_uuid = $2 and aggregate_uuid = $3
                      and status = 'pending'
                    order by id limit 1)
            """,
            self._app_uuid,
            claimed.webhook_endpoint_uuid,
            claimed.aggregate_uuid,
            at,
        )
        return True

    async def postpone(self, claimed: Delivery, *, due_at: datetime) -> None:
        await self._connection.execute(
            """
            update webhook_deliveries set due_at = $4
             where app_uuid = $1 and uuid = $2 and tries = $3 and status = 'pending'
            """,
            self._app_uuid,
            claimed.uuid,
            claimed.tries,
            due_at,
        )

    async def give_up(self, endpoint_uuid: UUID, *, at: datetime) -> None:
        await self._connection.execute(
            """
            update webhook_deliveries set status = 'failed', due_at = null, settled_at = $3
             where app_uuid = $1 and webhook_endpoint_uuid = $2 and status = 'pending'
            """,
            self._app_uuid,
            endpoint_uuid,
            at,
        )

    async def pending(self, endpoint_uuid: UUID, events: Sequence[UUID]) -> frozenset[UUID]:
        found = await self._connection.fetch(
            """
            select event_uuid from webhook_deliveries
             where app_uuid = $1 and webhook_endpoint_uuid = $2 and status = 'pending'
               and event_uuid = any($3)
            """,
            self._app_uuid,
            endpoint_uuid,
            list(events),
        )
        return frozenset(row["event_uuid"] for row in found)

    async def get(self, endpoint_uuid: UUID, uuid: UUID) -> Found:
        row = await self._connection.fetchrow(
            f"""
            select {_DELIVERY} from {_FROM}
             where d.app_uuid = $1 and d.webhook_endpoint_uuid = $2 and d.uuid = $3
            """,
            self._app_uuid,
            endpoint_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("delivery", uuid)
        return _found(row)

    async def tries(self, uuid: UUID) -> tuple[Try, ...]:
        found = await self._connection.fetch(
            """
            select number, tried_at, duration_ms, http_status, error, excerpt
              from webhook_tries
             where app_uuid = $1 and delivery_uuid = $2
             order by number
            """,
            self._app_uuid,
            uuid,
        )
        return tuple(Try(**dict(row.items())) for row in found)

    async def log(
        self,
        endpoint_uuid: UUID,
        *,
        status: DeliveryStatus | None,
        after: UUID | None,
        limit: int,
    ) -> tuple[Found, ...]:
        found = await self._connection.fetch(
            f"""
            select {_DELIVERY} from {_FROM}
             where d.app_uuid = $1 and d.webhook_endpoint_uuid = $2
               and ($3::bigint is null or d.id < $3) and ($4::text is null or d.status = $4)
             order by d.id desc limit $5
            """,
            self._app_uuid,
            endpoint_uuid,
            None if after is None else await self._id(endpoint_uuid, after),
            status,
            limit,
        )
        return tuple(_found(row) for row in found)

    async def forget(self, *, settled_before: datetime) -> None:
        # Their tries go with them.
        await self._connection.execute(
            "delete from webhook_deliveries where app_uuid = $1 and settled_at < $2",
            self._app_uuid,
            settled_before,
        )

    async def _id(self, endpoint_uuid: UUID, uuid: UUID) -> int:
        id: int | None = await self._connection.fetchval(
            """
            select id from webhook_deliveries
             where app_uuid = $1 and webhook_endpoint_uuid = $2 and uuid = $3
            """,
            self._app_uuid,
            endpoint_uuid,
            uuid,
        )
        if id is None:
            raise Invalid([Violation("is no delivery to this endpoint", "after")])
        return id


def _found(row: Any) -> Found:
    event = event_of(row)
    delivery = Delivery(
        uuid=row["delivery_uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        webhook_endpoint_uuid=row["webhook_endpoint_uuid"],
        event_uuid=event.uuid,
        aggregate_uuid=event.aggregate_uuid,
        is_replay=row["is_replay"],
        status=DeliveryStatus(row["status"]),
        tries=row["tries"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        settled_at=row["settled_at"],
    )
    return delivery, event
