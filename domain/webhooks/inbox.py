"""The inbox: what providers told us, stored before it is understood, believed in nothing.

A message is only a hint that a payment may have changed.
"""

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import AppUuid


class Outcome(StrEnum):
    OBSERVED = "observed"
    IGNORED = "ignored"
    """Not about a payment of ours."""


class Message(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    payment_provider_uuid: UUID
    provider_ref: str
    event_id: str | None = None
    """The provider's, where it gives its events one."""
    tries: int = 0
    due_at: datetime
    received_at: datetime


class Inbox(Protocol):
    async def add(self, message: Message) -> bool:
        """False, and nothing is added: the account has told us of this event before."""
        ...

    async def done(self, uuid: UUID, outcome: Outcome, *, at: datetime) -> None: ...
    async def postpone(self, uuid: UUID, *, due_at: datetime) -> None: ...


class InboxTx(Protocol):
    @property
    def inbox(self) -> Inbox: ...


class Directory(Protocol):
    """The questions that are asked before the app is known."""

    async def app_of_account(self, account_uuid: UUID) -> AppUuid | None: ...
    async def apps_with_due_work(self, at: datetime) -> tuple[AppUuid, ...]: ...
