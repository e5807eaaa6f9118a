"""An app's accounts at payment providers. Credentials are sealed before they come here."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from domain.kernel.errors import Conflict, NotFound
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.application_fee import ApplicationFee
from domain.payments.payment_provider import (
    ConnectedBy,
    Parting,
    PaymentProvider,
    ProviderMode,
    ProviderName,
)
from domain.payments.sweep_account import SWEEP_EVERY
from infrastructure.postgres.database import Connection

ACCOUNT_COLUMNS: Final = """
    uuid, app_uuid, id, name, mode, title, is_default, credential_sealed, credential_hint,
    verification_amount_minor, created_at, updated_at, deleted_at, webhook_secret_sealed,
    connected_by, is_connected, account_ref, profile_ref, provider_metadata, disconnected_because,
    application_fee, credential_since
"""


class PostgresPaymentProviders:
    """Implements `PaymentProviders`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, account: PaymentProvider) -> PaymentProvider:
        row = await self._connection.fetchrow(
            f"""
            insert into payment_providers (
                app_uuid, uuid, name, mode, title, is_default, credential_sealed, credential_hint,
                verification_amount_minor, created_at, updated_at, deleted_at, swept_until,
                sweep_due_at, webhook_secret_sealed, connected_by, is_connected, account_ref,
                profile_ref, provider_metadata, disconnected_because, application_fee
            )
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $10, $13, $14, $15, $16, $17,
                    $18, $19, $20, $21)
            on conflict (app_uuid, name, mode)
             where connected_by = 'oauth' and deleted_at is null do nothing
            returning {ACCOUNT_COLUMNS}
            """,
            account.app_uuid,
            account.uuid,
            account.name,
            account.mode,
            account.title,
            account.is_default,
            account.credential_sealed,
            account.credential_hint,
            account.verification_amount_minor,
            account.created_at,
            account.updated_at,
            account.deleted_at,
            account.created_at + SWEEP_EVERY,
            account.webhook_secret_sealed,
            account.connected_by,
            account.is_connected,
            account.account_ref,
            account.profile_ref,
            account.provider_metadata,
            account.disconnected_because,
            account.application_fee,
        )
        if row is None:
            raise Conflict("the account was made at the same time")
        return account_of(row)

    async def get(self, uuid: UUID) -> PaymentProvider:
        row = await self._connection.fetchrow(
            f"select {ACCOUNT_COLUMNS} from payment_providers where app_uuid = $1 and uuid = $2",
            self._app_uuid,
            uuid,
        )
        return self._found(uuid, row)

    async def get_for_update(self, uuid: UUID) -> PaymentProvider:
        row = await self._connection.fetchrow(
            f"""
            select {ACCOUNT_COLUMNS}
              from payment_providers
             where app_uuid = $1 and uuid = $2
               for update
            """,
            self._app_uuid,
            uuid,
        )
        return self._found(uuid, row)

    async def default(self, name: ProviderName) -> PaymentProvider | None:
        row = await self._connection.fetchrow(
            f"""
            select {ACCOUNT_COLUMNS}
              from payment_providers
             where app_uuid = $1 and name = $2 and is_default and deleted_at is null
            """,
            self._app_uuid,
            name,
        )
        return None if row is None else account_of(row)

    async def usual(
        self, tenant_uuid: TenantUuid, mandate_uuid: UUID | None
    ) -> PaymentProvider | None:
        row = await self._connection.fetchrow(
            f"""
            select {ACCOUNT_COLUMNS}
              from payment_providers p
              left join lateral (
                    select bool_or(m.uuid = $3) as is_named, count(*) as valid
                      from mandates m
                     where m.app_uuid = $1 and m.payment_provider_uuid = p.uuid
                       and m.tenant_uuid = $2 and m.status = 'valid') m on true
             where p.app_uuid = $1 and p.is_default and p.deleted_at is null
             order by coalesce(m.is_named, false) desc, m.valid > 0 desc, p.uuid
             limit 1
            """,
            self._app_uuid,
            tenant_uuid,
            mandate_uuid,
        )
        return None if row is None else account_of(row)

    async def page(self, request: PageRequest) -> Page[PaymentProvider]:
        # The count is the first table, so that a page past the end still tells it.
        rows = await self._connection.fetch(
            f"""
            select used.total, account.*
              from (
                    select count(*) as total
                      from payment_providers
                     where app_uuid = $1 and deleted_at is null
                   ) as used
                   left join (
                    select {ACCOUNT_COLUMNS}
                      from payment_providers
                     where app_uuid = $1 and deleted_at is null
                     order by uuid desc
                     limit $2 offset $3
                   ) as account on true
             order by account.uuid desc
            """,
            self._app_uuid,
            request.limit,
            request.offset,
        )
        accounts = tuple(account_of(row) for row in rows if row["uuid"] is not None)
        return Page(accounts, rows[0]["total"])

    async def save(self, account: PaymentProvider) -> None:
        await self._connection.execute(
            """
            update payment_providers
               set title = $3, is_default = $4, credential_sealed = $5, credential_hint = $6,
                   verification_amount_minor = $7, updated_at = $8, deleted_at = $9,
                   webhook_secret_sealed = $10, is_connected = $11, account_ref = $12,
                   profile_ref = $13, provider_metadata = $14, disconnected_because = $15,
                   application_fee = $16, credential_since = $17
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            account.uuid,
            account.title,
            account.is_default,
            account.credential_sealed,
            account.credential_hint,
            account.verification_amount_minor,
            account.updated_at,
            account.deleted_at,
            account.webhook_secret_sealed,
            account.is_connected,
            account.account_ref,
            account.profile_ref,
            account.provider_metadata,
            account.disconnected_because,
            account.application_fee,
            account.credential_since,
        )

    async def clear_default(self, name: ProviderName, *, at: datetime) -> None:
        await self._connection.execute(
            """
            update payment_providers
               set is_default = false, updated_at = $3
             where app_uuid = $1 and name = $2 and is_default and deleted_at is null
            """,
            self._app_uuid,
            name,
            at,
        )

    def _found(self, uuid: UUID, row: asyncpg.Record | None) -> PaymentProvider:
        if row is None:
            raise NotFound("payment provider", uuid)
        return account_of(row)


def account_of(row: asyncpg.Record) -> PaymentProvider:
    """From all columns of `payment_providers`."""
    return PaymentProvider(
        uuid=row["uuid"],
        app_uuid=row["app_uuid"],
        id=row["id"],
        name=ProviderName(row["name"]),
        mode=ProviderMode(row["mode"]),
        title=row["title"],
        is_default=row["is_default"],
        credential_sealed=row["credential_sealed"],
        credential_hint=row["credential_hint"],
        webhook_secret_sealed=row["webhook_secret_sealed"],
        verification_amount_minor=row["verification_amount_minor"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row["deleted_at"],
        provider_metadata=row["provider_metadata"],
        **connection_facts(row),
    )


def connection_facts(row: asyncpg.Record) -> dict[str, Any]:
    """Of an account: all that decides about payments through it, and how to call for it."""
    fee, parting = row["application_fee"], row["disconnected_because"]
    return {
        "credential_since": row["credential_since"],
        "connected_by": ConnectedBy(row["connected_by"]),
        "is_connected": row["is_connected"],
        "account_ref": row["account_ref"],
        "profile_ref": row["profile_ref"],
        "disconnected_because": None if parting is None else Parting(parting),
        "application_fee": None if fee is None else msgspec.convert(fee, ApplicationFee),
    }
