"""A change taking effect: another price, quantity or tax rate, in this period or with a new one."""

from datetime import datetime

from msgspec.structs import replace

from domain.subscriptions.bill import Bill, PlanChange
from domain.subscriptions.pen import Pen
from domain.subscriptions.period import boundary
from domain.subscriptions.subscription import Period


def apply_change(pen: Pen, change: PlanChange, bill: Bill | None, *, at: datetime) -> None:
    """`bill`: what was paid for it, if anything was. Its amount belongs to a new period."""
    subscription, was = pen.subscription, pen.book.plan.recurrence
    pen.change(
        price_uuid=change.price_uuid,
        product_uuid=change.product_uuid,
        tax_rate_uuid=change.tax_rate_uuid,
        quantity=change.quantity,
        scheduled_change=None,
        version=subscription.version + 1,
    )
    if change.restarts_at is not None:
        _restart(pen, change.restarts_at, bill)
    elif pen.book.plan.recurrence != was:  # another calendar, counted from where this period ends
        period = subscription.current_period
        pen.change(anchor_at=period.ends_at, anchor_number=period.number + 1)
    elif change.is_settled:
        worth = pen.book.plan.quote(change.quantity)
        pen.book = pen.book.with_period(replace(subscription.current_period, amount=worth))
    pen.say(
        "changed",
        at=at,
        productPriceUuid=str(change.price_uuid),
        quantity=change.quantity,
        billUuid=None if bill is None else str(bill.uuid),
    )


def _restart(pen: Pen, at: datetime, bill: Bill | None) -> None:
    """The period that is running ends here, as a fact, and another begins."""
    plan = pen.book.plan
    before = pen.subscription.current_period
    pen.book = pen.book.with_period(replace(before, ends_at=at))
    period = Period(
        number=before.number + 1,
        starts_at=at,
        ends_at=boundary(at, plan.recurrence, 1, pen.book.zone),
        bill_uuid=None if bill is None else bill.uuid,
        payment_uuid=None if bill is None else bill.payment_uuid,
        amount=plan.quote(pen.subscription.quantity),
    )
    pen.book = pen.book.with_period(period)
    pen.change(anchor_at=at, anchor_number=period.number, paid_through=period.ends_at)
