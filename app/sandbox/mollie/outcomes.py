"""What happens by itself when its moment has come, for each kind of record."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from app.sandbox.happenings import happen
from app.sandbox.mollie.capture_life import authorization_due, capture_due
from app.sandbox.mollie.mandates import becomes_valid
from app.sandbox.mollie.objects import (
    Capture,
    Mandate,
    Payment,
    Refund,
    Session,
    Subscription,
)
from app.sandbox.mollie.refund_life import next_step
from app.sandbox.mollie.session_life import expire
from app.sandbox.mollie.settling import settle
from app.sandbox.mollie.state import magic_reason
from app.sandbox.mollie.subscription_life import charge
from app.sandbox.mollie.world import Universe
from app.sandbox.record import Record


def _payment_due(universe: Universe, payment: Payment, at: datetime) -> None:
    if payment.status == "authorized":
        authorization_due(universe, payment, at)
    elif payment.outcome is not None:
        usual = magic_reason(payment) or universe.settings.recurring_failure_reason
        reason = payment.outcome_reason or usual
        settle(universe, payment, payment.outcome, at, reason)
    else:
        settle(universe, payment, "expired", at)


_HAPPENS: Final[dict[type[Record], Callable[[Universe, Any, datetime], None]]] = {
    Payment: _payment_due,
    Capture: capture_due,
    Session: expire,
    Mandate: becomes_valid,
    Refund: next_step,
    Subscription: charge,
}


def run_due(universe: Universe, carry: Callable[[Any, datetime], object]) -> None:
    """Everything whose moment has come, in order, each at its own moment."""
    happen(universe, _HAPPENS, carry)
