"""Idempotency keys: claims, and the answers kept under them."""

from datetime import datetime
from uuid import UUID

from domain.kernel.idempotency import Answer, Claim, RequestKey
from domain.kernel.ids import AppUuid
from infrastructure.postgres.database import Connection


class PostgresIdempotencyKeys:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def claim(
        self, key: RequestKey, *, now: datetime, until: datetime, expires_at: datetime
    ) -> Claim | None:
        ours = await self._connection.fetchval(
            """
            insert into idempotency_keys as held (app_uuid, caller, operation, key, fingerprint,
                   lease_until, created_at, expires_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (app_uuid, caller, operation, key) do update
               set fingerprint = excluded.fingerprint, subject_uuid = null, answer_status = null,
                   answer_body = null, lease_until = excluded.lease_until,
                   created_at = excluded.created_at, expires_at = excluded.expires_at
             where held.app_uuid = $1 and held.expires_at <= $7
            returning true
            """,
            self._app_uuid,
            key.caller,
            key.operation,
            key.key,
            key.fingerprint,
            until,
            now,
            expires_at,
        )
        if ours:
            return None
        held = await self.peek(key)
        assert held is not None, "keys are deleted only when they have expired"
        return held

    async def peek(self, key: RequestKey) -> Claim | None:
        row = await self._connection.fetchrow(
            """
            select fingerprint, subject_uuid, answer_status, answer_body, lease_until, expires_at
              from idempotency_keys
             where app_uuid = $1 and caller = $2 and operation = $3 and key = $4
            """,
            self._app_uuid,
            key.caller,
            key.operation,
            key.key,
        )
        if row is None:
            return None
        status = row["answer_status"]
        return Claim(
            fingerprint=row["fingerprint"],
            answer=None if status is None else Answer(status, row["answer_body"]),
            lease_until=row["lease_until"],
            expires_at=row["expires_at"],
            subject_uuid=row["subject_uuid"],
        )

    async def renew(self, key: RequestKey, *, now: datetime, until: datetime) -> bool:
        done = await self._connection.fetchval(
            """
            update idempotency_keys set lease_until = $6
             where app_uuid = $1 and caller = $2 and operation = $3 and key = $4
               and answer_status is null and lease_until <= $5
            returning true
            """,
            self._app_uuid,
            key.caller,
            key.operation,
            key.key,
            now,
            until,
        )
        return done is not None

    async def note_subject(self, key: RequestKey, subject_uuid: UUID) -> None:
        await self._connection.execute(
            """
            update idempotency_keys set subject_uuid = $5
             where app_uuid = $1 and caller = $2 and operation = $3 and key = $4
            """,
            self._app_uuid,
            key.caller,
            key.operation,
            key.key,
            subject_uuid,
        )

    async def finish(self, key: RequestKey, answer: Answer) -> Answer:
        row = await self._connection.fetchrow(
            """
            update idempotency_keys
               set answer_status = coalesce(answer_status, $5),
                   answer_body = coalesce(answer_body, $6)
             where app_uuid = $1 and caller = $2 and operation = $3 and key = $4
            returning answer_status, answer_body
            """,
            self._app_uuid,
            key.caller,
            key.operation,
            key.key,
            answer.status,
            answer.body,
        )
        return answer if row is None else Answer(*row)

    async def release(self, key: RequestKey, *, at: datetime) -> None:
        await self._connection.execute(
            """
            update idempotency_keys set lease_until = $5
             where app_uuid = $1 and caller = $2 and operation = $3 and key = $4
               and answer_status is null
            """,
            self._app_uuid,
            key.caller,
            key.operation,
            key.key,
            at,
        )

    async def forget_expired(self, *, now: datetime) -> None:
        await self._connection.execute(
            "delete from idempotency_keys where app_uuid = $1 and expires_at <= $2",
            self._app_uuid,
            now,
        )
