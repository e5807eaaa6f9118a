"""Work that is due, as the rows say it themselves: there is no queue beside them.

A claim moves a row's `due_at` on, so what a dead worker held comes back by itself.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.kernel.idempotency import IdempotencyKeys
from domain.payments.payment_provider import ProviderName
from domain.webhooks.inbox import Message
from domain.webhooks.ports import WebhookDeliveries


class DuePayment(Struct, frozen=True):
    account_uuid: UUID
    provider_ref: str


class DueWork(Protocol):
    """Batches of one app's due rows. `until`: when they are due again if nothing becomes of it."""

    async def messages(self, now: datetime, until: datetime) -> list[Message]: ...
    async def forget_messages(self, *, done_before: datetime) -> None: ...
    async def forget_provider_calls(self, *, made_before: datetime) -> None: ...
    async def forget_details(self, *, ended_before: datetime) -> None:
        """What shoppers have told of themselves for checkouts that sold nothing."""
        ...

    async def payments(self, now: datetime, until: datetime) -> list[DuePayment]: ...
    async def postpone_payment(self, account_uuid: UUID, ref: str, *, due_at: datetime) -> None: ...
    async def sessions(self, now: datetime, until: datetime) -> list[UUID]:
        """Open sessions to try to expire."""
        ...

    async def attempts(self, now: datetime) -> list[UUID]:
        """Only named: taking one up is a lease of its own."""
        ...

    async def subscriptions(self, now: datetime, until: datetime) -> list[UUID]:
        """Those in real time for which something is due."""
        ...

    async def test_clocks(self, now: datetime, until: datetime) -> list[UUID]:
        """Those that are on their way, or past what is due by them."""
        ...

    async def accounts(
        self, names: Collection[ProviderName], now: datetime, until: datetime
    ) -> list[UUID]:
        """Accounts at these providers whose lists are to be read again."""
        ...

    async def refunds(self, now: datetime) -> list[UUID]:
        """Only named, like attempts."""
        ...

    async def captures(self, now: datetime) -> list[UUID]:
        """Only named, like attempts."""
        ...


class WorkTx(Protocol):
    @property
    def due_work(self) -> DueWork: ...
    @property
    def idempotency(self) -> IdempotencyKeys: ...
    @property
    def webhook_deliveries(self) -> WebhookDeliveries: ...
