"""How accounts are connected by consent, and the tokens that follow. All of them are sealed."""

from typing import Final
from uuid import UUID

from msgspec import structs

from domain.kernel.ids import AppUuid
from domain.payments.connect import Grant
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName
from infrastructure.postgres.database import Connection
from infrastructure.postgres.payment_providers import ACCOUNT_COLUMNS, account_of

_COLUMNS: Final = """
    app_uuid, payment_provider_uuid, state_hash, state_issued_at, code_hash, code_used_at,
    finished_at, organization_ref, profile_ref, onboarding_url, refresh_sealed, access_sealed,
    access_since, access_expires_at, lease_until, fence
"""


class PostgresGrants:
    """Implements `Grants`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, grant: Grant) -> None:
        await self._connection.execute(
            f"""
            insert into provider_grants ({_COLUMNS})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            """,
            *structs.astuple(grant),
        )

    async def get(self, account_uuid: UUID) -> Grant | None:
        return await self._one(account_uuid, "")

    async def get_for_update(self, account_uuid: UUID) -> Grant | None:
        return await self._one(account_uuid, "for update")

    async def _one(self, account_uuid: UUID, lock: str) -> Grant | None:
        row = await self._connection.fetchrow(
            f"""
            select {_COLUMNS} from provider_grants
             where app_uuid = $1 and payment_provider_uuid = $2 {lock}
            """,
            self._app_uuid,
            account_uuid,
        )
        return None if row is None else Grant(**dict(row.items()))

    async def save(self, grant: Grant) -> None:
        await self._connection.execute(
            """
            update provider_grants
               set state_hash = $3, state_issued_at = $4, code_hash = $5, code_used_at = $6,
                   finished_at = $7, organization_ref = $8, profile_ref = $9,
                   onboarding_url = $10, refresh_sealed = $11, access_sealed = $12,
                   access_since = $13, access_expires_at = $14, lease_until = $15, fence = $16
             where app_uuid = $1 and payment_provider_uuid = $2
            """,
            *structs.astuple(grant),
        )

    async def account(
        self, name: ProviderName, mode: ProviderMode, *, lock: bool = False
    ) -> PaymentProvider | None:
        row = await self._connection.fetchrow(
            f"""
            select {ACCOUNT_COLUMNS} from payment_providers
             where app_uuid = $1 and name = $2 and mode = $3 and connected_by = 'oauth'
               and deleted_at is null {"for update" if lock else ""}
            """,
            self._app_uuid,
            name,
            mode,
        )
        return None if row is None else account_of(row)

    async def deleted_account(
        self, name: ProviderName, mode: ProviderMode, *, with_tokens: bool = False
    ) -> PaymentProvider | None:
        row = await self._connection.fetchrow(
            f"""
            select {ACCOUNT_COLUMNS} from payment_providers p
             where app_uuid = $1 and name = $2 and mode = $3 and connected_by = 'oauth'
               and deleted_at is not null
               and (not $4 or exists (select from provider_grants g
                                       where g.app_uuid = $1 and g.payment_provider_uuid = p.uuid
                                         and g.refresh_sealed is not null))
             order by id desc limit 1 for update
            """,
            self._app_uuid,
            name,
            mode,
            with_tokens,
        )
        return None if row is None else account_of(row)

    async def account_is_used(self, account_uuid: UUID) -> bool:
        used: bool = await self._connection.fetchval(
            """
            select exists (select from customers
                            where app_uuid = $1 and payment_provider_uuid = $2)
            """,
            self._app_uuid,
            account_uuid,
        )
        return used
