"""How far an account's lists have been read, and what in them is news."""

from datetime import datetime
from uuid import UUID

from domain.kernel.ids import AppUuid
from domain.payments.sweep_account import Batch
from infrastructure.postgres.database import Connection


class PostgresSweeps:
    """Implements `Sweeps`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def swept_until(self, account_uuid: UUID) -> datetime:
        until: datetime = await self._connection.fetchval(
            "select swept_until from payment_providers where app_uuid = $1 and uuid = $2",
            self._app_uuid,
            account_uuid,
        )
        return until

    async def untold(self, account_uuid: UUID, batch: Batch) -> frozenset[str]:
        found = [
            *await self._payments(account_uuid, batch),
            *await self._refunds(account_uuid, batch),
            *await self._chargebacks(account_uuid, batch),
        ]
        return frozenset(found)

    async def _payments(self, account_uuid: UUID, batch: Batch) -> list[str]:
        refs = [seen.ref for seen in batch.payments if seen.attempt_uuid is not None]
        if not refs:
            return []
        found = await self._connection.fetch(
            """
            select seen.ref from unnest($3::text[]) as seen (ref)
             where not exists (
                   select from payments p
                    where p.app_uuid = $1 and p.payment_provider_uuid = $2
                      and p.provider_ref = seen.ref)
            """,
            self._app_uuid,
            account_uuid,
            refs,
        )
        return [row[0] for row in found]

    async def _refunds(self, account_uuid: UUID, batch: Batch) -> list[str]:
        """One that we asked for is known by our uuid before the provider's answer is."""
        if not batch.refunds:
            return []
        found = await self._connection.fetch(
            """
            select distinct p.provider_ref
              from unnest($3::text[], $4::uuid[], $5::text[]) as seen (ref, uuid, payment_ref)
                   join payments p on p.app_uuid = $1 and p.payment_provider_uuid = $2
                                  and p.provider_ref = seen.payment_ref
             where not exists (
                   select from refunds r
                    where r.app_uuid = $1 and r.payment_uuid = p.uuid
                      and (r.provider_ref = seen.ref or r.uuid = seen.uuid))
            """,
            self._app_uuid,
            account_uuid,
            [seen.ref for seen in batch.refunds],
            [seen.refund_uuid for seen in batch.refunds],
            [seen.payment_ref for seen in batch.refunds],
        )
        return [row[0] for row in found]

    async def _chargebacks(self, account_uuid: UUID, batch: Batch) -> list[str]:
        if not batch.chargebacks:
            return []
        found = await self._connection.fetch(
            """
            select distinct p.provider_ref
              from unnest($3::text[], $4::boolean[], $5::text[])
                       as seen (ref, is_reversed, payment_ref)
                   join payments p on p.app_uuid = $1 and p.payment_provider_uuid = $2
                                  and p.provider_ref = seen.payment_ref
             where not exists (
                   select from chargebacks c
                    where c.app_uuid = $1 and c.payment_uuid = p.uuid
                      and c.provider_ref = seen.ref
                      and (c.reversed_at is not null or not seen.is_reversed))
            """,
            self._app_uuid,
            account_uuid,
            [seen.ref for seen in batch.chargebacks],
            [seen.reversed_at is not None for seen in batch.chargebacks],
            [seen.payment_ref for seen in batch.chargebacks],
        )
        return [row[0] for row in found]

    async def done(self, account_uuid: UUID, *, until: datetime, due_at: datetime) -> None:
        await self._connection.execute(
            """
            update payment_providers set swept_until = $3, sweep_due_at = $4
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            account_uuid,
            until,
            due_at,
        )
