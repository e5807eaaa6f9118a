"""Rows of one payment; and those among them that are our intent until a provider has answered:
refunds and captures. Whoever sends one holds its lease; when it is first sent, its key's window
begins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid
from domain.kernel.pages import Page, PageRequest
from infrastructure.postgres.database import Connection

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OfPayment(Generic[T]):
    connection: Connection
    app_uuid: AppUuid
    table: str
    columns: str
    read: Callable[[Any], T]

    async def list(self, payment_uuid: UUID, request: PageRequest) -> Page[T]:
        found = await self.connection.fetch(
            f"""
            select {self.columns}, count(*) over () as total from {self.table}
             where app_uuid = $1 and payment_uuid = $2
             order by uuid desc limit $3 offset $4
            """,
            self.app_uuid,
            payment_uuid,
            request.limit,
            request.offset,
        )
        total = found[0]["total"] if found else await self._count(payment_uuid)
        return Page(tuple(self.read(row) for row in found), total)

    async def _count(self, payment_uuid: UUID) -> int:
        total: int = await self.connection.fetchval(
            f"select count(*) from {self.table} where app_uuid = $1 and payment_uuid = $2",
            self.app_uuid,
            payment_uuid,
        )
        return total


@dataclass(frozen=True, slots=True)
class Intents(OfPayment[T]):
    async def get(self, uuid: UUID) -> T:
        row = await self.connection.fetchrow(
            f"select {self.columns} from {self.table} where app_uuid = $1 and uuid = $2",
            self.app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound(self.table.removesuffix("s"), uuid)
        return self.read(row)

    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> T | None:
        """The intent as it then is. None: it does not wait to be sent, or somebody holds it."""
        row = await self.connection.fetchrow(
            f"""
            update {self.table}
               set lease_until = $4, due_at = $4, tries = tries + 1, updated_at = $3,
                   first_submitted_at = case when tries = 0 then $3 else first_submitted_at end
             where app_uuid = $1 and uuid = $2 and status = 'requested' and lease_until <= $3
            returning {self.columns}
            """,
            self.app_uuid,
            uuid,
            now,
            until,
        )
        return None if row is None else self.read(row)

    async def release(self, uuid: UUID, *, now: datetime, due_at: datetime) -> None:
        await self.connection.execute(
            f"""
            update {self.table} set lease_until = $3, due_at = $4, updated_at = $3
             where app_uuid = $1 and uuid = $2 and status = 'requested'
            """,
            self.app_uuid,
            uuid,
            now,
            due_at,
        )
