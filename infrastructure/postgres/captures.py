"""Captures on their own; a payment's file has them too."""

from datetime import datetime
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.capture import Capture
from infrastructure.postgres import rows
from infrastructure.postgres.database import Connection
from infrastructure.postgres.intents import Intents


class PostgresCaptures:
    """Implements `CaptureRepository`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid
        self._intents = Intents(connection, app_uuid, "captures", rows.CAPTURE)

    async def get(self, uuid: UUID) -> Capture:
        row = await self._connection.fetchrow(
            f"select {rows.CAPTURE} from captures where app_uuid = $1 and uuid = $2",
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("capture", uuid)
        return rows.capture_of(row)

    async def list(self, payment_uuid: UUID, request: PageRequest) -> Page[Capture]:
        found = await self._connection.fetch(
            f"""
            select {rows.CAPTURE}, count(*) over () as total from captures
             where app_uuid = $1 and payment_uuid = $2
             order by uuid desc limit $3 offset $4
            """,
            self._app_uuid,
            payment_uuid,
            request.limit,
            request.offset,
        )
        total = found[0]["total"] if found else await self._count(payment_uuid)
        return Page(tuple(rows.capture_of(row) for row in found), total)

    async def _count(self, payment_uuid: UUID) -> int:
        total: int = await self._connection.fetchval(
            "select count(*) from captures where app_uuid = $1 and payment_uuid = $2",
            self._app_uuid,
            payment_uuid,
        )
        return total

    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> Capture | None:
        row = await self._intents.lease(uuid, now=now, until=until)
        return None if row is None else rows.capture_of(row)

    async def release(self, uuid: UUID, *, now: datetime, due_at: datetime) -> None:
        await self._intents.release(uuid, now=now, due_at=due_at)
