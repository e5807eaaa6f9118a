"""Collecting what is open on a subscription: charge, success, failure, giving up.

A charge is for all that is open on period bills at once, so that an amount too small to be worth
one waits for the next. Money is never taken twice for one bill: while a charge is under way, or its
outcome is unknown, there is no other.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.money import Money
from domain.ledger import rules
from domain.payments.answers import MandateStatus
from domain.payments.mandate import Mandate
from domain.subscriptions.bill import Bill, BillStatus, closed
from domain.subscriptions.change_plan import apply_change
from domain.subscriptions.dunning import Verdict, planned_tries, verdict
from domain.subscriptions.pen import Charge, Pen
from domain.subscriptions.subscription import SubscriptionStatus

_S = SubscriptionStatus

NO_PAYMENT_METHOD: Final = "no_payment_method"
MANDATE_PENDING: Final = "mandate_pending"
MANDATE_LOOK_EVERY: Final = timedelta(hours=1)
MANDATE_PATIENCE: Final = timedelta(hours=72)
"""PayPal and Belfius decide a mandate within 72 hours; until then nothing is charged on it."""
COLLECTS: Final = frozenset({_S.INCOMPLETE, _S.TRIALING, _S.ACTIVE, _S.COLLECTING, _S.PAST_DUE})
"""The states in which charges are made. Whoever paused or ended it wished for none."""


def collect(pen: Pen, bill: Bill, *, at: datetime) -> None:
    """Ask for a charge of what is open, or say why there cannot be one."""
    mandate = pen.book.mandate()
    status = None if mandate is None else mandate.status
    if mandate is not None and status is MandateStatus.VALID:
        _charge(pen, bill, mandate, at=at)
    elif status is MandateStatus.PENDING and _may_wait(pen, bill, at):
        look_at = at + MANDATE_LOOK_EVERY
        for waiting in pen.book.collectable:  # all of them: they would be charged together
            pen.write_bill(replace(waiting, next_try_at=look_at, failure_reason=MANDATE_PENDING))
        _fall_due(pen, at=at)
    else:
        fail(pen, bill, NO_PAYMENT_METHOD, at=at)


def _may_wait(pen: Pen, bill: Bill, at: datetime) -> bool:
    waits = pen.subscription.status is not _S.INCOMPLETE and not bill.is_of_change
    return waits and at - bill.issued_at < MANDATE_PATIENCE


def _charge(pen: Pen, bill: Bill, mandate: Mandate, *, at: datetime) -> None:
    for other in pen.book.collectable:  # one charge for all of them
        pen.write_bill(replace(other, next_try_at=None))
    bill = pen.write_bill(replace(bill, next_try_at=None))
    amount = bill.open if bill.is_of_change else pen.book.collectable_amount
    pen.charge = Charge(bill, amount, mandate)
    if pen.subscription.status is not _S.INCOMPLETE:
        pen.move(_S.COLLECTING, "charge_sent", at=at)
        pen.say("collecting", at=at, billUuid=str(bill.uuid), amount=amount.minor)


def is_worth_a_charge(pen: Pen) -> bool:
    """What is less waits for the next period's bill, in the open."""
    return not pen.book.collectable_amount.minor < max(1, pen.book.policy.minimum_charge_minor)


def fail(pen: Pen, bill: Bill, reason: str, *, at: datetime) -> None:
    """A try has failed. What the customer wished stands, whatever becomes of the bill."""
    book = pen.book
    said, tries = verdict(reason), bill.tries + 1
    if reason == NO_PAYMENT_METHOD:
        said = Verdict.NEW_METHOD
    first_failed_at = bill.first_failed_at or at
    planned = planned_tries(book.policy, first_failed_at, said, book.zone)
    retry_at = next((moment for moment in planned if moment > at), None)
    bill = replace(
        bill,
        tries=tries,
        first_failed_at=first_failed_at,
        next_try_at=retry_at,
        failure_reason=reason,
    )
    status = pen.subscription.status
    if status not in COLLECTS or status is _S.INCOMPLETE or bill.is_of_change:
        bill = replace(bill, next_try_at=None)
    bill = pen.write_bill(bill)
    next_text = bill.next_try_at and bill.next_try_at.isoformat()
    pen.say_of(
        bill, "payment_failed", at=at, reason=reason, verdict=said, tries=tries, nextTryAt=next_text
    )
    if bill.is_of_change:
        void(pen, bill, at=at)
        pen.say("change_failed", at=at, reason=reason, billUuid=str(bill.uuid))
        if status is _S.COLLECTING and not any(is_due(pen, b) for b in pen.book.open_bills):
            pen.move(_S.ACTIVE, "change_failed", at=at)
    elif status is _S.INCOMPLETE:
        void(pen, bill, at=at)
        pen.move(_S.EXPIRED, "first_payment_failed", at=at)
        pen.say("expired", at=at, reason="first_payment_failed")
    elif pen.subscription.has_ended:
        void(pen, bill, at=at)
    else:
        _fall_due(pen, at=at)


def _fall_due(pen: Pen, *, at: datetime) -> None:
    if pen.subscription.status in COLLECTS - {_S.INCOMPLETE, _S.PAST_DUE}:
        pen.move(_S.PAST_DUE, "payment_failed", at=at)
        pen.say("past_due", at=at)


def void(pen: Pen, bill: Bill, *, at: datetime) -> None:
    """Nobody owes it any more. Credit that had paid for a part of it is the tenant's again, unless
    the bill had been paid once: what it was for was had then."""
    nothing = bill.open - bill.open
    back = nothing if bill.chargeback_uuid else bill.balance_applied
    fact = pen.fact(bill.uuid, at=at)
    pen.post(rules.bill_voided(fact, bill.amount, bill.open, credit_back=back))
    pen.book = replace(pen.book, balance=pen.book.balance + back)
    bill = pen.write_bill(closed(bill, BillStatus.VOID, at=at))
    pen.say_of(bill, "voided", at=at)


def write_off(pen: Pen, bill: Bill, *, at: datetime) -> None:
    pen.post(rules.bill_written_off(pen.fact(bill.uuid, at=at), bill.open))
    bill = pen.write_bill(closed(bill, BillStatus.UNCOLLECTIBLE, at=at))
    pen.say_of(bill, "written_off", at=at)


def pay(pen: Pen, bills: list[Bill], payment_uuid: UUID, amount: Money, *, at: datetime) -> Money:
    """Settle these bills, in order, as far as the money goes. Returns what is left of it."""
    left = amount
    for bill in bills:
        if not bill.is_open or left < bill.open:
            continue
        left = left - bill.open
        settle_bill(pen, bill, payment_uuid, at=at)
    return left


def settle_bill(pen: Pen, bill: Bill, payment_uuid: UUID | None, *, at: datetime) -> None:
    """It is paid: by a payment, or (None) by credit alone."""
    paid = closed(bill, BillStatus.PAID, at=at)
    paid = pen.write_bill(replace(paid, payment_uuid=payment_uuid))
    pen.say_of(paid, "paid", at=at, paymentUuid=payment_uuid and str(payment_uuid))
    if bill.is_of_change and paid.change is not None and not pen.subscription.has_ended:
        apply_change(pen, paid.change, paid, at=at)
    _note_paid_period(pen, paid)


def _note_paid_period(pen: Pen, bill: Bill) -> None:
    period, through = pen.subscription.current_period, pen.subscription.paid_through
    if period.bill_uuid == bill.uuid:
        pen.book = pen.book.with_period(replace(period, payment_uuid=bill.payment_uuid))
        pen.change(paid_through=max(through or period.ends_at, period.ends_at))


def is_due(pen: Pen, bill: Bill) -> bool:
    """Open, and not waiting for the next bill because it is too small."""
    if bill.is_of_change or not bill.is_open:
        return False
    return pen.book.is_being_tried(bill) or is_worth_a_charge(pen)
