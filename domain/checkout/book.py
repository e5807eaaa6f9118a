"""A session's book: the session, what was asked for it, and what came of it, under one lock.

`settle` is where every sighting of a payment ends, whoever brought it: the create call's answer,
the shopper's return, a webhook or the worker's own look. It is pure; repeating it changes nothing.
"""

from collections.abc import Mapping
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.checkout import session as sessions
from domain.checkout.session import CheckoutSession, SessionPaymentStatus, SessionStatus
from domain.kernel.events import Event
from domain.kernel.ids import Ids
from domain.kernel.money import Money
from domain.ledger import rules
from domain.ledger.parts import nothing, part_of
from domain.ledger.posting import Posting
from domain.payments import payment as payments
from domain.payments.answers import PaymentStatus
from domain.payments.attempt import AttemptStatus, PaymentAttempt, accepted
from domain.payments.capture import Capture
from domain.payments.chargeback import Chargeback
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.postings import fact_of, money_back_postings
from domain.payments.refund import Refund, RefundReason
from domain.payments.sighting import (
    PaymentFile,
    Sighting,
    adopt,
    money_back,
    planned,
    take_in,
)


class Book(Struct, frozen=True, kw_only=True):
    session: CheckoutSession
    attempts: tuple[PaymentAttempt, ...]
    """In order. None yet, while the shopper has to tell us something first."""
    payments: tuple[Payment, ...] = ()
    captures: tuple[Capture, ...] = ()
    refunds: tuple[Refund, ...] = ()
    chargebacks: tuple[Chargeback, ...] = ()
    mandates: tuple[Mandate, ...] = ()

    @property
    def newest(self) -> PaymentAttempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def was_declined(self) -> bool:
        """By a bank, or by the provider before any bank was asked."""
        payment = self.newest_payment
        if payment is not None:
            return payment.status is PaymentStatus.FAILED
        return self.newest is not None and self.newest.status is AttemptStatus.DECLINED

    @property
    def needs_details(self) -> bool:
        """The shopper has to tell something before there can be a payment."""
        asks = bool(self.session.terms.asks) and self.session.collected is None
        return asks and not self.attempts

    @property
    def newest_payment(self) -> Payment | None:
        return None if self.newest is None else self.payment_of(self.newest)

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

    def file_of(self, payment: Payment) -> PaymentFile:
        return PaymentFile(
            payment=payment,
            captures=tuple(c for c in self.captures if c.payment_uuid == payment.uuid),
            refunds=tuple(r for r in self.refunds if r.payment_uuid == payment.uuid),
            chargebacks=tuple(c for c in self.chargebacks if c.payment_uuid == payment.uuid),
            mandate=next((m for m in self.mandates if m.provider_ref == payment.mandate_ref), None),
        )

    def with_payment(self, payment: Payment) -> "Book":
        others = tuple(p for p in self.payments if p.uuid != payment.uuid)
        return replace(self, payments=(*others, payment))

    def with_file(self, file: PaymentFile) -> "Book":
        uuid, mandate = file.payment.uuid, file.mandate
        mandates = self.mandates
        if mandate is not None:
            mandates = (*(m for m in mandates if m.uuid != mandate.uuid), mandate)
        return replace(
            self.with_payment(file.payment),
            captures=(*(c for c in self.captures if c.payment_uuid != uuid), *file.captures),
            refunds=(*(r for r in self.refunds if r.payment_uuid != uuid), *file.refunds),
            chargebacks=(
                *(c for c in self.chargebacks if c.payment_uuid != uuid),
                *file.chargebacks,
            ),
            mandates=mandates,
        )

    def with_refund(self, refund: Refund) -> "Book":
        others = tuple(r for r in self.refunds if r.uuid != refund.uuid)
        return replace(self, refunds=(*others, refund))


class Sale(Struct, frozen=True):
    """The session's payment has just been paid, for the first time: hand over what it buys."""

    session: CheckoutSession
    file: PaymentFile

    @property
    def sold(self) -> Quote:
        """Less than was asked for, when no more was captured."""
        return _sold(self.session, self.payment)

    @property
    def payment(self) -> Payment:
        return self.file.payment


class Settled(Struct, frozen=True):
    book: Book
    events: tuple[Event, ...] = ()
    sale: Sale | None = None
    postings: tuple[Posting, ...] = ()
    """All but what the sale itself is: what it settles is known to whoever hands it over."""


def settle(
    book: Book, sighting: Sighting, *, ids: Ids, owed_again: Mapping[UUID, Money] | None = None
) -> Settled:
    """Take a sighting in. The caller holds the session's lock.

    `owed_again`: by chargeback of the payment, how much stands open on bills because of it.
    A payment that says it is for an attempt of ours, and is not what that asked for, is left out;
    so is what is said of one that was it, and is not any more.
    """
    assert sighting.payment.attempt_uuid is not None
    attempt = book.attempt(sighting.payment.attempt_uuid)
    known = book.payment_in(sighting)
    if not _is_what_was_asked(book, attempt, sighting):
        return Settled(book)
    payment = known or _adopt(book, attempt, sighting, ids)
    if known is None and not payment.is_surplus:
        book = book.with_attempt(accepted(attempt, at=sighting.at))
    before = book.file_of(payment)
    file, events = take_in(before, sighting, ids=ids)
    settled = _follow(book.with_file(file), payment, file.payment, sighting, ids)
    book = settled.book
    file = book.file_of(book.payment_in(sighting) or file.payment)
    back = money_back_postings(before, file, at=sighting.at, owed_again=owed_again or {})
    book = book.with_file(planned(file, at=sighting.at))
    return Settled(book, events + settled.events, settled.sale, settled.postings + back)


def _is_what_was_asked(book: Book, attempt: PaymentAttempt, sighting: Sighting) -> bool:
    """Anybody who may create payments at an account can write our metadata into one: a test
    account's payment must not pay for a live session, nor one cent for a hundred euros."""
    return (
        sighting.account_uuid == attempt.payment_provider_uuid
        and sighting.payment.amount == book.session.amount.total
    )


def _adopt(book: Book, attempt: PaymentAttempt, sighting: Sighting, ids: Ids) -> Payment:
    """A second payment for an attempt is surplus."""
    return replace(
        adopt(attempt, sighting, ids=ids),
        is_surplus=book.payment_of(attempt) is not None,
        is_verification=book.session.is_verification,
    )


def _follow(book: Book, before: Payment, payment: Payment, sighting: Sighting, ids: Ids) -> Settled:
    """What a payment's new state means for its session."""
    session, at = book.session, sighting.at
    if payment.status is PaymentStatus.PAID:
        if before.status is not PaymentStatus.PAID:
            return _paid(book, payment, sighting, ids)
        return _with_payment_status(book, payment, sighting)
    if payment.is_surplus or payment.attempt_uuid != book.attempts[-1].uuid:
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
    elif payment.status in payments.ENDED:
        session, events = sessions.move(session, _after(session, payment), at=at)
    if session != book.session:
        session = replace(session, updated_at=at)
    return Settled(replace(book, session=session), events)


def _after(session: CheckoutSession, ended: Payment) -> SessionStatus:
    """Where a payment that came to nothing leaves its session: open to another try, mostly."""
    if session.terms.direct is None or not session.terms.direct.is_single:
        return SessionStatus.OPEN
    is_failed = ended.status is PaymentStatus.FAILED
    return SessionStatus.FAILED if is_failed else SessionStatus.EXPIRED


def _paid(book: Book, payment: Payment, sighting: Sighting, ids: Ids) -> Settled:
    session, at = book.session, sighting.at
    sells = session.status in (SessionStatus.OPEN, SessionStatus.PROCESSING)
    if payment.is_surplus or not sells:
        # An expired session sells nothing, and one session sells once. The money goes back.
        return _surplus(book, replace(payment, is_surplus=True), sighting, ids)
    session, events = sessions.move(session, SessionStatus.COMPLETE, at=at)
    session = replace(
        session,
        payment_status=SessionPaymentStatus.PAID,
        provider_ref=payment.provider_ref,
    )
    postings: tuple[Posting, ...] = ()
    if payment.is_verification:
        postings = (_held(payment, sighting),)
        if payment.refunded < payment.amount:
            back = money_back(payment, RefundReason.VERIFICATION, at=at, ids=ids)
            book = book.with_refund(back)
    else:
        payment = replace(payment, tax=_sold(session, payment).tax)
    book = replace(book.with_payment(payment), session=session)
    settled = _with_payment_status(book, payment, sighting)
    sale = Sale(settled.book.session, settled.book.file_of(payment))
    return Settled(settled.book, events, sale, postings)


def _sold(session: CheckoutSession, payment: Payment) -> Quote:
    return part_of(session.amount, nothing(payment.amount.currency), payment.amount)


def _surplus(book: Book, payment: Payment, sighting: Sighting, ids: Ids) -> Settled:
    book = book.with_payment(payment)
    if not payment.amount.minor:
        return Settled(book)
    if payment.refunded < payment.amount:
        back = money_back(payment, RefundReason.SURPLUS, at=sighting.at, ids=ids)
        book = book.with_refund(back)
    surplus = Event(
        type="payment.surplus_received",
        aggregate_uuid=payment.uuid,
        at=sighting.at,
        facts={"paymentUuid": str(payment.uuid), "amount": payment.amount.minor},
    )
    return Settled(book, (surplus,), postings=(_held(payment, sighting),))


def _held(payment: Payment, sighting: Sighting) -> Posting:
    nothing = payment.amount - payment.amount
    fact = fact_of(payment, payment.uuid, sighting.at)
    return rules.payment_received(fact, settles=nothing, held=payment.amount)


def _with_payment_status(book: Book, payment: Payment, sighting: Sighting) -> Settled:
    session = book.session
    if payment.is_surplus or session.status is not SessionStatus.COMPLETE:
        return Settled(book)
    status = SessionPaymentStatus.PAID
    if not payment.amount.minor:
        status = SessionPaymentStatus.NO_PAYMENT_REQUIRED
    elif not payment.refunded < payment.amount:
        status = SessionPaymentStatus.REFUNDED
    if status is session.payment_status:
        return Settled(book)
    session = replace(session, payment_status=status, updated_at=sighting.at)
    return Settled(replace(book, session=session))
