"""What a customer wishes of a subscription: an end, a pause, and neither after all. Pure.

A wish is in business time, and idempotent: asking for what is so already changes nothing, and is
told to nobody. No payment, whatever becomes of it, takes a wish back.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec.structs import replace

from domain.kernel.errors import Conflict, Refused
from domain.subscriptions import advance, renew
from domain.subscriptions.pen import Pen
from domain.subscriptions.subscription import PauseReason, SubscriptionStatus

_S = SubscriptionStatus

REQUESTED: Final = "requested"
"""The reason of whoever gives none."""


class When(StrEnum):
    """When a subscription is to end, if not at an instant that is named."""

    NOW = "now"
    PERIOD_END = "period_end"
    """With what is paid for; on trial, with the trial."""


_CANNOT_PAUSE: Final[Mapping[SubscriptionStatus, str]] = {
    _S.INCOMPLETE: "its first charge is not paid yet: wait for that, or cancel it",
    _S.TRIALING: "a trial cannot be paused: cancel it, or wait until it is over",
}


def cancel(pen: Pen, when: When | datetime, reason: str | None = None) -> None:
    """Raises Conflict when it has ended, and Refused for an instant that is past."""
    _end_if_due(pen)
    if when is When.NOW and pen.subscription.status is _S.CANCELED:
        return
    need_living(pen)
    reason = reason or pen.subscription.cancel_reason or REQUESTED
    period_end = pen.subscription.current_period.ends_at
    at = pen.now if when is When.NOW else period_end if when is When.PERIOD_END else when
    if pen.now < at:
        _schedule(pen, at, reason)
    elif isinstance(when, When):  # a period that is over already ends nothing later than now
        advance.cancel(pen, reason, at=pen.now)
    else:
        shown = pen.now.isoformat(timespec="seconds")
        raise Refused(f"must lie ahead: for the subscription it is {shown}", field="at")


def _schedule(pen: Pen, at: datetime, reason: str) -> None:
    subscription = pen.subscription
    if (subscription.cancel_at, subscription.cancel_reason) == (at, reason):
        return
    pen.change(cancel_at=at, cancel_reason=reason)
    pen.say("cancel_scheduled", at=pen.now, cancelAt=at.isoformat(), reason=reason)


def uncancel(pen: Pen) -> None:
    """It does not end after all. Raises Conflict when it has ended."""
    _end_if_due(pen)
    need_living(pen)
    if pen.subscription.cancel_at is not None:
        pen.change(cancel_at=None, cancel_reason=None)
        pen.say("uncanceled", at=pen.now)


def pause(pen: Pen, resumes_at: datetime | None = None) -> None:
    """From now on, until then or until it is resumed. What is paid for is served to its end.

    Raises Conflict for states that cannot be paused, and Refused for an instant that is past.
    """
    _end_if_due(pen)
    need_living(pen)
    subscription, now = pen.subscription, pen.now
    if resumes_at is not None and resumes_at <= now:
        shown = now.isoformat(timespec="seconds")
        raise Refused(f"must lie ahead: for the subscription it is {shown}", field="resumesAt")
    if subscription.status in _CANNOT_PAUSE:
        raise Conflict(_CANNOT_PAUSE[subscription.status])
    if subscription.status is _S.PAUSED:
        if subscription.pause_reason is not PauseReason.REQUESTED:
            raise Conflict(f"the subscription is paused already: {subscription.pause_reason}")
        if subscription.resumes_at == resumes_at:
            return
        pen.change(resumes_at=resumes_at)
    else:
        _stop_trying(pen)
        pen.change(paused_at=now, pause_reason=PauseReason.REQUESTED, resumes_at=resumes_at)
        pen.move(_S.PAUSED, REQUESTED, at=now)
    until = resumes_at and resumes_at.isoformat()
    pen.say("paused", at=now, reason=REQUESTED, resumesAt=until)


def _stop_trying(pen: Pen) -> None:
    """What is open stays open, and is charged when it goes on."""
    for bill in pen.book.open_bills:
        if bill.next_try_at is not None:
            pen.write_bill(replace(bill, next_try_at=None))


def resume(pen: Pen) -> None:
    """Now, whatever it was paused for: with a charge for what is open, or for a new period."""
    _end_if_due(pen)
    need_living(pen)
    if pen.subscription.status is _S.PAUSED:
        renew.resume(pen, REQUESTED, at=pen.now)


def _end_if_due(pen: Pen) -> None:
    """An end that was wished for has come, whether a worker has been there or not."""
    subscription = pen.subscription
    at = subscription.cancel_at
    if at is not None and at <= pen.now and not subscription.has_ended:
        advance.cancel(pen, subscription.cancel_reason or REQUESTED, at=at)


def need_living(pen: Pen) -> None:
    if pen.subscription.has_ended:
        raise Conflict(f"the subscription is {pen.subscription.status}: start a new one")
