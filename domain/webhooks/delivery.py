"""A delivery: one event on its way to one endpoint, tried until it arrives or we give up.

Deliveries of one aggregate to one endpoint stand in line: only the first is due, and the next one
becomes due when it is settled, one way or the other.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import AppUuid

RETRIES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After each failure: ten tries in 75 h 35 min, as Standard Webhooks proposes."""

TRIES_MAX: Final = len(RETRIES) + 1
JITTER_PERMILLE: Final = 200
"""A retry comes up to a fifth earlier or later, so that receivers are not met all at once."""

RETRY_AFTER_MAX: Final = timedelta(hours=24)
GONE: Final = 410


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Out of tries, or its endpoint was disabled. A replay is another delivery."""


class Delivery(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    webhook_endpoint_uuid: UUID
    event_uuid: UUID
    aggregate_uuid: UUID
    is_replay: bool = False
    status: DeliveryStatus = DeliveryStatus.PENDING
    tries: int = 0
    due_at: datetime | None = None
    """None: settled, or another one is before it."""
    created_at: datetime
    settled_at: datetime | None = None


class Try(Struct, frozen=True, kw_only=True):
    """What became of one request: a status, or why there was none."""

    number: int
    tried_at: datetime
    duration_ms: int
    http_status: int | None = None
    error: str | None = None
    excerpt: str = ""
    """The beginning of what the receiver said."""

    @property
    def is_success(self) -> bool:
        return self.http_status is not None and 200 <= self.http_status < 300

    @property
    def is_gone(self) -> bool:
        return self.http_status == GONE


def next_try_at(
    tries: int, *, at: datetime, jitter_permille: int, retry_after: timedelta | None
) -> datetime | None:
    """After so many tries, all in vain. None: no more. Who asks for more time gets it."""
    if tries >= TRIES_MAX:
        return None
    wait = RETRIES[tries - 1] * (1000 + jitter_permille) // 1000
    asked_for = min(retry_after or timedelta(), RETRY_AFTER_MAX)
    return at + max(wait, asked_for)
