"""Collecting what is open without waiting for the next try: when somebody asks for it. Pure."""

from domain.kernel.errors import Conflict
from domain.payments.answers import MandateStatus
from domain.subscriptions.collect import collect
from domain.subscriptions.pen import Pen
from domain.subscriptions.subscription import SubscriptionStatus


def pay_now(pen: Pen) -> None:
    """Raises Conflict when there is nothing to charge, or nothing to charge it on."""
    status = pen.subscription.status
    if any(pen.book.is_being_tried(bill) for bill in pen.book.open_bills):
        raise Conflict("a charge is under way: wait for its outcome")
    if status is SubscriptionStatus.PAUSED:
        raise Conflict("the subscription is paused: resume it, and what is open is charged")
    if status is not SubscriptionStatus.PAST_DUE or not pen.book.collectable:
        raise Conflict(f"nothing is due: the subscription is {status}")
    mandate = pen.book.mandate()
    if mandate is None or mandate.status is MandateStatus.INVALID:
        raise Conflict("there is no valid payment method: give another one first")
    if mandate.status is MandateStatus.PENDING:
        raise Conflict("the payment method is still being checked: wait for that")
    collect(pen, pen.book.collectable[-1], at=pen.now)
