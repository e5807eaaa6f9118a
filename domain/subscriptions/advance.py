"""What a subscription has to do next, and doing it: pure, one deed at a time, in order of time.

A deed happens at the instant that it was due, however late somebody comes to do it.
"""

from datetime import datetime
from enum import IntEnum

from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.payments.answers import MandateStatus
from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.collect import collect, void, write_off
from domain.subscriptions.dunning import gives_up_at
from domain.subscriptions.pen import Pen
from domain.subscriptions.policy import FinalAction
from domain.subscriptions.renew import (
    apply_scheduled,
    carry_on,
    next_period,
    restart,
    resume,
)
from domain.subscriptions.subscription import PauseReason, SubscriptionStatus

_S = SubscriptionStatus


class Deed(IntEnum):
    """Of two at the same instant, the smaller is done first: a wish before a charge."""

    CANCEL = 1
    RESUME = 2
    END_TRIAL = 3
    RENEW = 4
    TRY_AGAIN = 5
    GIVE_UP = 6


def next_deed(book: SubscriptionBook) -> tuple[datetime, Deed] | None:
    """None: there is nothing to do until somebody says something."""
    subscription = book.subscription
    if subscription.has_ended:
        return None
    found: list[tuple[datetime, Deed]] = []
    if subscription.cancel_at is not None:
        found.append((subscription.cancel_at, Deed.CANCEL))
    match subscription.status:
        case _S.TRIALING:
            assert subscription.trial_ends_at is not None
            found.append((subscription.trial_ends_at, Deed.END_TRIAL))
        case _S.ACTIVE:
            found.append((subscription.current_period.ends_at, Deed.RENEW))
        case _S.PAUSED if subscription.resumes_at is not None:
            found.append((subscription.resumes_at, Deed.RESUME))
        case _S.PAST_DUE:
            found.append(_dunning(book))
        case _:
            pass  # a charge is under way: its outcome comes by itself
    return min(found, default=None)


def _dunning(book: SubscriptionBook) -> tuple[datetime, Deed]:
    bills = [bill for bill in book.open_bills if not book.is_being_tried(bill)]
    tries = [bill.next_try_at for bill in bills if bill.next_try_at is not None]
    if tries:
        return min(tries), Deed.TRY_AGAIN
    failed = [bill.first_failed_at for bill in bills if bill.first_failed_at is not None]
    period = book.subscription.current_period
    unpaid_since = book.subscription.paid_through or period.starts_at
    failed_at = min(failed, default=unpaid_since)
    return gives_up_at(book.policy, unpaid_since, failed_at), Deed.GIVE_UP


def advance(pen: Pen) -> bool:
    """Do the next deed if its time has come. False: there was none."""
    found = next_deed(pen.book)
    if found is None or found[0] > pen.now:
        return False
    at, deed = found
    match deed:
        case Deed.CANCEL:
            cancel(pen, pen.subscription.cancel_reason or "requested", at=at)
        case Deed.RESUME:
            resume(pen, "resumes_at", at=at)
        case Deed.END_TRIAL:
            _end_trial(pen, at=at)
        case Deed.RENEW:
            next_period(pen)
        case Deed.TRY_AGAIN:
            bill = next(b for b in reversed(pen.book.open_bills) if b.next_try_at is not None)
            collect(pen, bill, at=at)
        case Deed.GIVE_UP:
            _give_up(pen, at=at)
    return True


def cancel(pen: Pen, reason: str, *, at: datetime) -> None:
    """Over. What is open is not asked for any more; a charge under way is let finish."""
    for bill in pen.book.open_bills:
        if not pen.book.is_being_tried(bill):
            void(pen, bill, at=at)
    pen.change(canceled_at=at, cancel_reason=reason, scheduled_change=None, resumes_at=None)
    pen.move(_S.CANCELED, reason, at=at)
    pen.say("canceled", at=at, reason=reason)


def _end_trial(pen: Pen, *, at: datetime) -> None:
    apply_scheduled(pen, at=at)
    mandate = pen.book.mandate()
    if mandate is None or mandate.status is MandateStatus.INVALID:
        total = pen.book.plan.quote(pen.subscription.quantity).total
        if pen.book.balance < total:  # neither free nor paid by credit
            pen.move(_S.EXPIRED, "trial_ended_without_payment_method", at=at)
            pen.say("expired", at=at, reason="trial_ended_without_payment_method")
            return
    pen.say("trial_ended", at=at)
    restart(pen, at)


def _give_up(pen: Pen, *, at: datetime) -> None:
    """Every try has failed, and grace is over: what the app's policy says."""
    pen.say("dunning_ended", at=at, finalAction=pen.book.policy.final_action)
    open_bills = [b for b in pen.book.open_bills if not pen.book.is_being_tried(b)]
    match pen.book.policy.final_action:
        case FinalAction.PAUSE:
            pen.change(paused_at=at, pause_reason=PauseReason.UNPAID)
            pen.move(_S.PAUSED, "unpaid", at=at)
            pen.say("paused", at=at, reason="unpaid")
        case FinalAction.CANCEL:
            for bill in open_bills:
                write_off(pen, bill, at=at)
            cancel(pen, "unpaid", at=at)
        case FinalAction.KEEP:
            for bill in open_bills:
                write_off(pen, bill, at=at)
            period = pen.subscription.current_period
            if any(bill.uuid == period.bill_uuid for bill in open_bills):
                nothing = pen.book.balance - pen.book.balance
                worth = replace(period, amount=Quote(nothing, nothing, nothing))
                pen.book = pen.book.with_period(worth)
            pen.change(paid_through=period.ends_at)
            carry_on(pen, at=at)
