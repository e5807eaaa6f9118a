"""Test clocks, and what is due by them."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid
from domain.kernel.pages import Page, PageRequest
from domain.subscriptions.test_clock import ClockStatus, TestClock, UnderWay
from infrastructure.postgres.database import Connection

_CLOCK: Final = """app_uuid, uuid, name, status, now, advancing_to, failure, due_at, created_at,
    updated_at, deleted_at"""


class PostgresTestClocks:
    """Implements `TestClocks`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, clock: TestClock) -> None:
        await self._connection.execute(
            f"""
            insert into test_clocks ({_CLOCK})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            self._app_uuid,
            clock.uuid,
            clock.name,
            clock.status,
            clock.now,
            clock.advancing_to,
            clock.failure,
            clock.due_at,
            clock.created_at,
            clock.updated_at,
            clock.deleted_at,
        )

    async def save(self, clock: TestClock) -> None:
        await self._connection.execute(
            """
            update test_clocks
               set status = $3, now = $4, advancing_to = $5, failure = $6, due_at = $7,
                   updated_at = $8, deleted_at = $9
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            clock.uuid,
            clock.status,
            clock.now,
            clock.advancing_to,
            clock.failure,
            clock.due_at,
            clock.updated_at,
            clock.deleted_at,
        )

    async def get(self, uuid: UUID) -> TestClock:
        return await self._one(uuid, "")

    async def get_for_update(self, uuid: UUID) -> TestClock:
        # Not the strongest lock: rows that refer to the clock may be added meanwhile.
        return await self._one(uuid, "for no key update")

    async def _one(self, uuid: UUID, lock: str) -> TestClock:
        row = await self._connection.fetchrow(
            f"""
            select {_CLOCK} from test_clocks
             where app_uuid = $1 and uuid = $2 and deleted_at is null {lock}
            """,
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("test clock", uuid)
        return _clock(row)

    async def list(self, request: PageRequest) -> Page[TestClock]:
        found = await self._connection.fetch(
            f"""
            select {_CLOCK} from test_clocks
             where app_uuid = $1 and deleted_at is null
             order by uuid desc limit $2 offset $3
            """,
            self._app_uuid,
            request.limit,
            request.offset,
        )
        total = await self._connection.fetchval(
            "select count(*) from test_clocks where app_uuid = $1 and deleted_at is null",
            self._app_uuid,
        )
        return Page(tuple(_clock(row) for row in found), total)

    async def next_due(self, uuid: UUID, *, until: datetime) -> tuple[datetime, UUID] | None:
        row = await self._connection.fetchrow(
            """
            select due_at, uuid from subscriptions
             where app_uuid = $1 and test_clock_uuid = $2 and due_at <= $3
             order by due_at, uuid limit 1
            """,
            self._app_uuid,
            uuid,
            until,
        )
        return None if row is None else (row["due_at"], row["uuid"])

    async def under_way(self, uuid: UUID) -> UnderWay:
        found = await self._connection.fetch(
            """
            with open_bills as (
                select b.uuid from subscriptions s
                  join bills b on b.app_uuid = s.app_uuid and b.subscription_uuid = s.uuid
                 where s.app_uuid = $1 and s.test_clock_uuid = $2 and b.status = 'open'
            )
            select a.uuid, null::uuid as account_uuid, null as provider_ref
              from open_bills b
              join payment_attempts a on a.app_uuid = $1 and a.bill_uuid = b.uuid
             where a.status = 'submitting'
            union all
            select p.uuid, p.payment_provider_uuid, p.provider_ref
              from open_bills b
              join payments p on p.app_uuid = $1 and p.bill_uuid = b.uuid
             where p.status in ('open', 'pending', 'authorized')
             order by 1
            """,
            self._app_uuid,
            uuid,
        )
        return UnderWay(
            attempts=tuple(row["uuid"] for row in found if row["account_uuid"] is None),
            payments=tuple(
                (row["account_uuid"], row["provider_ref"])
                for row in found
                if row["account_uuid"] is not None
            ),
        )

    async def has_living_subscriptions(self, uuid: UUID) -> bool:
        found: bool = await self._connection.fetchval(
            """
            select exists (
                select from subscriptions
                 where app_uuid = $1 and test_clock_uuid = $2
                   and status not in ('canceled', 'expired'))
            """,
            self._app_uuid,
            uuid,
        )
        return found

    async def wake(self, uuid: UUID, *, due_at: datetime, at: datetime) -> None:
        # Always an update: its lock makes a clock that is just arriving wait for this subscription.
        await self._connection.execute(
            """
            update test_clocks
               set due_at = case when due_at is null and now >= $3 then $4 else due_at end
             where app_uuid = $1 and uuid = $2 and deleted_at is null
            """,
            self._app_uuid,
            uuid,
            due_at,
            at,
        )


def _clock(row: Any) -> TestClock:
    return TestClock(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        name=row["name"],
        status=ClockStatus(row["status"]),
        now=row["now"],
        advancing_to=row["advancing_to"],
        failure=row["failure"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row["deleted_at"],
    )
