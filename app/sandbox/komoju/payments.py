"""Payments: listed, shown, charged on a saved customer, captured, cancelled, refunded."""

from typing import Final

from msgspec.structs import replace

from app.sandbox.komoju.calls import Answer, Call
from app.sandbox.komoju.life import MOVES, give_back, refundable, settle
from app.sandbox.komoju.listing import PAGING, listing
from app.sandbox.komoju.methods import METHODS
from app.sandbox.komoju.notify import tell_payment
from app.sandbox.komoju.objects import Payment
from app.sandbox.komoju.problems import refused
from app.sandbox.komoju.validation import known_only, metadata, text, whole_number
from app.sandbox.komoju.view import render_payment

_FILTERS: Final = frozenset({"currency", "status", "external_order_num"})


def _shown(call: Call, payment: Payment) -> Answer:
    return Answer(render_payment(call.world, payment))


def list_payments(call: Call) -> Answer:
    known_only(call.query, PAGING | _FILTERS)
    wanted = {name: call.query[name] for name in _FILTERS if name in call.query}
    if wanted.get("status", "pending") not in MOVES:
        raise refused("There is no such status", "status")
    found = [
        payment
        for payment in call.world.shelf(Payment).values()
        if all(getattr(payment, name) == value for name, value in wanted.items())
    ]
    return listing(call, found, lambda payment: render_payment(call.world, payment))


def get_payment(call: Call) -> Answer:
    known_only(call.query, frozenset())
    return _shown(call, call.find(Payment, call.ids[0]))


def update_payment(call: Call) -> Answer:
    known_only(call.body, frozenset({"description", "metadata"}))
    payment = call.find(Payment, call.ids[0])
    if "description" in call.body:
        payment = replace(payment, description=text(call.body, "description"))
    if "metadata" in call.body:
        payment = replace(payment, metadata=metadata(call.body))
    call.universe.put(payment)
    tell_payment(call.universe, payment, "payment.updated", call.at)
    return _shown(call, payment)


def capture_payment(call: Call) -> Answer:
    """No part of the amount: only the whole is documented."""
    known_only(call.body, frozenset())
    payment = call.find(Payment, call.ids[0])
    if payment.status != "authorized" or not payment.is_manual:
        raise refused(f"The payment is {payment.status} and does not wait for a capture")
    return _shown(call, settle(call.universe, payment, "captured", call.at))


def cancel_payment(call: Call) -> Answer:
    known_only(call.body, frozenset())
    payment = call.find(Payment, call.ids[0])
    if payment.status not in ("pending", "authorized"):
        raise refused(f"The payment is {payment.status} and cannot be cancelled")
    return _shown(call, settle(call.universe, payment, "cancelled", call.at))


def refund_payment(call: Call) -> Answer:
    """Without an amount: all that is left."""
    known_only(call.body, frozenset({"amount", "description"}))
    payment = call.find(Payment, call.ids[0])
    amount = whole_number(call.body, "amount", 1)
    if payment.status != "captured":
        raise refused(f"The payment is {payment.status} and cannot be refunded")
    if METHODS[payment.method].is_cash:
        raise refused(f"A payment by {payment.method} is refunded on request, by bank transfer")
    left = refundable(call.universe, payment)
    if left <= 0:
        raise refused("Nothing of the payment can be refunded")
    if amount is not None and amount > left:
        raise refused(f"Only {left} of the payment can still be refunded", "amount")
    payment = give_back(call.universe, payment, amount or left, text(call.body, "description"))
    return _shown(call, payment)
