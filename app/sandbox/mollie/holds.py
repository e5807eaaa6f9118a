"""Holds: which payments are authorized first and captured later, and how long that may take.

A payment asks for it by `captureMode: manual`, or by a `captureDelay` after which it is captured
by itself.
"""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from app.sandbox.mollie.objects import Hold, Payment
from app.sandbox.mollie.problems import refused
from app.sandbox.mollie.validation import text

# Mollie keeps a card's hold "at least 7 days", some up to 30: the shortest is the one to be ready
# for. Those who let a shopper pay later keep theirs for four weeks.
_CARD_DAYS: Final = 7
_PAY_LATER_DAYS: Final = 28
HELD_FOR: Final = {
    **dict.fromkeys(("creditcard", "applepay", "vipps", "mobilepay"), _CARD_DAYS),
    **dict.fromkeys(("klarna", "billie", "riverty"), _PAY_LATER_DAYS),
}
# One capture ends the hold of a card, whatever is left of it; the others take several.
CAPTURED_ONCE: Final = frozenset({"creditcard", "applepay", "vipps", "mobilepay"})
_DELAY: Final = re.compile(r"(\d{1,3}) (hour|day)s?", re.ASCII)
_DELAY_MAX: Final = timedelta(days=7)


def capture_settings(
    body: dict[str, Any], chosen: tuple[str, ...], sequence: str
) -> dict[str, str]:
    """`captureMode` and `captureDelay` as far as they are given."""
    mode, delay = text(body, "captureMode"), text(body, "captureDelay")
    if mode not in (None, "automatic", "manual"):
        raise refused("The 'captureMode' field is invalid", "captureMode")
    if delay is not None and not timedelta() < (_delay(delay) or timedelta()) <= _DELAY_MAX:
        raise refused("The 'captureDelay' field is invalid", "captureDelay")
    if delay is not None and mode == "manual":
        detail = "The 'captureDelay' field is only possible with the capture mode automatic"
        raise refused(detail, "captureDelay")
    if chosen == ("riverty",) and mode != "manual":
        raise refused("The 'captureMode' field should be manual for riverty", "captureMode")
    given = {"captureMode": mode, "captureDelay": delay}
    found = {name: value for name, value in given.items() if value is not None}
    if asks_for_hold(found):
        _check_possible(chosen, sequence)
    return found


def _check_possible(chosen: tuple[str, ...], sequence: str) -> None:
    # Nowhere does Mollie say that a charge without a shopper can be held: refused.
    if sequence == "recurring":
        raise refused("Recurring payments are captured at once", "captureMode")
    if chosen and not HELD_FOR.keys() & set(chosen):
        raise refused("The payment method does not support capturing later", "captureMode")


def asks_for_hold(given: dict[str, Any]) -> bool:
    return given.get("captureMode") == "manual" or "captureDelay" in given


def hold_for(payment: Payment, at: datetime) -> Hold:
    """What an authorization at this moment leads to when nobody does anything."""
    days = HELD_FOR.get(payment.method or "", _CARD_DAYS)
    # Whole days, and the first one begun is a gift: a delay of the longest kind still fits in.
    before = at.date() + timedelta(days=days + 1)
    delay = _delay(payment.echoed.get("captureDelay", ""))
    return Hold(
        capture_before=before,
        expiry_due=datetime.combine(before, time(tzinfo=UTC)),
        capture_due=None if delay is None else at + delay,
    )


def _delay(written: str) -> timedelta | None:
    if (match := _DELAY.fullmatch(written)) is None:
        return None
    count = int(match[1])
    return timedelta(hours=count) if match[2] == "hour" else timedelta(days=count)
