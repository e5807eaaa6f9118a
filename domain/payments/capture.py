"""A capture: takes a part of the money that a payment holds, or all of it. First our intent, then
what the provider made of it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.events import Event
from domain.kernel.ids import AppUuid, Ids
from domain.kernel.money import Money
from domain.payments.answers import CaptureStatus, Declined, ProviderCapture
from domain.payments.payment import Payment

_S = CaptureStatus

FELL_THROUGH: Final = frozenset({_S.FAILED, _S.DECLINED})
SETTLED: Final = FELL_THROUGH | {_S.SUCCEEDED}


class Capture(Struct, frozen=True, kw_only=True):
    uuid: UUID
    """Also the provider's idempotency key."""
    app_uuid: AppUuid
    payment_provider_uuid: UUID
    payment_uuid: UUID
    status: CaptureStatus = CaptureStatus.REQUESTED
    provider_ref: str | None = None
    amount: Money
    description: str | None = None
    """What the payer reads, where the method shows it."""
    decline_reason: str | None = None
    first_submitted_at: datetime
    tries: int = 0
    lease_until: datetime
    due_at: datetime
    created_at: datetime
    updated_at: datetime

    @property
    def is_settled(self) -> bool:
        return self.status in SETTLED

    @property
    def takes(self) -> bool:
        """It has taken the money, or still may."""
        return self.status not in FELL_THROUGH


def conclude(capture: Capture, answer: ProviderCapture | Declined, *, at: datetime) -> Capture:
    """Also takes in later sightings of the same capture. What is settled stays so."""
    if isinstance(answer, Declined):
        reason = answer.reason
        return replace(capture, status=_S.DECLINED, decline_reason=reason, updated_at=at)
    if capture.status in (_S.SUCCEEDED, _S.FAILED):
        return capture
    after = replace(capture, status=answer.status, provider_ref=answer.ref)
    return capture if after == capture else replace(after, updated_at=at)


def capture_event(type: str, capture: Capture, *, at: datetime) -> Event:
    """In the payment's stream."""
    facts = {
        "captureUuid": str(capture.uuid),
        "paymentUuid": str(capture.payment_uuid),
        "currency": capture.amount.currency,
        "amount": capture.amount.minor,
    }
    return Event(type=type, aggregate_uuid=capture.payment_uuid, at=at, facts=facts)


def taken_in(
    known: tuple[Capture, ...],
    seen: tuple[ProviderCapture, ...],
    payment: Payment,
    *,
    at: datetime,
    ids: Ids,
) -> tuple[tuple[Capture, ...], tuple[Event, ...]]:
    """Ours are found by our uuid, those that were made without us by the provider's reference."""
    after, events = {c.uuid: c for c in known}, []
    by_ref = {c.provider_ref: c for c in known if c.provider_ref}
    for one in seen:
        before = after.get(one.capture_uuid) if one.capture_uuid else by_ref.get(one.ref)
        if before is not None and at < before.updated_at:
            continue
        capture = conclude(before or _imported(payment, one, at, ids), one, at=at)
        after[capture.uuid] = capture
        if capture.is_settled and not (before and before.is_settled):
            events.append(capture_event(f"capture.{capture.status}", capture, at=at))
    return tuple(after.values()), tuple(events)


def _imported(payment: Payment, seen: ProviderCapture, at: datetime, ids: Ids) -> Capture:
    return Capture(
        uuid=ids.new(),
        app_uuid=payment.app_uuid,
        payment_provider_uuid=payment.payment_provider_uuid,
        payment_uuid=payment.uuid,
        status=_S.PENDING,
        provider_ref=seen.ref,
        amount=seen.amount,
        first_submitted_at=at,
        lease_until=at,
        due_at=at,
        created_at=at,
        updated_at=at,
    )
