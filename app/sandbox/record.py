"""What every stand-in keeps, as frozen records. A change is a new record under the old id.

Every record knows when something happens to it next (`due_at`) and under which other records it is
listed (`parents`); clock, persistence and lists need nothing else.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct


class Record(Struct, frozen=True, kw_only=True):
    id: str
    key: str  # the API key whose world it lives in
    created_at: datetime

    @property
    def due_at(self) -> datetime | None:
        return None

    @property
    def parents(self) -> tuple[str, ...]:
        return ()


class Attempt(Struct, frozen=True, rename="camel"):
    scheduled_for: datetime
    at: datetime
    status: int | None = None
    error: str | None = None


class Delivery(Record, frozen=True, kw_only=True):
    """One notification to one webhook address, with all its attempts."""

    url: str
    reason: str
    state: Literal["pending", "delivered", "failed", "dropped"] = "pending"
    first_due: datetime
    next_due: datetime | None
    attempts: tuple[Attempt, ...] = ()

    @property
    def due_at(self) -> datetime | None:
        return self.next_due


class Asked(Record, frozen=True, kw_only=True):
    """A call to the API as the log keeps it."""

    method: str
    path: str
    operation: str | None
    status: int | None = None  # None: the connection was cut without an answer
    idempotency_key: str | None = None
    replayed: bool = False
    fault: str | None = None


class Remembered(Record, frozen=True, kw_only=True):
    """The answer under an idempotency key; its id is credential and key together."""

    fingerprint: str
    status: int
    body: bytes
