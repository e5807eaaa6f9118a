"""Rows that are our intent until a provider has answered: refunds and captures. Whoever sends one
holds its lease; when it is first sent, its key's window begins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.kernel.ids import AppUuid
from infrastructure.postgres.database import Connection


@dataclass(frozen=True, slots=True)
class Intents:
    connection: Connection
    app_uuid: AppUuid
    table: str
    columns: str

    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> Any | None:
        """The row as it then is. None: it does not wait to be sent, or somebody holds it."""
        return await self.connection.fetchrow(
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
