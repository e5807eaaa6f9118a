"""Banks take money back, and sometimes give it again: what that means for bill and subscription.

The ledger has the money in any case. The app's policy says whether the subscription is suspended,
the money asked for again, or let go.
"""

from collections.abc import Iterable
from uuid import UUID

from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.kernel.money import Money
from domain.ledger import rules
from domain.payments.chargeback import Chargeback
from domain.payments.sighting import PaymentFile
from domain.subscriptions.bill import Bill, BillStatus, closed, reopened
from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.collect import fail
from domain.subscriptions.pen import Pen
from domain.subscriptions.policy import ChargebackAction
from domain.subscriptions.renew import carry_on, resume
from domain.subscriptions.subscription import PauseReason, SubscriptionStatus

_S = SubscriptionStatus


def reopened_by(book: SubscriptionBook, file: PaymentFile) -> dict[UUID, Money]:
    """How much is owed again because of each of the payment's chargebacks."""
    ours = {chargeback.uuid for chargeback in file.chargebacks}
    return {uuid: owed for uuid, owed in owed_again(book.open_bills).items() if uuid in ours}


def owed_again(bills: Iterable[Bill]) -> dict[UUID, Money]:
    """By chargeback, what stands open on the bills that it opened again."""
    owed: dict[UUID, Money] = {}
    for bill in bills:
        uuid = bill.chargeback_uuid
        if uuid is not None and bill.is_open:
            owed[uuid] = owed[uuid] + bill.open if uuid in owed else bill.open
    return owed


def note_chargebacks(pen: Pen, before: PaymentFile, file: PaymentFile) -> None:
    known = {chargeback.uuid: chargeback for chargeback in before.chargebacks}
    for chargeback in file.chargebacks:
        was = known.get(chargeback.uuid)
        if was is None and chargeback.reversed_at is None:
            _taken(pen, file, chargeback)
        elif was is not None and was.reversed_at is None and chargeback.reversed_at is not None:
            _given_again(pen, file, chargeback)


def _taken(pen: Pen, file: PaymentFile, chargeback: Chargeback) -> None:
    action = pen.book.policy.chargeback_action
    bills = [
        bill
        for bill in pen.book.bills
        if bill.payment_uuid == file.payment.uuid and bill.status is BillStatus.PAID
    ]
    if not bills or pen.subscription.has_ended:
        return
    if action is not ChargebackAction.RECOLLECT:
        _reprice(pen, bills, worthless=True)
    if action is ChargebackAction.RECOLLECT:
        _recollect(pen, bills, chargeback)
    elif action is ChargebackAction.SUSPEND and pen.subscription.status is not _S.PAUSED:
        at = pen.now
        pen.change(paused_at=at, pause_reason=PauseReason.CHARGEBACK, resumes_at=None)
        pen.move(_S.PAUSED, "chargeback", at=at)
        pen.say("paused", at=at, reason="chargeback")


def _recollect(pen: Pen, bills: list[Bill], chargeback: Chargeback) -> None:
    """What the payment had settled is owed again, and dunned for like a charge that failed."""
    at, left = pen.now, chargeback.amount
    opened: list[Bill] = []
    for bill in bills:
        amount = min(left, bill.amount.total - bill.balance_applied)
        if amount.minor:
            left = left - amount
            opened.append(pen.write_bill(reopened(bill, amount, chargeback.uuid)))
            pen.say_of(opened[-1], "reopened", at=at, chargebackUuid=str(chargeback.uuid))
    if opened:
        fact = pen.fact(chargeback.uuid, at=at)
        pen.post(rules.bill_reopened(fact, chargeback.amount - left))
        fail(pen, opened[0], chargeback.reason or "charged_back", at=at)


def _reprice(pen: Pen, bills: list[Bill], *, worthless: bool) -> None:
    """What was not paid for, or is not any more, is worth no credit in a change."""
    period = pen.subscription.current_period
    for bill in bills:
        if bill.uuid == period.bill_uuid:
            nothing = bill.open - bill.open
            worth = Quote(nothing, nothing, nothing) if worthless else bill.amount
            pen.book = pen.book.with_period(replace(period, amount=worth))


def _given_again(pen: Pen, file: PaymentFile, chargeback: Chargeback) -> None:
    at, left = pen.now, chargeback.amount
    paid_with_it = [b for b in pen.book.bills if b.payment_uuid == file.payment.uuid]
    _reprice(pen, paid_with_it, worthless=False)
    touched = [bill for bill in pen.book.bills if bill.chargeback_uuid == chargeback.uuid]
    twice = left - left
    for bill in touched:
        part = min(left, bill.amount.total - bill.balance_applied)
        left = left - part
        if bill.is_open:
            paid = pen.write_bill(closed(bill, BillStatus.PAID, at=at))
            pen.say_of(paid, "paid", at=at, chargebackUuid=str(chargeback.uuid))
        elif bill.status is BillStatus.PAID:
            twice = twice + part
        pen.write_bill(replace(pen.book.bill(bill.uuid), chargeback_uuid=None))
    if twice.minor:
        _credit(pen, chargeback, twice)
    if touched:
        carry_on(pen, at=at)
    paused_for_it = pen.subscription.pause_reason is PauseReason.CHARGEBACK
    if pen.subscription.status is _S.PAUSED and paused_for_it:
        resume(pen, "chargeback_reversed", at=at)


def _credit(pen: Pen, chargeback: Chargeback, twice: Money) -> None:
    """The bill was paid again in the meantime: what came twice is the tenant's."""
    at = pen.now
    pen.post(rules.paid_twice(pen.fact(chargeback.uuid, at=at), twice))
    pen.book = replace(pen.book, balance=pen.book.balance + twice)
    facts = {"chargebackUuid": str(chargeback.uuid), "credit": twice.minor}
    pen.say("credited", at=at, currency=twice.currency, **facts)
