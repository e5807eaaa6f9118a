"""Refunds and chargebacks: the money that goes back, asked for or not."""

from collections.abc import Reversible
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from app.sandbox.mollie.bank_reasons import chargeback_reason
from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.hal import PAGING, documentation, link, listing
from app.sandbox.mollie.money import Amount
from app.sandbox.mollie.notify import notify
from app.sandbox.mollie.objects import Chargeback, Mandate, Payment, Refund
from app.sandbox.mollie.payment_view import charged_back, collected, profile_of, refunded
from app.sandbox.mollie.problems import ApiProblem, refused
from app.sandbox.mollie.refund_life import EXECUTED_AFTER
from app.sandbox.mollie.subscription_life import mandate_changed
from app.sandbox.mollie.validation import known_only, metadata, required_amount, text
from app.sandbox.mollie.world import Universe, World
from app.sandbox.words import words

B = TypeVar("B", Refund, Chargeback)
DUPLICATE_WITHIN: Final = timedelta(hours=1)
_CREATE: Final = words("amount description metadata reverseRouting routingReversals")
_DESCRIPTION_MAX: Final = 255


def render_refund(world: World, refund: Refund, base: str) -> dict[str, Any]:
    path = f"payments/{refund.payment_id}"
    return {
        "resource": "refund",
        "id": refund.id,
        "mode": world.mode,
        "description": refund.description,
        "amount": refund.amount.json(),
        "settlementAmount": Amount(refund.amount.currency, -refund.amount.minor).json(),
        "metadata": refund.metadata,
        "paymentId": refund.payment_id,
        "status": refund.status,
        "createdAt": stamp(refund.created_at),
        "_links": {
            "self": link(base, f"{path}/refunds/{refund.id}"),
            "payment": link(base, path),
            "documentation": documentation("get-refund"),
        },
    }


def create_refund(call: Call) -> Answer:
    known_only(call, body=_CREATE)
    payment = call.find(Payment, call.ids[0])
    refund = new_refund(
        call.universe,
        payment,
        required_amount(call.body, "refunds"),
        description=(text(call.body, "description") or payment.description)[:_DESCRIPTION_MAX],
        metadata=metadata(call.body),
    )
    return Answer(201, render_refund(call.world, refund, call.base))


def new_refund(
    universe: Universe, payment: Payment, amount: Amount, *, description: str, metadata: Any = None
) -> Refund:
    at = universe.clock.now()
    _check_refundable(universe.world(payment.key), payment, amount, at)
    waits = universe.settings.balance_short
    refund = Refund(
        id=universe.new_id("re", 10),
        key=payment.key,
        created_at=at,
        payment_id=payment.id,
        amount=amount,
        description=description,
        status="queued" if waits else "pending",
        metadata=metadata,
        step_due=None if waits else at + EXECUTED_AFTER,
    )
    universe.put(refund)
    return refund


def _check_refundable(world: World, payment: Payment, amount: Amount, at: datetime) -> None:
    if amount.currency != payment.amount.currency:
        raise refused("The amount contains an invalid currency", "amount.currency")
    if payment.status != "paid":
        raise refused("The payment cannot be refunded: it is not paid")
    if amount.minor <= 0:
        raise refused("The amount is lower than the minimum", "amount")
    recent = (
        refund
        for refund in world.of(Refund, payment.id)
        if refund.status not in ("failed", "canceled") and refund.created_at > at - DUPLICATE_WITHIN
    )
    # Before the sum: the guard is there for repeated calls, and speaks first.
    if any(refund.amount == amount for refund in recent):
        raise ApiProblem(409, "A duplicate refund has been detected")
    left = collected(world, payment) - refunded(world, payment) - charged_back(world, payment)
    if amount.minor > left:
        raise refused("The specified amount cannot be refunded", "amount.value")


def _of_profile(call: Call, found: Reversible[B]) -> Reversible[B]:
    """As far as a token has asked for one profile's only."""
    if call.profile_id is None:
        return found
    payments = call.world.shelf(Payment)
    return [
        one for one in found if profile_of(call.world, payments[one.payment_id]) == call.profile_id
    ]


def _refund(call: Call) -> Refund:
    payment = call.find(Payment, call.ids[0])
    refund = call.find(Refund, call.ids[1])
    if refund.payment_id != payment.id:
        raise ApiProblem(404, f"No refund exists with token {refund.id}.")
    return refund


def get_refund(call: Call) -> Answer:
    known_only(call, query=frozenset({"embed"}))
    return Answer(200, render_refund(call.world, _refund(call), call.base))


def cancel_refund(call: Call) -> Answer:
    known_only(call)
    refund = _refund(call)
    if refund.status not in ("queued", "pending"):
        raise refused("The refund cannot be canceled any more")
    call.universe.put(replace(refund, status="canceled", step_due=None))
    return Answer(204)


def list_refunds(call: Call) -> Answer:
    known_only(call, query=PAGING | {"embed"})
    refunds = (
        call.world.of(Refund, call.find(Payment, call.ids[0]).id)
        if call.ids
        else _of_profile(call, call.world.shelf(Refund).values())
    )
    body = listing(
        call, "refunds", refunds, lambda r: render_refund(call.world, r, call.base), "list-refunds"
    )
    return Answer(200, body)


def charge_back(
    universe: Universe, payment: Payment, amount: Amount, reason: str | None
) -> Chargeback:
    """The shopper's bank takes money back. A card mandate does not survive it."""
    at = universe.clock.now()
    chargeback = Chargeback(
        id=universe.new_id("chb", 10),
        key=payment.key,
        created_at=at,
        payment_id=payment.id,
        amount=amount,
        reason=reason,
    )
    universe.put(chargeback)
    mandate = universe.find(Mandate, payment.mandate_id) if payment.mandate_id else None
    if mandate is not None and mandate.method == "creditcard" and mandate.status != "invalid":
        ended = replace(mandate, status="invalid", valid_at=None)
        universe.put(ended)
        mandate_changed(universe, ended, at)
    notify(universe, payment, "chargeback.received", at)
    return chargeback


def reverse_chargeback(universe: Universe, payment: Payment, chargeback: Chargeback) -> Chargeback:
    at = universe.clock.now()
    reversed_ = replace(chargeback, reversed_at=at)
    universe.put(reversed_)
    notify(universe, payment, "chargeback.reversed", at)
    return reversed_


def render_chargeback(world: World, chargeback: Chargeback, base: str) -> dict[str, Any]:
    path = f"payments/{chargeback.payment_id}"
    body: dict[str, Any] = {
        "resource": "chargeback",
        "id": chargeback.id,
        "mode": world.mode,
        "amount": chargeback.amount.json(),
        "settlementAmount": Amount(chargeback.amount.currency, -chargeback.amount.minor).json(),
        "paymentId": chargeback.payment_id,
        "createdAt": stamp(chargeback.created_at),
        "reversedAt": None if chargeback.reversed_at is None else stamp(chargeback.reversed_at),
    }
    if chargeback.reason is not None:
        code, description = chargeback_reason(chargeback.reason)
        body["reason"] = {"code": code, "description": description}
    body["_links"] = {
        "self": link(base, f"{path}/chargebacks/{chargeback.id}"),
        "payment": link(base, path),
        "documentation": documentation("get-chargeback"),
    }
    return body


def get_chargeback(call: Call) -> Answer:
    known_only(call, query=frozenset({"embed"}))
    payment = call.find(Payment, call.ids[0])
    chargeback = call.find(Chargeback, call.ids[1])
    if chargeback.payment_id != payment.id:
        raise ApiProblem(404, f"No chargeback exists with token {chargeback.id}.")
    return Answer(200, render_chargeback(call.world, chargeback, call.base))


def list_chargebacks(call: Call) -> Answer:
    known_only(call, query=PAGING | {"embed"})
    chargebacks = (
        call.world.of(Chargeback, call.find(Payment, call.ids[0]).id)
        if call.ids
        else _of_profile(call, call.world.shelf(Chargeback).values())
    )
    body = listing(
        call,
        "chargebacks",
        chargebacks,
        lambda chargeback: render_chargeback(call.world, chargeback, call.base),
        "list-chargebacks",
    )
    return Answer(200, body)
