"""What a look at the provider showed of a payment, and what it does to the payment's file.

`take_in` is pure, and repeating it changes nothing. What a payment's new state means for a checkout
session or a bill is theirs to say.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.events import Event
from domain.kernel.ids import Ids
from domain.kernel.money import Money
from domain.payments import payment as payments
from domain.payments.answers import (
    MandateStatus,
    PaymentStatus,
    ProviderCapture,
    ProviderChargeback,
    ProviderMandate,
    ProviderPayment,
    ProviderRefund,
    RefundStatus,
    SequenceType,
)
from domain.payments.attempt import PaymentAttempt
from domain.payments.capture import Capture, taken_in
from domain.payments.chargeback import Chargeback
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.refund import OF_HELD, Refund, RefundReason, conclude, refund_event


class Sighting(Struct, frozen=True, kw_only=True):
    """What the provider said, and when we asked."""

    account_uuid: UUID
    payment: ProviderPayment
    mandate: ProviderMandate | None = None
    mandate_is_gone: bool = False
    """The provider says in so many words that there is no such mandate any more."""
    captures: tuple[ProviderCapture, ...] = ()
    refunds: tuple[ProviderRefund, ...] = ()
    chargebacks: tuple[ProviderChargeback, ...] = ()
    at: datetime


class PaymentFile(Struct, frozen=True, kw_only=True):
    """A payment, and what hangs on it."""

    payment: Payment
    captures: tuple[Capture, ...] = ()
    refunds: tuple[Refund, ...] = ()
    chargebacks: tuple[Chargeback, ...] = ()
    mandate: Mandate | None = None

    @property
    def is_held(self) -> bool:
        """Money that buys nothing, and is on its way back."""
        return self.payment.is_surplus or self.payment.is_verification

    @property
    def left(self) -> Money:
        """What the payment still holds: not given back, not on its way back, not taken back."""
        left = self.payment.amount
        for refund in self.refunds:
            if refund.gives_back:
                left = left - refund.amount
        for chargeback in self.chargebacks:
            if chargeback.reversed_at is None:
                left = left - chargeback.amount
        return Money(max(left.minor, 0), left.currency)

    @property
    def left_to_capture(self) -> Money:
        left = self.payment.amount
        for capture in self.captures:
            if capture.takes:
                left = left - capture.amount
        return Money(max(left.minor, 0), left.currency)


def adopt(attempt: PaymentAttempt, sighting: Sighting, *, ids: Ids) -> Payment:
    """A payment that we see for the first time; `take_in` brings it to where it is now."""
    seen = sighting.payment
    return Payment(
        uuid=ids.new(),
        app_uuid=attempt.app_uuid,
        payment_provider_uuid=attempt.payment_provider_uuid,
        provider_ref=seen.ref,
        tenant_uuid=attempt.tenant_uuid,
        attempt_uuid=attempt.uuid,
        checkout_session_uuid=attempt.checkout_session_uuid,
        bill_uuid=attempt.bill_uuid,
        sequence_type=seen.sequence_type,
        status=PaymentStatus.OPEN,
        method=seen.method,
        amount=seen.amount,
        tax=Money(0, seen.amount.currency),
        refunded=Money(0, seen.amount.currency),
        charged_back=Money(0, seen.amount.currency),
        checkout_url=seen.checkout_url,
        mandate_ref=seen.mandate_ref,
        created_at=sighting.at,
        updated_at=sighting.at,
    )


def take_in(
    file: PaymentFile, sighting: Sighting, *, ids: Ids
) -> tuple[PaymentFile, tuple[Event, ...]]:
    """The file as it is now. The caller holds the lock of what the payment is for."""
    payment, events = payments.observe(file.payment, sighting.payment, at=sighting.at)
    file = replace(file, payment=payment)
    captures, of_captures = taken_in(
        file.captures, sighting.captures, payment, at=sighting.at, ids=ids
    )
    file = replace(file, captures=captures)
    file, of_refunds = _with_refunds(file, sighting, ids)
    file, of_chargebacks = _with_chargebacks(file, sighting, ids)
    file, of_mandate = _with_mandate(file, sighting, ids)
    file = _with_the_rest(file, sighting.at, ids)
    return file, events + of_captures + of_refunds + of_chargebacks + of_mandate


def planned(file: PaymentFile, *, at: datetime) -> PaymentFile:
    """A paid payment is finished when its refunds are settled and its mandate is known."""
    payment = file.payment
    open_since = [r.created_at for r in file.refunds if not r.is_settled]
    open_since += [c.created_at for c in file.captures if not c.is_settled]
    wants_mandate = (
        payment.status is PaymentStatus.PAID
        and payment.sequence_type is SequenceType.FIRST
        and not payment.is_surplus
    )
    mandate_open = wants_mandate and (
        file.mandate is None or file.mandate.status is MandateStatus.PENDING
    )
    if mandate_open:
        open_since.append(payment.created_at)
    # A refund of an old payment is followed like one of a new payment.
    since = max(open_since, default=None)
    return replace(file, payment=payments.look_again(payment, unfinished_since=since, at=at))


def money_back(payment: Payment, reason: RefundReason, *, at: datetime, ids: Ids) -> Refund:
    """The intent to give back all that is left of a payment."""
    return Refund(
        uuid=ids.new(),
        app_uuid=payment.app_uuid,
        payment_provider_uuid=payment.payment_provider_uuid,
        payment_uuid=payment.uuid,
        reason=reason,
        amount=payment.amount - payment.refunded,
        first_submitted_at=at,
        lease_until=at,
        due_at=at,
        created_at=at,
        updated_at=at,
    )


def _with_refunds(
    file: PaymentFile, sighting: Sighting, ids: Ids
) -> tuple[PaymentFile, tuple[Event, ...]]:
    """Ours are found by our uuid, those of the provider's dashboard by its reference."""
    by_uuid: Mapping[UUID, Refund] = {r.uuid: r for r in file.refunds}
    by_ref = {r.provider_ref: r for r in file.refunds if r.provider_ref}
    after, events = dict(by_uuid), []
    for seen in sighting.refunds:
        known = by_uuid.get(seen.refund_uuid) if seen.refund_uuid else None
        known = known or by_ref.get(seen.ref)
        if known is not None and sighting.at < known.updated_at:
            continue
        before = known or _imported(file, seen, sighting.at, ids)
        refund = conclude(before, seen, at=sighting.at)
        after[refund.uuid] = refund
        if known is None:
            events.append(refund_event("refund.found", refund, at=sighting.at))
        if refund.is_settled and not (known and known.is_settled):
            events.append(refund_event(f"refund.{refund.status}", refund, at=sighting.at))
    return replace(file, refunds=tuple(after.values())), tuple(events)


def _imported(file: PaymentFile, seen: ProviderRefund, at: datetime, ids: Ids) -> Refund:
    """A refund that was made at the provider, without us."""
    return Refund(
        uuid=ids.new(),
        app_uuid=file.payment.app_uuid,
        payment_provider_uuid=file.payment.payment_provider_uuid,
        payment_uuid=file.payment.uuid,
        reason=RefundReason.DASHBOARD,
        status=RefundStatus.PENDING,
        provider_ref=seen.ref,
        amount=seen.amount,
        first_submitted_at=at,
        lease_until=at,
        due_at=at,
        created_at=at,
        updated_at=at,
    )


def _with_chargebacks(
    file: PaymentFile, sighting: Sighting, ids: Ids
) -> tuple[PaymentFile, tuple[Event, ...]]:
    known = {c.provider_ref: c for c in file.chargebacks}
    events = []
    for seen in sighting.chargebacks:
        before = known.get(seen.ref)
        if before is None:
            known[seen.ref] = taken = _chargeback(file, seen, sighting.at, ids)
            events.append(_chargeback_event("chargeback.received", taken, sighting.at))
        after = known[seen.ref]
        if seen.reversed_at is not None and after.reversed_at is None:
            after = replace(after, reversed_at=seen.reversed_at, updated_at=sighting.at)
            known[seen.ref] = after
            events.append(_chargeback_event("chargeback.reversed", after, sighting.at))
    return replace(file, chargebacks=tuple(known.values())), tuple(events)


def _chargeback(file: PaymentFile, seen: ProviderChargeback, at: datetime, ids: Ids) -> Chargeback:
    return Chargeback(
        uuid=ids.new(),
        app_uuid=file.payment.app_uuid,
        payment_provider_uuid=file.payment.payment_provider_uuid,
        payment_uuid=file.payment.uuid,
        provider_ref=seen.ref,
        amount=seen.amount,
        reason=seen.reason,
        received_at=seen.created_at,
        created_at=at,
        updated_at=at,
    )


def _with_the_rest(file: PaymentFile, at: datetime, ids: Ids) -> PaymentFile:
    """Where a bank has taken a part back before we could give back the whole, the provider declines
    the whole: what is left goes back. Each is less than the last, so this ends."""
    ours = [refund for refund in file.refunds if refund.reason in OF_HELD]
    if not file.is_held or not ours:
        return file
    last = max(ours, key=lambda refund: (refund.created_at, refund.uuid))
    if last.status is not RefundStatus.DECLINED or at < last.updated_at:
        return file
    if not 0 < file.left.minor < last.amount.minor:
        return file
    rest = replace(money_back(file.payment, last.reason, at=at, ids=ids), amount=file.left)
    return replace(file, refunds=(*file.refunds, rest))


def _chargeback_event(type: str, chargeback: Chargeback, at: datetime) -> Event:
    facts = {
        "chargebackUuid": str(chargeback.uuid),
        "paymentUuid": str(chargeback.payment_uuid),
        "currency": chargeback.amount.currency,
        "amount": chargeback.amount.minor,
        "reason": chargeback.reason,
    }
    return Event(type=type, aggregate_uuid=chargeback.payment_uuid, at=at, facts=facts)


def _with_mandate(
    file: PaymentFile, sighting: Sighting, ids: Ids
) -> tuple[PaymentFile, tuple[Event, ...]]:
    known, seen = file.mandate, sighting.mandate
    if file.payment.status is not PaymentStatus.PAID:
        return file, ()
    if sighting.mandate_is_gone:
        if known is None or known.status is MandateStatus.INVALID:
            return file, ()
        mandate = replace(known, status=MandateStatus.INVALID)
    elif seen is None:
        return file, ()
    else:
        mandate = _mandate(file.payment, seen, known, sighting.at, ids)
    if mandate == known or (known and sighting.at < known.updated_at):
        return file, ()
    mandate = replace(mandate, updated_at=sighting.at)
    file = replace(file, mandate=mandate)
    if known is not None and known.status is mandate.status:
        return file, ()
    facts = {
        "mandateUuid": str(mandate.uuid),
        "tenantUuid": str(mandate.tenant_uuid),
        "method": mandate.method,
    }
    type = f"mandate.{mandate.status}"
    return file, (Event(type=type, aggregate_uuid=mandate.uuid, at=sighting.at, facts=facts),)


def _mandate(
    payment: Payment, seen: ProviderMandate, known: Mandate | None, at: datetime, ids: Ids
) -> Mandate:
    if known is not None:
        return replace(known, method=seen.method, status=seen.status, details=seen.details)
    return Mandate(
        uuid=ids.new(),
        app_uuid=payment.app_uuid,
        payment_provider_uuid=payment.payment_provider_uuid,
        tenant_uuid=payment.tenant_uuid,
        customer_ref=seen.customer_ref,
        provider_ref=seen.ref,
        method=seen.method,
        status=seen.status,
        details=seen.details,
        created_at=at,
        updated_at=at,
    )
