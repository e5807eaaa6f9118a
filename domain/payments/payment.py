"""A payment: what a provider holds, as we last saw it.

A status only moves along MOVES; a look that is older than what we know changes nothing. Refunds
and chargebacks do not change the status: they are amounts beside it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.events import Event
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.money import Money
from domain.payments.answers import PaymentStatus, ProviderPayment, SequenceType

_S = PaymentStatus

# Paid is reachable from everywhere: money that has arrived is a fact, however late we hear of it.
MOVES: Final[Mapping[PaymentStatus, frozenset[PaymentStatus]]] = {
    _S.OPEN: frozenset(_S) - {_S.OPEN},
    _S.PENDING: frozenset({_S.AUTHORIZED, _S.PAID, _S.FAILED, _S.CANCELED, _S.EXPIRED}),
    _S.AUTHORIZED: frozenset({_S.PAID, _S.FAILED, _S.CANCELED, _S.EXPIRED}),
    _S.FAILED: frozenset({_S.PAID}),
    _S.CANCELED: frozenset({_S.PAID}),
    _S.EXPIRED: frozenset({_S.PAID}),
    _S.PAID: frozenset(),
}

ENDED: Final = frozenset({_S.FAILED, _S.CANCELED, _S.EXPIRED})
"""Nothing was paid, and nothing will be."""

LOOKS: Final = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
"""How old a payment, or a refund of it, is when we look without having been told to; after these,
every six hours. A lost webhook costs two minutes."""
LATER_LOOKS: Final = timedelta(hours=6)
PATIENCE: Final = timedelta(days=14)
"""How long a paid payment's mandate and refunds are followed. Mandates are decided within 72
hours, refunds within days."""


class Payment(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    payment_provider_uuid: UUID
    provider_ref: str
    tenant_uuid: TenantUuid
    attempt_uuid: UUID
    checkout_session_uuid: UUID | None = None
    bill_uuid: UUID | None = None
    """What it was asked for: exactly one of the two."""
    is_surplus: bool = False
    """Money that buys nothing: a second payment, or one for an expired session. Given back."""
    is_verification: bool = False
    """Only proves that a payment method works. Given back."""
    sequence_type: SequenceType
    status: PaymentStatus
    method: str | None = None
    amount: Money
    """What is asked for; once it is paid, what was captured of that."""
    captured: Money | None = None
    """Of one that is authorized first and captured later."""
    tax: Money
    """As much of the amount as is tax; 0 until it is paid, and for what buys nothing."""
    refunded: Money
    charged_back: Money
    failure_reason: str | None = None
    checkout_url: str | None = None
    customer_ref: str | None = None
    mandate_ref: str | None = None
    paid_at: datetime | None = None
    due_at: datetime | None = None
    """When to look at the provider without being told; None: no more."""
    created_at: datetime
    updated_at: datetime

    @property
    def is_live(self) -> bool:
        """Could still take the shopper's money."""
        return self.status in (_S.OPEN, _S.PENDING, _S.AUTHORIZED)


def observe(
    payment: Payment, seen: ProviderPayment, *, at: datetime
) -> tuple[Payment, tuple[Event, ...]]:
    """Take in what the provider reports. Seeing it twice changes nothing."""
    assert seen.ref == payment.provider_ref, (seen.ref, payment.provider_ref)
    moved = seen.status is not payment.status
    if moved and seen.status not in MOVES[payment.status]:
        return payment, ()
    if not moved and at < payment.updated_at:  # two looks overtook each other
        return payment, ()
    after = replace(
        payment,
        amount=seen.worth,
        captured=seen.captured,
        status=seen.status,
        method=seen.method or payment.method,
        refunded=seen.refunded,
        charged_back=seen.charged_back,
        failure_reason=seen.failure_reason or payment.failure_reason,
        checkout_url=seen.checkout_url or payment.checkout_url,
        customer_ref=seen.customer_ref or payment.customer_ref,
        mandate_ref=seen.mandate_ref or payment.mandate_ref,
        paid_at=(seen.paid_at or at) if moved and seen.status is _S.PAID else payment.paid_at,
    )
    if after == payment:
        return payment, ()
    return replace(after, updated_at=at), tuple(_events(payment, after, at))


def look_again(payment: Payment, *, unfinished_since: datetime | None, at: datetime) -> Payment:
    """Plan the next look. `unfinished_since`: since when something about a final payment has been
    on its way; None: nothing is."""
    since = unfinished_since
    if payment.is_live:
        since = max(payment.created_at, unfinished_since or payment.created_at)
    if since is None or (not payment.is_live and at - since >= PATIENCE):
        return replace(payment, due_at=None)
    age = at - since
    planned = next((look for look in LOOKS if look > age), (age // LATER_LOOKS + 1) * LATER_LOOKS)
    return replace(payment, due_at=since + planned)


def _events(before: Payment, after: Payment, at: datetime) -> list[Event]:
    session, bill = after.checkout_session_uuid, after.bill_uuid
    facts = {
        "paymentUuid": str(after.uuid),
        "checkoutSessionUuid": None if session is None else str(session),
        "billUuid": None if bill is None else str(bill),
        "tenantUuid": str(after.tenant_uuid),
        "currency": after.amount.currency,
        "amount": after.amount.minor,
        "refunded": after.refunded.minor,
        "chargedBack": after.charged_back.minor,
    }
    types = []
    if after.status is not before.status:
        types.append(f"payment.{after.status}")
    if after.refunded != before.refunded:
        types.append("payment.refunded_amount_changed")
    if after.charged_back != before.charged_back:
        types.append("payment.charged_back_amount_changed")
    return [Event(type=t, aggregate_uuid=after.uuid, at=at, facts=facts) for t in types]
