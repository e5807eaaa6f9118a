"""A payment comes to something: its new state, the mandate it leaves, and who is told of it.

The control plane, the pages, the API and the clock all end here.
"""

from datetime import datetime

from msgspec.structs import replace

from app.sandbox.mollie.holds import hold_for
from app.sandbox.mollie.mandates import mandate_of_first
from app.sandbox.mollie.methods import METHODS, fits
from app.sandbox.mollie.notify import notify
from app.sandbox.mollie.objects import Capture, Payment
from app.sandbox.mollie.state import NOTIFIED, move
from app.sandbox.mollie.subscription_life import charge_failed
from app.sandbox.mollie.world import Universe


def settle(
    universe: Universe, payment: Payment, status: str, at: datetime, reason: str | None = None
) -> Payment:
    if payment.method is None and status not in ("canceled", "expired"):
        payment = replace(payment, method=_likely_method(payment))
    was_held, moved = payment.status == "authorized", move(payment, status, at, reason)
    if status == "authorized":
        moved = replace(moved, hold=hold_for(moved, at))
    if was_held:
        _end_hold(universe, moved, at)
    leaves_mandate = moved.sequence_type == "first" or moved.stores_card
    if status in ("paid", "authorized") and leaves_mandate and not was_held:
        mandate = mandate_of_first(universe, moved, at)
        moved = replace(moved, mandate_id=None if mandate is None else mandate.id)
    universe.put(moved)
    if status == "failed":
        charge_failed(universe, moved, at)
    if status in NOTIFIED:
        notify(universe, moved, status, at)
    return moved


def _end_hold(universe: Universe, payment: Payment, at: datetime) -> None:
    """What is under way comes too late; paid without any capture means all of it at once."""
    captures = universe.world(payment.key).of(Capture, payment.id)
    for capture in captures:
        if capture.status == "pending":
            universe.put(replace(capture, status="failed", outcome_due=None))
    if payment.status == "paid" and not any(one.status == "succeeded" for one in captures):
        universe.put(
            Capture(
                id=universe.new_id("cpt"),
                key=payment.key,
                created_at=at,
                payment_id=payment.id,
                amount=payment.amount,
                status="succeeded",
                description=payment.description,
            )
        )


def _likely_method(payment: Payment) -> str:
    """What the shopper is taken to have chosen when nobody says: a card, if a card is possible."""
    possible = payment.methods or tuple(METHODS)
    for id in ("creditcard", *possible):
        if id in possible and fits(METHODS[id], payment.amount, payment.sequence_type):
            return id
    return possible[0]
