"""What a session, or a payment, of KOMOJU's is in our words. Pure.

A session that is `completed` is not paid for that: cash only has a voucher then. One that has run
out still says `pending`. What is inside of it decides, wherever money may come of that.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from domain.kernel.errors import ProviderUnreadable
from domain.kernel.money import Money
from domain.payments.answers import (
    PaymentStatus,
    ProviderChargeback,
    ProviderPayment,
    ProviderRefund,
    RefundStatus,
    SequenceType,
)
from infrastructure.komoju.refs import Ref, ref_of
from infrastructure.komoju.wire import (
    CASH,
    WirePayment,
    WireRefund,
    WireSession,
    method_from,
    money_from,
    page_of,
    text,
    uuid_in,
    uuid_of,
)

_S = PaymentStatus
STATUS: Final[Mapping[str, PaymentStatus]] = {
    "pending": _S.OPEN,
    "authorized": _S.AUTHORIZED,
    "captured": _S.PAID,
    "refunded": _S.PAID,
    "cancelled": _S.CANCELED,
    "expired": _S.EXPIRED,
    "failed": _S.FAILED,
}
SEQUENCE_TYPE: Final[Mapping[str, SequenceType]] = {
    "payment": SequenceType.ONEOFF,
    "customer": SequenceType.FIRST,
    "customer_payment": SequenceType.FIRST,
}
_COMES_TO_NOTHING: Final = frozenset({"failed", "cancelled", "expired"})
_MAY_BE_CANCELED: Final = frozenset({_S.OPEN, _S.PENDING, _S.AUTHORIZED})


def from_session(session: WireSession) -> ProviderPayment:
    """A session and what is in it, as one payment."""
    sequence_type = SEQUENCE_TYPE.get(session.mode)
    if sequence_type is None:
        raise ProviderUnreadable("komoju's answer holds an unknown mode of a session")
    status, paid = session_status(session), session.payment
    whole = whole_of(session)
    is_paid = status is _S.PAID
    captured_at = session.completed_at if paid is None else paid.captured_at
    return ProviderPayment(
        ref=str(Ref("session", session.id)),
        status=status,
        amount=whole,
        sequence_type=sequence_type,
        refunded=_sum_of(paid, whole, is_chargeback=False),
        charged_back=_sum_of(paid, whole, is_chargeback=True),
        attempt_uuid=uuid_in(session.metadata, "attempt"),
        method=method_from(session.slug),
        checkout_url=page_of(session.session_url) if status is _S.OPEN else None,
        customer_ref=text(session.metadata, "customer"),
        mandate_ref=session.customer_id if is_paid else None,
        is_cancelable=status in _MAY_BE_CANCELED,
        paid_at=_utc(captured_at) if is_paid else None,
        created_at=(session.created_at if paid is None else paid.created_at).astimezone(UTC),
    )


def from_payment(payment: WirePayment) -> ProviderPayment:
    """A payment by itself: a charge; or a session's, as lists have it, without its session."""
    status, whole = payment_status(payment), money_from(payment.asked_for, payment.currency)
    is_paid, is_charge = status is _S.PAID, payment.session is None
    sequence_type = SequenceType.RECURRING
    if not is_charge:
        sequence_type = SequenceType.FIRST if payment.customer else SequenceType.ONEOFF
    return ProviderPayment(
        ref=str(ref_of(payment)),
        status=status,
        amount=whole,
        sequence_type=sequence_type,
        refunded=_sum_of(payment, whole, is_chargeback=False),
        charged_back=_sum_of(payment, whole, is_chargeback=True),
        attempt_uuid=uuid_in(payment.metadata, "attempt"),
        method=method_from(payment.slug),
        customer_ref=text(payment.metadata, "customer"),
        mandate_ref=payment.customer if is_paid or is_charge else None,
        is_cancelable=status in _MAY_BE_CANCELED,
        paid_at=_utc(payment.captured_at) if is_paid else None,
        created_at=payment.created_at.astimezone(UTC),
    )


def session_status(session: WireSession) -> PaymentStatus:
    inside = None if session.payment is None else payment_status(session.payment)
    if inside in (_S.PAID, _S.PENDING, _S.AUTHORIZED):
        assert inside is not None
        return inside
    match session.status:
        case "pending" if not session.expired:
            return _S.OPEN  # whatever has failed: the shopper may try again, on the same page
        case "pending" | "expired":
            over = _S.EXPIRED
        case "cancelled":
            over = _S.CANCELED
        case "completed":
            over = _completed(session, inside)
        case _:
            raise ProviderUnreadable("komoju's answer holds an unknown status of a session")
    # The page is closed, and what the shopper began there may still come to something.
    return _S.PENDING if inside is _S.OPEN else over


def _completed(session: WireSession, inside: PaymentStatus | None) -> PaymentStatus:
    if inside is not None:
        return inside
    if session.mode != "customer":
        raise ProviderUnreadable("komoju says that a session is completed, and by no payment")
    return _S.PAID  # nothing was to be paid: the customer is kept


def payment_status(payment: WirePayment) -> PaymentStatus:
    status = STATUS.get(payment.status)
    if status is None:
        raise ProviderUnreadable("komoju's answer holds an unknown payment status")
    is_voucher = payment.slug in CASH or payment.payment_deadline is not None
    return _S.PENDING if status is _S.AUTHORIZED and is_voucher else status


def refunds_in(payment: WirePayment, whole: Money, ref: Ref) -> tuple[ProviderRefund, ...]:
    """That it was made is all there is to a refund at KOMOJU. The newest first."""
    made = [
        ProviderRefund(
            ref=refund.id,
            status=RefundStatus.REFUNDED,
            amount=share,
            refund_uuid=uuid_of(refund.description),
            payment_ref=str(ref),
            created_at=refund.created_at.astimezone(UTC),
        )
        for refund, share in shares(payment, whole)
        if not refund.chargeback
    ]
    return tuple(reversed(made))


def chargebacks_in(payment: WirePayment, whole: Money, ref: Ref) -> tuple[ProviderChargeback, ...]:
    """A refund that nobody asked for: the bank took it. The newest first."""
    taken = [
        ProviderChargeback(
            ref=refund.id,
            payment_ref=str(ref),
            amount=share,
            created_at=refund.created_at.astimezone(UTC),
        )
        for refund, share in shares(payment, whole)
        if refund.chargeback
    ]
    return tuple(reversed(taken))


def shares(payment: WirePayment, whole: Money) -> Iterator[tuple[WireRefund, Money]]:
    """How much of what we asked for each refund is, in the order in which they were made.

    A shopper may pay in another currency than we asked for, and is refunded in that. Shares are
    exact then too: all that was paid is all that was asked for, and no unit is lost in between. One
    that comes to less than a unit is left out; the next has it.
    """
    base, gone = payment.asked_for, 0
    for refund in payment.refunds or ():
        if refund.currency != payment.currency:
            raise ProviderUnreadable("komoju's answer mixes two currencies in one payment")
        before, gone = gone, min(gone + refund.amount, base)
        share = whole.minor * gone // base - whole.minor * before // base if base else 0
        if share:
            yield refund, Money(share, whole.currency)


def whole_of(session: WireSession) -> Money:
    """What the shopper was asked for, without any fee.

    Raises ProviderUnreadable when the money in it is another amount. Where the shopper pays in
    another currency, KOMOJU changes it, and only the session itself can be compared.
    """
    paid, whole = session.payment, money_from(session.amount, session.currency)
    if paid is None or paid.currency != session.currency or paid.status in _COMES_TO_NOTHING:
        return whole
    if paid.asked_for != session.amount:
        raise ProviderUnreadable("komoju says that another amount was paid than was asked for")
    return whole


def _sum_of(payment: WirePayment | None, whole: Money, *, is_chargeback: bool) -> Money:
    minor = 0
    if payment is not None:
        found = shares(payment, whole)
        minor = sum(share.minor for refund, share in found if refund.chargeback is is_chargeback)
    return Money(minor, whole.currency)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
