"""What a payment comes to, and everything that follows from it.

The control plane, the hosted page, the API and the clock all go through here.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from app.sandbox.happenings import happen
from app.sandbox.mollie.mandates import becomes_valid, mandate_of_first
from app.sandbox.mollie.methods import METHODS, fits
from app.sandbox.mollie.notify import notify
from app.sandbox.mollie.objects import Mandate, Payment, Refund, Subscription
from app.sandbox.mollie.refund_life import next_step
from app.sandbox.mollie.state import NOTIFIED, magic_reason, move
from app.sandbox.mollie.subscription_life import charge, charge_failed
from app.sandbox.mollie.world import Universe
from app.sandbox.record import Record


def settle(
    universe: Universe, payment: Payment, status: str, at: datetime, reason: str | None = None
) -> Payment:
    if payment.method is None and status not in ("canceled", "expired"):
        payment = replace(payment, method=_likely_method(payment))
    moved = move(payment, status, at, reason)
    if status == "paid" and moved.sequence_type == "first":
        mandate = mandate_of_first(universe, moved, at)
        moved = replace(moved, mandate_id=None if mandate is None else mandate.id)
    universe.put(moved)
    if status == "failed":
        charge_failed(universe, moved, at)
    if status in NOTIFIED:
        notify(universe, moved, status, at)
    return moved


def _likely_method(payment: Payment) -> str:
    """What the shopper is taken to have chosen when nobody says: a card, if a card is possible."""
    possible = payment.methods or tuple(METHODS)
    for id in ("creditcard", *possible):
        if id in possible and fits(METHODS[id], payment.amount, payment.sequence_type):
            return id
    return possible[0]


def _payment_due(universe: Universe, payment: Payment, at: datetime) -> None:
    if payment.outcome is not None:
        usual = magic_reason(payment) or universe.settings.recurring_failure_reason
        reason = payment.outcome_reason or usual
        settle(universe, payment, payment.outcome, at, reason)
    else:
        settle(universe, payment, "expired", at)


_HAPPENS: Final[dict[type[Record], Callable[[Universe, Any, datetime], None]]] = {
    Payment: _payment_due,
    Mandate: becomes_valid,
    Refund: next_step,
    Subscription: charge,
}


def run_due(universe: Universe, carry: Callable[[Any, datetime], object]) -> None:
    """Everything whose moment has come, in order, each at its own moment."""
    happen(universe, _HAPPENS, carry)
