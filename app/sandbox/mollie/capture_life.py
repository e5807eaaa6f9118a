"""What becomes of an authorized payment: captured, let go, or forgotten until it expires.

The payment's webhook hears when it is paid, canceled or expired. Of a capture by itself, failed
ones too, only Mollie's account-wide events tell, which are not here: read, or miss it.
"""

from datetime import datetime, timedelta
from typing import Any, Final, Literal

from msgspec.structs import replace

from app.sandbox.mollie.holds import CAPTURED_ONCE
from app.sandbox.mollie.money import Amount
from app.sandbox.mollie.objects import Capture, Payment
from app.sandbox.mollie.settling import settle
from app.sandbox.mollie.world import Universe, World

# Long enough for the caller to have its answer, short enough for nobody to wait.
DONE_AFTER: Final = timedelta(milliseconds=200)


def captured(world: World, payment: Payment, *, also_pending: bool = False) -> int:
    counted = ("succeeded", "pending") if also_pending else ("succeeded",)
    captures = world.of(Capture, payment.id)
    return sum(capture.amount.minor for capture in captures if capture.status in counted)


def is_under_way(world: World, payment: Payment) -> bool:
    return any(capture.status == "pending" for capture in world.of(Capture, payment.id))


def begin_capture(
    universe: Universe, payment: Payment, amount: Amount, at: datetime, **said: Any
) -> Capture:
    """What it will come to is settled now, and happens a moment later."""
    wanted = universe.settings.capture_outcome
    capture = Capture(
        id=universe.new_id("cpt"),
        key=payment.key,
        created_at=at,
        payment_id=payment.id,
        amount=amount,
        status="pending",
        outcome=None if wanted == "pending" else wanted,
        outcome_due=None if wanted == "pending" else at + DONE_AFTER,
        **said,
    )
    universe.put(capture)
    return capture


def capture_due(universe: Universe, capture: Capture, at: datetime) -> None:
    if capture.outcome is not None:
        end_capture(universe, capture, capture.outcome, at)


def end_capture(
    universe: Universe, capture: Capture, status: Literal["succeeded", "failed"], at: datetime
) -> Capture:
    ended = replace(capture, status=status, outcome_due=None)
    universe.put(ended)
    payment = universe.find(Payment, capture.payment_id)
    if payment is None or payment.status != "authorized" or status == "failed":
        return ended
    world = universe.world(payment.key)
    whole = captured(world, payment) >= payment.amount.minor
    if whole or payment.method in CAPTURED_ONCE:
        settle(universe, payment, "paid", at)
    return ended


def authorization_due(universe: Universe, payment: Payment, at: datetime) -> None:
    hold, world = payment.hold, universe.world(payment.key)
    if hold is None:
        return
    if hold.release_due is not None and hold.release_due <= at:
        _let_go(universe, payment, "canceled", at)
    elif hold.capture_due is not None and hold.capture_due <= at:
        universe.put(replace(payment, hold=replace(hold, capture_due=None)))
        left = payment.amount.minor - captured(world, payment, also_pending=True)
        if left > 0:
            amount = Amount(payment.amount.currency, left)
            begin_capture(universe, payment, amount, at, description=payment.description)
    else:
        _let_go(universe, payment, "expired", at)


def _let_go(universe: Universe, payment: Payment, without: str, at: datetime) -> None:
    """A part of the money may have been captured: that part is paid."""
    has_money = captured(universe.world(payment.key), payment) > 0
    settle(universe, payment, "paid" if has_money else without, at)
