"""A refund: first our intent, then what the provider made of it."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.events import Event
from domain.kernel.ids import AppUuid
from domain.kernel.money import Money
from domain.payments.answers import Declined, ProviderRefund, RefundStatus


class RefundReason(StrEnum):
    VERIFICATION = "verification"
    """The small amount of a `setup` session."""
    SURPLUS = "surplus"
    """Money that bought nothing."""
    REQUESTED = "requested"
    """The app asked for it."""
    DASHBOARD = "dashboard"
    """Made at the provider, without us, and found there."""


OF_HELD: Final = frozenset({RefundReason.VERIFICATION, RefundReason.SURPLUS})
"""Of money that is not the app's to keep: we give it back by ourselves."""

SETTLED: Final = frozenset(
    {RefundStatus.REFUNDED, RefundStatus.FAILED, RefundStatus.CANCELED, RefundStatus.DECLINED}
)

FELL_THROUGH: Final = frozenset({RefundStatus.FAILED, RefundStatus.CANCELED, RefundStatus.DECLINED})


class Refund(Struct, frozen=True, kw_only=True):
    uuid: UUID
    """Also the provider's idempotency key."""
    app_uuid: AppUuid
    payment_provider_uuid: UUID
    payment_uuid: UUID
    reason: RefundReason
    status: RefundStatus = RefundStatus.REQUESTED
    provider_ref: str | None = None
    amount: Money
    description: str | None = None
    """The app's own words, for its people."""
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
    def gives_back(self) -> bool:
        """It has given the money back, or still may."""
        return self.status not in FELL_THROUGH


def conclude(refund: Refund, answer: ProviderRefund | Declined, *, at: datetime) -> Refund:
    """Also takes in later sightings of the same refund."""
    if isinstance(answer, Declined):
        return replace(
            refund, status=RefundStatus.DECLINED, decline_reason=answer.reason, updated_at=at
        )
    after = replace(refund, status=answer.status, provider_ref=answer.ref)
    return refund if after == refund else replace(after, updated_at=at)


def refund_event(type: str, refund: Refund, *, at: datetime) -> Event:
    """In the payment's stream."""
    facts = {
        "refundUuid": str(refund.uuid),
        "paymentUuid": str(refund.payment_uuid),
        "reason": refund.reason,
        "currency": refund.amount.currency,
        "amount": refund.amount.minor,
    }
    return Event(type=type, aggregate_uuid=refund.payment_uuid, at=at, facts=facts)
