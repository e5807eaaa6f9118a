"""Takes in what is seen of a charge's payment: the bills it settles, or what its failure means."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.kernel.ids import Ids
from domain.kernel.money import Money, half_up
from domain.ledger import rules
from domain.payments.answers import MandateStatus, PaymentStatus
from domain.payments.attempt import AttemptStatus, PaymentAttempt, accepted
from domain.payments.payment import ENDED, Payment
from domain.payments.postings import fact_of, fallen_through, money_back_postings
from domain.payments.refund import RefundReason
from domain.payments.sighting import PaymentFile, Sighting, adopt, money_back, planned, take_in
from domain.subscriptions.bill import Bill
from domain.subscriptions.collect import fail, pay, void
from domain.subscriptions.pen import Pen
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.renew import carry_on
from domain.subscriptions.subscription import SubscriptionStatus
from domain.subscriptions.take_back import note_chargebacks, reopened_by
from domain.subscriptions.write import WriteBook

_S = SubscriptionStatus


@dataclass(frozen=True, slots=True)
class RecordCharge:
    """Implements payments' `Recorder`. The subscription's lock puts all sightings in a row."""

    write: WriteBook
    ids: Ids

    async def __call__(
        self, tx: SubscriptionsTx, bill_uuid: UUID, sighting: Sighting
    ) -> Payment | None:
        subscription_uuid = await tx.subscriptions.of_bill(bill_uuid)
        if subscription_uuid is None:
            return None
        before = await tx.subscriptions.book(subscription_uuid, lock=True, with_bills=[bill_uuid])
        pen = Pen(before, self.ids, sighting.at)
        note(pen, sighting)
        known = before.payment_in(sighting)
        if known is not None:
            files = before.file_of(known), pen.book.file_of(known)
            pen.post(*await fallen_through(tx.ledger, *files, at=pen.now))
        await self.write.save(tx, before, pen)
        return pen.book.payment_in(sighting)


def note(pen: Pen, sighting: Sighting) -> None:
    """Pure. A payment that is not what was asked for is left out."""
    assert sighting.payment.attempt_uuid is not None
    attempt = pen.book.attempt(sighting.payment.attempt_uuid)
    known = pen.book.payment_in(sighting)
    if known is None and sighting.account_uuid != attempt.payment_provider_uuid:
        return
    before = pen.book.file_of(known or _adopted(pen, attempt, sighting))
    if known is None and not before.payment.is_surplus:
        pen.book = pen.book.with_attempt(accepted(attempt, at=sighting.at))
    file, events = take_in(before, sighting, ids=pen.ids)
    pen.events += events
    pen.book = pen.book.with_file(file)
    if file.payment.status is not before.payment.status:
        file = _follow(pen, attempt, file)
    owed = reopened_by(pen.book, file)
    note_chargebacks(pen, before, file)
    pen.post(*money_back_postings(before, file, at=pen.now, owed_again=owed))
    pen.book = pen.book.with_file(planned(file, at=sighting.at))


def _adopted(pen: Pen, attempt: PaymentAttempt, sighting: Sighting) -> Payment:
    """A second payment for an attempt is surplus."""
    is_surplus = pen.book.payment_of(attempt) is not None
    return replace(adopt(attempt, sighting, ids=pen.ids), is_surplus=is_surplus)


def _follow(pen: Pen, attempt: PaymentAttempt, file: PaymentFile) -> PaymentFile:
    """What a payment's new status means for its bill."""
    payment, at = file.payment, pen.now
    assert attempt.bill_uuid is not None
    bill = pen.book.bill(attempt.bill_uuid)
    if payment.status is PaymentStatus.PAID:
        if bill.is_open and _buys_nothing(pen, bill):
            void(pen, bill, at=at)
            return receive(pen, file, [])  # the money goes back
        return receive(pen, file, [] if payment.is_surplus else _bills_for(pen, bill))
    # Of a declined one the answer has been written down; its payment says the same once more.
    is_news = attempt.status is not AttemptStatus.DECLINED
    is_newest = is_news and pen.book.attempts_of(bill)[-1].uuid == attempt.uuid
    if payment.status in ENDED and bill.is_open and is_newest and not payment.is_surplus:
        fail(pen, bill, payment.failure_reason or str(payment.status), at=at)
        _try_the_new_method(pen, bill, payment)
    return file


def _try_the_new_method(pen: Pen, bill: Bill, payment: Payment) -> None:
    """Another payment method was given while the old one was being charged: at once, then."""
    bill, mandate = pen.book.bill(bill.uuid), pen.book.mandate()
    if bill not in pen.book.collectable or pen.subscription.status is not _S.PAST_DUE:
        return
    is_valid = mandate is not None and mandate.status is MandateStatus.VALID
    if mandate and is_valid and payment.mandate_ref not in (None, mandate.provider_ref):
        pen.write_bill(replace(bill, next_try_at=pen.now))


def _buys_nothing(pen: Pen, bill: Bill) -> bool:
    """The subscription ended before it was ever paid for, or before its change took effect; or
    the period that the change was to begin in is over."""
    subscription = pen.subscription
    if bill.is_of_change:
        is_over = bill.issued_at < subscription.current_period.starts_at
        return subscription.has_ended or is_over or _outlives(bill, subscription.cancel_at)
    return subscription.has_ended and subscription.paid_through is None


def _outlives(bill: Bill, cancel_at: datetime | None) -> bool:
    """It is for a new period, beyond an end that was wished for meanwhile."""
    assert bill.change is not None
    begins_anew = bill.change.restarts_at is not None
    return begins_anew and cancel_at is not None and cancel_at < bill.lines[-1].ends_at


def _bills_for(pen: Pen, bill: Bill) -> list[Bill]:
    """The charge's own bill first, then what was open beside it."""
    return [bill, *(b for b in pen.book.collectable if b.uuid != bill.uuid)]


def receive(pen: Pen, file: PaymentFile, bills: list[Bill]) -> PaymentFile:
    """Money has come in. It settles these bills; what is over goes back."""
    payment, at = file.payment, pen.now
    open_before = {bill.uuid for bill in bills if bill.is_open}
    left = pay(pen, bills, payment.uuid, payment.amount, at=at)
    settled = [pen.book.bill(uuid) for uuid in open_before]
    tax = _tax_of([b for b in settled if not b.is_open], payment.amount - left)
    payment = replace(payment, tax=tax, is_surplus=left == payment.amount)
    file = replace(file, payment=payment)
    if left.minor and payment.refunded < left:
        back = money_back(payment, RefundReason.SURPLUS, at=pen.real_now, ids=pen.ids)
        back = replace(back, amount=left - payment.refunded)
        file = replace(file, refunds=(*file.refunds, back))
        pen.say("payment.surplus_received", at=at, paymentUuid=str(payment.uuid), amount=left.minor)
    fact = fact_of(payment, payment.uuid, at)
    pen.post(rules.payment_received(fact, settles=payment.amount - left, held=left))
    pen.book = pen.book.with_file(file)
    carry_on(pen, at=at, is_renewal=not any(bill.is_of_change for bill in bills))
    return file


def _tax_of(bills: list[Bill], paid: Money) -> Money:
    """As much of a payment as is tax: its bills' own share, rounded half up."""
    whole = _sum_of([bill.amount for bill in bills], paid)
    if not whole.total.minor:
        return whole.tax
    tax = half_up(whole.tax.minor * paid.minor, whole.total.minor)
    # A change to a lower rate can bill less tax than it credits: then no part of it is tax.
    return Money(min(max(tax, 0), paid.minor), paid.currency)


def _sum_of(amounts: list[Quote], like: Money) -> Quote:
    nothing = Money(0, like.currency)
    total = Quote(nothing, nothing, nothing)
    for one in amounts:
        total = Quote(total.subtotal + one.subtotal, total.tax + one.tax, total.total + one.total)
    return total
