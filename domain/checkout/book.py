"""A session's book: the session, what was asked for it, and what came of it, under one lock.

`settle` is where every sighting of a payment ends, whoever brought it: the create call's answer,
the shopper's return, a webhook or the worker's own look. It is pure; repeating it changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.checkout import session as sessions
from domain.checkout.attempt import PaymentAttempt, accepted
from domain.checkout.session import CheckoutSession, Mode, SessionPaymentStatus, SessionStatus
from domain.kernel.events import Event
from domain.kernel.ids import Ids
from domain.kernel.money import Money
from domain.payments import payment as payments
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.ports import (
    MandateStatus,
    PaymentStatus,
    ProviderMandate,
    ProviderPayment,
    ProviderRefund,
    SequenceType,
)
from domain.payments.refund import Refund, RefundReason, conclude


class Book(Struct, frozen=True, kw_only=True):
    session: CheckoutSession
    attempts: tuple[PaymentAttempt, ...]
    """In order; there is always a first."""
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    mandates: tuple[Mandate, ...] = ()

    @property
    def newest(self) -> PaymentAttempt:
        return self.attempts[-1]

    def attempt(self, uuid: UUID) -> PaymentAttempt:
        return next(attempt for attempt in self.attempts if attempt.uuid == uuid)

    def payment_of(self, attempt: PaymentAttempt) -> Payment | None:
        return next(
            (p for p in self.payments if p.attempt_uuid == attempt.uuid and not p.is_surplus), None
        )

    def payment_in(self, sighting: "Sighting") -> Payment | None:
        wanted = (sighting.account_uuid, sighting.payment.ref)
        return next(
            (p for p in self.payments if (p.payment_provider_uuid, p.provider_ref) == wanted), None
        )

    def with_attempt(self, attempt: PaymentAttempt) -> "Book":
        others = tuple(a for a in self.attempts if a.uuid != attempt.uuid)
        ordered = sorted((*others, attempt), key=lambda a: a.number)
        return replace(self, attempts=tuple(ordered))

    def with_payment(self, payment: Payment) -> "Book":
        others = tuple(p for p in self.payments if p.uuid != payment.uuid)
        return replace(self, payments=(*others, payment))

    def with_refund(self, refund: Refund) -> "Book":
        others = tuple(r for r in self.refunds if r.uuid != refund.uuid)
        return replace(self, refunds=(*others, refund))


class Sighting(Struct, frozen=True, kw_only=True):
    """What the provider said, and when we asked."""

    account_uuid: UUID
    payment: ProviderPayment
    mandate: ProviderMandate | None = None
    refunds: tuple[ProviderRefund, ...] = ()
    at: datetime


class Sale(Struct, frozen=True):
    """The session's payment has just been paid, for the first time: hand over what it buys."""

    session: CheckoutSession
    payment: Payment


class Settled(Struct, frozen=True):
    book: Book
    events: tuple[Event, ...] = ()
    sale: Sale | None = None


def settle(book: Book, sighting: Sighting, *, ids: Ids) -> Settled:
    """Take a sighting in. The caller holds the session's lock.

    A payment that says it is for an attempt of ours, and is not what that asked for, is left out.
    """
    assert sighting.payment.attempt_uuid is not None
    attempt = book.attempt(sighting.payment.attempt_uuid)
    known = book.payment_in(sighting)
    if known is None and not _is_what_was_asked(book, attempt, sighting):
        return Settled(book)
    payment = known or _adopt(book, attempt, sighting, ids)
    if known is None and not payment.is_surplus:
        book = book.with_attempt(accepted(attempt, at=sighting.at))
    before = payment
    payment, events = payments.observe(before, sighting.payment, at=sighting.at)
    book, refunds_ended = _with_refunds_seen(book.with_payment(payment), sighting)
    book = _with_mandate(book, payment, sighting, ids)
    settled = _follow(book, before, payment, sighting.at, ids)
    book = _planned(settled.book, payment.uuid, sighting.at)
    return Settled(book, events + refunds_ended + settled.events, settled.sale)


def _is_what_was_asked(book: Book, attempt: PaymentAttempt, sighting: Sighting) -> bool:
    """Anybody who may create payments at an account can write our metadata into one: a test
    account's payment must not pay for a live session, nor one cent for a hundred euros."""
    return (
        sighting.account_uuid == attempt.payment_provider_uuid
        and sighting.payment.amount == book.session.amount.total
    )


def _adopt(book: Book, attempt: PaymentAttempt, sighting: Sighting, ids: Ids) -> Payment:
    """A payment that we see for the first time; `observe` brings it to where it is now.

    A second one for an attempt is surplus.
    """
    seen = sighting.payment
    return Payment(
        uuid=ids.new(),
        app_uuid=book.session.app_uuid,
        payment_provider_uuid=attempt.payment_provider_uuid,
        provider_ref=seen.ref,
        tenant_uuid=attempt.tenant_uuid,
        attempt_uuid=attempt.uuid,
        checkout_session_uuid=book.session.uuid,
        is_surplus=book.payment_of(attempt) is not None,
        sequence_type=seen.sequence_type,
        status=PaymentStatus.OPEN,
        method=seen.method,
        amount=seen.amount,
        refunded=Money(0, seen.amount.currency),
        charged_back=Money(0, seen.amount.currency),
        checkout_url=seen.checkout_url,
        created_at=sighting.at,
        updated_at=sighting.at,
    )


def _follow(book: Book, before: Payment, payment: Payment, at: datetime, ids: Ids) -> Settled:
    """What a payment's new state means for its session."""
    session = book.session
    if payment.status is PaymentStatus.PAID:
        if before.status is not PaymentStatus.PAID:
            return _paid(book, payment, at, ids)
        return _with_payment_status(book, payment, at)
    if payment.is_surplus or payment.attempt_uuid != book.newest.uuid:
        return Settled(book)
    if session.status not in (SessionStatus.OPEN, SessionStatus.PROCESSING):
        return Settled(book)  # what is over keeps pointing where it did
    session = replace(
        session,
        provider_ref=payment.provider_ref,
        next_action_url=payment.checkout_url or session.next_action_url,
    )
    events: tuple[Event, ...] = ()
    if payment.status in (PaymentStatus.PENDING, PaymentStatus.AUTHORIZED):
        if session.status is SessionStatus.OPEN:
            session, events = sessions.move(session, SessionStatus.PROCESSING, at=at)
    elif payment.status in payments.ENDED and session.status is SessionStatus.PROCESSING:
        session, events = sessions.move(session, SessionStatus.OPEN, at=at)
    if session != book.session:
        session = replace(session, updated_at=at)
    return Settled(replace(book, session=session), events)


def _paid(book: Book, payment: Payment, at: datetime, ids: Ids) -> Settled:
    session = book.session
    sells = session.status in (SessionStatus.OPEN, SessionStatus.PROCESSING)
    if payment.is_surplus or not sells:
        # An expired session sells nothing, and one session sells once. The money goes back.
        payment = replace(payment, is_surplus=True)
        book = book.with_payment(payment)
        if payment.refunded < payment.amount:
            book = book.with_refund(_refund(payment, RefundReason.SURPLUS, at, ids))
        surplus = Event(
            type="payment.surplus_received",
            aggregate_uuid=payment.uuid,
            at=at,
            facts={"paymentUuid": str(payment.uuid), "amount": payment.amount.minor},
        )
        return Settled(book, (surplus,))
    session, events = sessions.move(session, SessionStatus.COMPLETE, at=at)
    session = replace(
        session,
        payment_status=SessionPaymentStatus.PAID,
        provider_ref=payment.provider_ref,
    )
    book = replace(book, session=session)
    if session.mode is Mode.SETUP and payment.refunded < payment.amount:
        book = book.with_refund(_refund(payment, RefundReason.VERIFICATION, at, ids))
    settled = _with_payment_status(book, payment, at)
    return Settled(settled.book, events, Sale(settled.book.session, payment))


def _with_payment_status(book: Book, payment: Payment, at: datetime) -> Settled:
    session = book.session
    if payment.is_surplus or session.status is not SessionStatus.COMPLETE:
        return Settled(book)
    back = not payment.refunded < payment.amount
    status = SessionPaymentStatus.REFUNDED if back else SessionPaymentStatus.PAID
    if status is session.payment_status:
        return Settled(book)
    session = replace(session, payment_status=status, updated_at=at)
    return Settled(replace(book, session=session))


def _refund(payment: Payment, reason: RefundReason, at: datetime, ids: Ids) -> Refund:
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


def _with_refunds_seen(book: Book, sighting: Sighting) -> tuple[Book, tuple[Event, ...]]:
    seen: Mapping[UUID | None, ProviderRefund] = {r.refund_uuid: r for r in sighting.refunds}
    events: tuple[Event, ...] = ()
    for refund in book.refunds:
        if refund.uuid not in seen or sighting.at < refund.updated_at:
            continue
        after = conclude(refund, seen[refund.uuid], at=sighting.at)
        book = book.with_refund(after)
        if after.is_settled and not refund.is_settled:
            facts = {"refundUuid": str(refund.uuid), "amount": refund.amount.minor}
            name, about = f"refund.{after.status}", refund.payment_uuid
            events += (Event(type=name, aggregate_uuid=about, at=sighting.at, facts=facts),)
    return book, events


def _with_mandate(book: Book, payment: Payment, sighting: Sighting, ids: Ids) -> Book:
    seen = sighting.mandate
    if seen is None or payment.status is not PaymentStatus.PAID:
        return book
    known = next((m for m in book.mandates if m.provider_ref == seen.ref), None)
    mandate = Mandate(
        uuid=known.uuid if known else ids.new(),
        app_uuid=payment.app_uuid,
        payment_provider_uuid=payment.payment_provider_uuid,
        tenant_uuid=payment.tenant_uuid,
        customer_ref=seen.customer_ref,
        provider_ref=seen.ref,
        method=seen.method,
        status=seen.status,
        details=seen.details,
        created_at=known.created_at if known else sighting.at,
        updated_at=known.updated_at if known else sighting.at,
    )
    if mandate == known or (known and sighting.at < known.updated_at):
        return book
    mandate = replace(mandate, updated_at=sighting.at)
    others = tuple(m for m in book.mandates if m.uuid != mandate.uuid)
    return replace(book, mandates=(*others, mandate))


def _planned(book: Book, payment_uuid: UUID, at: datetime) -> Book:
    """A paid payment is finished when its refunds are settled and its mandate is known."""
    payment = next(p for p in book.payments if p.uuid == payment_uuid)
    refunds_open = any(r.payment_uuid == payment_uuid and not r.is_settled for r in book.refunds)
    wants_mandate = (
        payment.status is PaymentStatus.PAID
        and payment.sequence_type is SequenceType.FIRST
        and not payment.is_surplus
    )
    mandate = next((m for m in book.mandates if m.provider_ref == payment.mandate_ref), None)
    mandate_open = wants_mandate and (mandate is None or mandate.status is MandateStatus.PENDING)
    unfinished = refunds_open or mandate_open
    return book.with_payment(payments.look_again(payment, unfinished=unfinished, at=at))
