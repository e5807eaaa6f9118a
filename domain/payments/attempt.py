"""A payment attempt: what we asked of the provider, written down before asking.

It collects for a checkout session or for a bill. The exact bytes and the key (the attempt's uuid)
are fixed, so that asking again is the same question. A lease says who may ask now; `due_at` says
when a worker may.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.ids import AppUuid, TenantUuid


class AttemptStatus(StrEnum):
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    NEEDS_REVIEW = "needs_review"
    """The provider's answer contradicts what we asked. A person must look."""


class AttemptKind(StrEnum):
    PAYMENT = "payment"
    FORM = "form"
    """Asks for a form that the app embeds, in which payments are made."""


class Form(Struct, frozen=True):
    """The form that an attempt has been given."""

    ref: str
    client_token: str


BACKOFF_FIRST: Final = timedelta(seconds=10)
BACKOFF_MAX: Final = timedelta(minutes=10)
PATIENT_BACKOFF_MAX: Final = timedelta(hours=1)


class OwnerKind(StrEnum):
    SESSION = "session"
    BILL = "bill"


class Owner(Struct, frozen=True):
    """What an attempt collects for."""

    kind: OwnerKind
    uuid: UUID


class PaymentAttempt(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    checkout_session_uuid: UUID | None = None
    bill_uuid: UUID | None = None
    """What it collects for: exactly one of the two."""
    number: int
    payment_provider_uuid: UUID
    tenant_uuid: TenantUuid
    kind: AttemptKind = AttemptKind.PAYMENT
    form: Form | None = None
    status: AttemptStatus = AttemptStatus.SUBMITTING
    request: bytes
    """Empty once the provider has answered."""
    decline_reason: str | None = None
    first_submitted_at: datetime
    tries: int = 1
    lease_until: datetime
    due_at: datetime
    created_at: datetime
    updated_at: datetime

    @property
    def owner(self) -> Owner:
        if self.bill_uuid is not None:
            return Owner(OwnerKind.BILL, self.bill_uuid)
        assert self.checkout_session_uuid is not None
        return Owner(OwnerKind.SESSION, self.checkout_session_uuid)


class PaymentAttempts(Protocol):
    """The journal of attempts, whatever they collect for."""

    async def owner(self, uuid: UUID) -> Owner | None:
        """None: we made no such attempt."""
        ...

    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> PaymentAttempt | None:
        """Take up a waiting attempt whose lease is over. None: it is not ours to take."""
        ...

    async def release(self, held: PaymentAttempt, *, now: datetime, due_at: datetime) -> None:
        """End our lease, unless somebody has taken the attempt up since: then it is theirs."""
        ...


def backoff(tries: int) -> timedelta:
    """10 s, 20 s, 40 s ... 10 min."""
    doublings = min(max(tries - 1, 0), 10)
    return min(BACKOFF_FIRST * (1 << doublings), BACKOFF_MAX)


def patient_backoff(tries: int, age: timedelta) -> timedelta:
    """Of what is never given up: after hours of silence, once an hour."""
    return max(backoff(tries), min(age / 6, PATIENT_BACKOFF_MAX))


def accepted(attempt: PaymentAttempt, *, at: datetime) -> PaymentAttempt:
    """What was asked is never asked again, and may hold what is nobody's business: it goes."""
    return replace(attempt, status=AttemptStatus.ACCEPTED, request=b"", updated_at=at)


def declined(attempt: PaymentAttempt, reason: str, *, at: datetime) -> PaymentAttempt:
    no = AttemptStatus.DECLINED
    return replace(attempt, status=no, decline_reason=reason, request=b"", updated_at=at)
