"""A customer: a tenant's record at one of the app's accounts. One each, however many ask."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import AppUuid, TenantUuid


class Customer(Struct, frozen=True, kw_only=True):
    uuid: UUID
    """Also the provider's idempotency key, and in the customer's metadata there."""
    app_uuid: AppUuid
    payment_provider_uuid: UUID
    tenant_uuid: TenantUuid
    provider_ref: str | None = None
    """None: being created, by whoever holds the lease."""
    lease_until: datetime
    first_submitted_at: datetime
    created_at: datetime
    updated_at: datetime


class Customers(Protocol):
    async def claim(self, new: Customer, *, now: datetime) -> tuple[Customer, bool]:
        """The tenant's customer at the account, made if there is none.

        True: it has no reference yet, and the lease is now ours: create it at the provider.
        """
        ...

    async def adopt(self, uuid: UUID, provider_ref: str, *, at: datetime) -> None: ...

    async def release(self, uuid: UUID, *, at: datetime) -> None:
        """Let another try at once."""
        ...

    async def forget(
        self, account_uuid: UUID, tenant_uuid: TenantUuid, *, known_before: datetime, new_uuid: UUID
    ) -> None:
        """The provider has lost it: the next checkout makes another, under another key.

        Not one that we have learned of since `known_before`: that is the other already.
        """
        ...

    async def reference(self, account_uuid: UUID, tenant_uuid: TenantUuid) -> str:
        """The provider's reference of a customer that is known to exist."""
        ...
