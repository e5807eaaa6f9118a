"""The next period of a subscription: its boundaries, its bill, and the charge for it.

Boundaries are counted from the anchor, whenever they are worked out. A period is billed once.
"""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.kernel.money import Money
from domain.ledger import rules
from domain.subscriptions.bill import Bill, BillKind, BillStatus, Line, closed
from domain.subscriptions.change_plan import apply_change
from domain.subscriptions.collect import collect, is_due, is_worth_a_charge, settle_bill
from domain.subscriptions.pen import Pen
from domain.subscriptions.period import boundary
from domain.subscriptions.policy import MissedPeriods
from domain.subscriptions.subscription import PauseReason, Period, PeriodKind, SubscriptionStatus

_S = SubscriptionStatus


def next_period(pen: Pen) -> None:
    """The current period is over."""
    ended = pen.subscription.current_period
    apply_scheduled(pen, at=ended.ends_at)
    number = ended.number + 1
    ends_at = _ends_at(pen, number)
    if pen.book.policy.missed_periods is MissedPeriods.SKIP and ends_at <= pen.now:
        _skip(pen, number, ended.ends_at, ends_at)
    else:
        begin_period(pen, number, ended.ends_at)


def restart(pen: Pen, at: datetime) -> None:
    """After a pause or a trial: the calendar is counted anew from here."""
    apply_scheduled(pen, at=at)
    number = pen.subscription.current_period.number + 1
    pen.change(anchor_at=at, anchor_number=number)
    begin_period(pen, number, at)


def apply_scheduled(pen: Pen, *, at: datetime) -> None:
    """The change that waits for the next period, if there is one: that is about to begin."""
    if pen.subscription.scheduled_change is not None:
        apply_change(pen, pen.subscription.scheduled_change, None, at=at)


def begin_period(pen: Pen, number: int, starts_at: datetime) -> None:
    """Bill the period, and ask for the charge."""
    ends_at = _ends_at(pen, number)
    bill = issue(pen, number, starts_at, ends_at)
    period = Period(
        number=number,
        starts_at=starts_at,
        ends_at=ends_at,
        bill_uuid=bill.uuid,
        amount=bill.amount,
    )
    pen.book = pen.book.with_period(period)
    if not bill.is_open:
        settle_bill(pen, bill, None, at=starts_at)
        carry_on(pen, at=starts_at)
    elif is_worth_a_charge(pen):
        collect(pen, bill, at=starts_at)
    else:
        pen.say_of(bill, "carried", at=starts_at)
        pen.change(paid_through=ends_at)
        carry_on(pen, at=starts_at)


def _ends_at(pen: Pen, number: int) -> datetime:
    subscription, recurrence = pen.subscription, pen.book.plan.recurrence
    count = number - subscription.anchor_number + 1
    return boundary(subscription.anchor_at, recurrence, count, pen.book.zone)


def _skip(pen: Pen, number: int, starts_at: datetime, ends_at: datetime) -> None:
    nothing = Money(0, pen.book.plan.unit_amount.currency)
    period = Period(
        number=number,
        kind=PeriodKind.SKIPPED,
        starts_at=starts_at,
        ends_at=ends_at,
        amount=Quote(nothing, nothing, nothing),
    )
    pen.book = pen.book.with_period(period)
    pen.say("period_skipped", at=starts_at, periodNumber=number)


def issue(pen: Pen, number: int, starts_at: datetime, ends_at: datetime) -> Bill:
    """A period's bill. The tenant's credit pays for it as far as it goes."""
    subscription, plan = pen.subscription, pen.book.plan
    amount = plan.quote(subscription.quantity)
    line = Line(
        description=plan.product_name,
        sold=plan.sold,
        quantity=subscription.quantity,
        subtotal_minor=amount.subtotal.minor,
        tax_minor=amount.tax.minor,
        total_minor=amount.total.minor,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    bill = new_bill(pen, BillKind.PERIOD, (line,), amount, at=starts_at)
    return pen.write_bill(use_balance(pen, replace(bill, period_number=number), at=starts_at))


def new_bill(  # noqa: PLR0913  # a bill is that many facts
    pen: Pen,
    kind: BillKind,
    lines: tuple[Line, ...],
    amount: Quote,
    *,
    at: datetime,
    uuid: UUID | None = None,
) -> Bill:
    subscription = pen.subscription
    bill = Bill(
        uuid=uuid or pen.ids.new(),
        app_uuid=subscription.app_uuid,
        subscription_uuid=subscription.uuid,
        tenant_uuid=subscription.tenant_uuid,
        payment_provider_uuid=subscription.payment_provider_uuid,
        kind=kind,
        lines=lines,
        amount=amount,
        balance_applied=Money(0, amount.total.currency),
        open=amount.total,
        issued_at=at,
        created_at=pen.real_now,
        updated_at=pen.real_now,
    )
    pen.post(rules.bill_issued(pen.fact(bill.uuid, at=at), amount))
    pen.say_of(bill, "issued", at=at)
    return bill


def use_balance(pen: Pen, bill: Bill, *, at: datetime, most: Money | None = None) -> Bill:
    """The tenant's credit pays for the bill as far as it goes, or as was quoted."""
    used = min(bill.open, pen.book.balance if most is None else most)
    if used.minor:
        pen.book = replace(pen.book, balance=pen.book.balance - used)
        pen.post(rules.balance_applied(pen.fact(bill.uuid, at=at), used))
        bill = replace(bill, balance_applied=used, open=bill.open - used)
    return bill if bill.open.minor else closed(bill, BillStatus.PAID, at=at)


def carry_on(pen: Pen, *, at: datetime, is_renewal: bool = True) -> None:
    """Nothing is due any more, perhaps: then the subscription goes on, unless the customer wished
    otherwise, or a bank has taken money back: another payment does not make up for that."""
    status = pen.subscription.status
    if any(is_due(pen, bill) for bill in pen.book.open_bills):
        return
    if status in (_S.TRIALING, _S.COLLECTING, _S.PAST_DUE, _S.INCOMPLETE):
        pen.move(_S.ACTIVE, "paid", at=at)
        if status in (_S.TRIALING, _S.INCOMPLETE):
            pen.say("activated", at=at)
        elif is_renewal:
            pen.say("renewed", at=at)
    elif status is _S.PAUSED and pen.subscription.pause_reason is PauseReason.UNPAID:
        resume(pen, "paid", at=at)


def resume(pen: Pen, reason: str, *, at: datetime) -> None:
    """End a pause. What was paid for is used up first; then a new period begins, with a charge."""
    assert pen.subscription.status is _S.PAUSED, pen.subscription.status
    pen.change(paused_at=None, pause_reason=None, resumes_at=None)
    due = [bill for bill in pen.book.open_bills if is_due(pen, bill)]
    pen.say("resumed", at=at, reason=reason)
    if due and pen.subscription.current_period.ends_at < at:
        _leave_out(pen, at)
    if any(pen.book.is_being_tried(bill) for bill in due):
        pen.move(_S.COLLECTING, reason, at=at)
    elif due:  # out of the pause first: a charge that cannot be made must not leave it half ended
        pen.move(_S.PAST_DUE, reason, at=at)
        collect(pen, _as_if_new(pen, due[-1]), at=at)
    else:
        pen.move(_S.ACTIVE, reason, at=at)
        if pen.subscription.current_period.ends_at <= at:
            restart(pen, at)


def _leave_out(pen: Pen, at: datetime) -> None:
    """The days of a pause cost nothing, also for whoever owed something before it: once that is
    paid, the next period begins where the pause ended."""
    number = pen.subscription.current_period.number + 1
    _skip(pen, number, pen.subscription.current_period.ends_at, at)
    pen.change(anchor_at=at, anchor_number=number + 1)


def _as_if_new(pen: Pen, bill: Bill) -> Bill:
    """The days of a pause are not days of dunning: a charge that fails now is tried again."""
    return pen.write_bill(replace(bill, tries=0, first_failed_at=None))
