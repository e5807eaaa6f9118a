"""What managing an app's accounts at payment providers needs from outside."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.kernel.events import Outbox
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.payment_provider import PaymentProvider, ProviderName


class PaymentProviders(Protocol):
    """Deleted accounts are found by `get` alone: their payments still refer to them."""

    async def add(self, account: PaymentProvider) -> PaymentProvider:
        """With the id that the database gave it.

        Raises Conflict when another became the default of its name at the same time; and when a
        merchant is to connect it and there is one already, after which the transaction goes on.
        """
        ...

    async def get(self, uuid: UUID) -> PaymentProvider:
        """Deleted or not. Raises NotFound."""
        ...

    async def get_for_update(self, uuid: UUID) -> PaymentProvider: ...

    async def default(self, name: ProviderName) -> PaymentProvider | None:
        """The account that is used when nothing names one."""
        ...

    async def usual(
        self, tenant_uuid: TenantUuid, mandate_uuid: UUID | None
    ) -> PaymentProvider | None:
        """Where a tenant is charged when nothing else says it: of the defaults the one with that
        mandate, or with a valid one of the tenant's, or the oldest."""
        ...

    async def page(self, request: PageRequest) -> Page[PaymentProvider]:
        """Those in use, newest first."""
        ...

    async def save(self, account: PaymentProvider) -> None: ...

    async def clear_default(self, name: ProviderName, *, at: datetime) -> None:
        """No account of this name is the default any more. Another is saved as it next."""
        ...


class AccountsTx(Protocol):
    """The part of a transaction that the accounts' service may touch."""

    @property
    def payment_providers(self) -> PaymentProviders: ...
    @property
    def outbox(self) -> Outbox: ...
