"""What holds of a tenant's books at every moment, whatever has happened."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from domain.ledger.posting import Account
from domain.payments.answers import PaymentStatus, RefundStatus
from domain.payments.attempt import AttemptStatus
from domain.payments.refund import Refund, RefundReason
from domain.subscriptions.bill import Bill, BillKind
from domain.subscriptions.subscription import MOVES, SubscriptionStatus
from tests.fakes.checkout_rows import CheckoutRows

_S = SubscriptionStatus
_UNKNOWN = (AttemptStatus.SUBMITTING, AttemptStatus.NEEDS_REVIEW)
_HELD = (RefundReason.SURPLUS, RefundReason.VERIFICATION)


def audit(rows: CheckoutRows, opening_credit: int) -> Iterator[str]:
    """Every promise that is not kept."""
    yield from _accounts(rows, opening_credit)
    yield from _charges(rows)
    yield from _life(rows)
    yield from _periods(rows)


def _accounts(rows: CheckoutRows, opening_credit: int) -> Iterator[str]:
    stand = {a: sum(row.posting.on(a) for row in rows.postings) for a in Account}
    paid = [p for p in rows.payments.values() if p.status is PaymentStatus.PAID]
    made = [r for r in rows.refunds.values() if r.status is RefundStatus.REFUNDED]
    taken = [c for c in rows.chargebacks.values() if c.reversed_at is None]
    to_give_back = [
        refund
        for refund in rows.refunds.values()
        if refund.reason in _HELD and refund.status is not RefundStatus.REFUNDED
    ]
    expected = {
        Account.RECEIVABLE: sum(bill.open.minor for bill in rows.bills.values()),
        Account.CUSTOMER_BALANCE: opening_credit - sum(b.minor for b in rows.balances.values()),
        Account.HELD: sum(_given_otherwise(made, r) - r.amount.minor for r in to_give_back),
        Account.CASH: sum(p.amount.minor for p in paid)
        - sum(r.amount.minor for r in made)
        - sum(c.amount.minor for c in taken),
    }
    for account, amount in expected.items():
        if stand[account] != amount:
            yield f"{account} stands at {stand[account]}, and should at {amount}"
    if stand[Account.TAX] > 0:
        yield f"more tax was given back than was ever billed: {stand[Account.TAX]}"


def _given_otherwise(made: Iterable[Refund], surplus: Refund) -> int:
    """Of surplus that could not be given back, what later refunds of the payment have."""
    later = sum(
        refund.amount.minor
        for refund in made
        if refund.payment_uuid == surplus.payment_uuid
        and not surplus.gives_back
        and refund.created_at >= surplus.updated_at
    )
    return min(later, surplus.amount.minor)


def _is_being_tried(rows: CheckoutRows, bill: Bill) -> bool:
    attempts = [a for a in rows.attempts.values() if a.bill_uuid == bill.uuid]
    payments = [p for p in rows.payments.values() if p.bill_uuid == bill.uuid]
    return any(a.status in _UNKNOWN for a in attempts) or any(p.is_live for p in payments)


def _charges(rows: CheckoutRows) -> Iterator[str]:
    for bill in rows.bills.values():
        unknown = [
            a for a in rows.attempts.values() if a.bill_uuid == bill.uuid and a.status in _UNKNOWN
        ]
        live = [p for p in rows.payments.values() if p.bill_uuid == bill.uuid and p.is_live]
        if len(unknown) + len(live) > 1:
            yield f"two charges at once for the bill of period {bill.period_number}"
        if bill.status == "paid" and bill.amount.total != bill.balance_applied:
            payment = rows.payments.get(bill.payment_uuid) if bill.payment_uuid else None
            if payment is None or payment.status is not PaymentStatus.PAID:
                yield f"the bill of period {bill.period_number} is paid by nothing"


def _life(rows: CheckoutRows) -> Iterator[str]:
    for subscription in rows.subscriptions.values():
        bills = [b for b in rows.bills.values() if b.subscription_uuid == subscription.uuid]
        under_way = any(_is_being_tried(rows, bill) for bill in bills)
        status, due_at = subscription.status, subscription.due_at
        if subscription.has_ended:
            if due_at is not None:
                yield f"{status}, and something is due"
            if any(bill.is_open and not _is_being_tried(rows, bill) for bill in bills):
                yield f"{status}, and a bill stands open"
        elif status in (_S.COLLECTING, _S.INCOMPLETE) and not under_way:
            yield f"{status}, and no charge is under way"
        elif due_at is None and not (under_way or status is _S.PAUSED):
            yield f"{status}, and nothing will ever happen"
        if status is _S.PAUSED and (
            subscription.pause_reason is None or not subscription.paused_at
        ):
            yield "paused for nothing"
        is_over = status is _S.PAUSED or subscription.has_ended
        if subscription.pause_reason is not None and not is_over:
            yield f"{status}, and still with the reason of a pause"
        moves = rows.history.get(subscription.uuid, ())
        for before, after in pairwise(moves):
            if after.old_status is not before.new_status:
                yield f"history has a gap: {before.new_status}, then from {after.old_status}"
            if after.new_status not in MOVES[before.new_status]:
                yield f"moved from {before.new_status} to {after.new_status}"
        if moves and moves[-1].new_status is not status:
            yield f"{status}, and the last move led to {moves[-1].new_status}"


def _periods(rows: CheckoutRows) -> Iterator[str]:
    for subscription in rows.subscriptions.values():
        uuid = subscription.uuid
        keys = sorted(key for key in rows.periods if key[0] == uuid)
        was_paused = any(m.old_status is _S.PAUSED for m in rows.history.get(uuid, ()))
        for before, after in pairwise(rows.periods[key] for key in keys):
            if before.number + 1 != after.number:
                yield f"after period {before.number} comes {after.number}"
            if before.ends_at > after.starts_at:
                yield f"period {after.number} begins before {before.number} is over"
            if before.ends_at < after.starts_at and not was_paused:
                yield f"nothing is between periods {before.number} and {after.number}"
            if after.starts_at >= after.ends_at:
                yield f"period {after.number} has no length"
        billed = [
            b.period_number
            for b in rows.bills.values()
            if b.subscription_uuid == uuid and b.kind is BillKind.PERIOD
        ]
        if len(billed) != len(set(billed)):
            yield "a period was billed twice"
