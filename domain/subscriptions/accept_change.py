"""Accepting a quote: the change is made as quoted, or, if it costs something, once that is paid.

If the charge fails, the old plan is as it was.
"""

from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.kernel.errors import Conflict, Refused
from domain.ledger import rules
from domain.payments.answers import MandateStatus
from domain.subscriptions.bill import Bill, BillKind, BillStatus, Line, closed
from domain.subscriptions.change_plan import apply_change
from domain.subscriptions.change_quote import ChangeMode, ChangeQuote, need_allowed, need_time
from domain.subscriptions.collect import collect, settle_bill
from domain.subscriptions.pen import Pen
from domain.subscriptions.renew import new_bill, use_balance


def accept_change(pen: Pen, quote: ChangeQuote) -> None:
    """Raises Conflict when the quote does not hold any more."""
    _need_standing(pen, quote)
    if quote.mode is ChangeMode.NEXT_PERIOD:
        pen.change(scheduled_change=quote.change, version=pen.subscription.version + 1)
        pen.say("change_scheduled", at=pen.now, takesEffectAt=quote.takes_effect_at.isoformat())
    elif quote.amount.total.minor:
        _charge(pen, quote)
    else:
        _change_at_once(pen, quote)


def is_accepted(pen: Pen, quote: ChangeQuote) -> bool:
    """It was, and nothing has come after it. Whether one that bills was, its bill says."""
    now, change = pen.subscription, quote.change
    if quote.lines or now.version != quote.version + 1:
        return False
    if quote.mode is ChangeMode.NEXT_PERIOD:
        return now.scheduled_change == change
    wanted = (change.price_uuid, change.tax_rate_uuid, change.quantity)
    return (now.price_uuid, now.tax_rate_uuid, now.quantity) == wanted


def unschedule(pen: Pen) -> None:
    """The next period will be as this one. What is not scheduled needs nothing."""
    if pen.subscription.scheduled_change is not None:
        pen.change(scheduled_change=None, version=pen.subscription.version + 1)
        pen.say("change_unscheduled", at=pen.now)


def _need_standing(pen: Pen, quote: ChangeQuote) -> None:
    subscription = pen.subscription
    if quote.expires_at <= pen.real_now:
        raise Conflict("the quote has expired: ask for a new one")
    made_from = (quote.version, quote.period_number)
    if (subscription.version, subscription.current_period.number) != made_from:
        raise Conflict("the subscription has changed since the quote: ask for a new one")
    if pen.book.balance < quote.balance_applied:
        raise Conflict("the tenant's credit has changed since the quote: ask for a new one")
    if any(bill.is_of_change for bill in pen.book.open_bills):
        raise Conflict("another change is being paid for")
    need_allowed(pen.book, quote.mode, pen.now)
    need_time(pen.book, quote)


def _change_at_once(pen: Pen, quote: ChangeQuote) -> None:
    """Nothing is to be paid. What it makes cheaper becomes the tenant's credit."""
    bill = _bill_of_nothing(pen, quote) if quote.lines else None
    if bill is not None and quote.credit.total.minor:
        _grant(pen, bill, quote.credit)
    apply_change(pen, quote.change, bill, at=quote.at)


def _bill_of_nothing(pen: Pen, quote: ChangeQuote) -> Bill:
    """It keeps the lines; the last of them is what goes to the credit."""
    credit, lines = quote.credit, quote.lines
    if credit.total.minor:
        granted = Line(
            description="To your credit",
            quantity=1,
            subtotal_minor=credit.subtotal.minor,
            tax_minor=credit.tax.minor,
            total_minor=credit.total.minor,
            starts_at=quote.at,
            ends_at=quote.at,
        )
        lines = (*lines, granted)
    bill = new_bill(pen, BillKind.CHANGE, lines, quote.amount, at=quote.at, uuid=quote.uuid)
    return pen.write_bill(closed(bill, BillStatus.PAID, at=pen.now))


def _grant(pen: Pen, bill: Bill, credit: Quote) -> None:
    pen.post(rules.balance_granted(pen.fact(bill.uuid, at=pen.now), credit))
    pen.book = replace(pen.book, balance=pen.book.balance + credit.total)
    pen.say_of(bill, "credited", at=pen.now, credit=credit.total.minor)


def _charge(pen: Pen, quote: ChangeQuote) -> None:
    mandate = pen.book.mandate()
    if quote.due.minor and (mandate is None or mandate.status is not MandateStatus.VALID):
        raise Refused("the subscription has no valid payment method to charge")
    bill = new_bill(pen, BillKind.CHANGE, quote.lines, quote.amount, at=quote.at, uuid=quote.uuid)
    bill = replace(bill, change=quote.change)
    bill = pen.write_bill(use_balance(pen, bill, at=pen.now, most=quote.balance_applied))
    if bill.is_open:
        collect(pen, bill, at=pen.now)
    else:
        settle_bill(pen, bill, None, at=pen.now)
