"""What happened, in the past tense, on its way to whoever wants to know.

Events are written in the transaction of the change that they tell of, and leave from there.
Payloads carry ids and amounts, never names or addresses.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct


class Event(Struct, frozen=True, kw_only=True):
    type: str
    """`<noun>.<past tense>`, for example `checkout_session.completed`."""
    aggregate_uuid: UUID
    """The row that it happened to; events of one aggregate keep their order."""
    at: datetime
    facts: Mapping[str, object]


class Outbox(Protocol):
    async def append(self, *events: Event) -> None: ...
