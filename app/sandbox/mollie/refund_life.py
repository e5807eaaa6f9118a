"""The steps of a refund on the clock: queued, pending, processing, refunded.

The payment's webhook hears of processing, refunded and failed, never of pending or canceled.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from app.sandbox.mollie.notify import notify
from app.sandbox.mollie.objects import Payment, Refund
from app.sandbox.mollie.world import Universe

# Until then a refund can be taken back.
EXECUTED_AFTER: Final = timedelta(hours=2)
BOOKED_AFTER: Final = timedelta(hours=22)
_NOTIFIED: Final = frozenset({"processing", "refunded", "failed"})


def next_step(universe: Universe, refund: Refund, at: datetime) -> None:
    if refund.status == "pending":
        change_refund(universe, refund, "processing", at)
    elif refund.status == "processing":
        change_refund(universe, refund, "refunded", at)


def change_refund(universe: Universe, refund: Refund, status: str, at: datetime) -> Refund:
    waits = {"pending": EXECUTED_AFTER, "processing": BOOKED_AFTER}
    step_due = at + waits[status] if status in waits else None
    changed = replace(refund, status=status, step_due=step_due)
    universe.put(changed)
    payment = universe.find(Payment, refund.payment_id)
    if payment is not None and status in _NOTIFIED:
        notify(universe, payment, f"refund.{status}", at)
    return changed


def release_queued(universe: Universe, at: datetime) -> None:
    """The balance suffices again: what had to wait goes on."""
    for refund in list(universe.newest(Refund)):
        if refund.status == "queued":
            change_refund(universe, refund, "pending", at)
