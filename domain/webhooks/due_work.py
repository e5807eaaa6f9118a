"""Work that is due, as the rows say it themselves: there is no queue beside them.

A claim moves a row's `due_at` on, so what a dead worker held comes back by itself.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.kernel.idempotency import IdempotencyKeys
from domain.webhooks.inbox import Message


class DuePayment(Struct, frozen=True):
    account_uuid: UUID
    provider_ref: str


class DueEvent(Struct, frozen=True):
    uuid: UUID
    type: str
    aggregate_uuid: UUID
    facts: Mapping[str, object]
    happened_at: datetime


class DueWork(Protocol):
    """Batches of one app's due rows. `until`: when they are due again if nothing becomes of it."""

    async def messages(self, now: datetime, until: datetime) -> list[Message]: ...
    async def forget_messages(self, *, done_before: datetime) -> None: ...
    async def payments(self, now: datetime, until: datetime) -> list[DuePayment]: ...
    async def postpone_payment(self, account_uuid: UUID, ref: str, *, due_at: datetime) -> None: ...
    async def sessions(self, now: datetime, until: datetime) -> list[UUID]:
        """Open sessions to try to expire."""
        ...

    async def attempts(self, now: datetime) -> list[UUID]:
        """Only named: taking one up is a lease of its own."""
        ...

    async def refunds(self, now: datetime) -> list[UUID]:
        """Only named, like attempts."""
        ...

    async def events(self, now: datetime) -> list[DueEvent]:
        """Locked until the transaction ends: one worker at a time keeps an app's order."""
        ...

    async def delivered(self, uuids: list[UUID], *, at: datetime) -> None: ...


class WorkTx(Protocol):
    @property
    def due_work(self) -> DueWork: ...
    @property
    def idempotency(self) -> IdempotencyKeys: ...
