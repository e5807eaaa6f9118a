"""The endpoints of payments: create, get, update, cancel, list; also below a customer."""

from collections.abc import Iterable, Reversible
from typing import Any, Final

from msgspec.structs import replace

from app.sandbox.mollie import payment_input
from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.captures import render_capture
from app.sandbox.mollie.charges import recurring_payment
from app.sandbox.mollie.customers import check_customer, customer_of
from app.sandbox.mollie.hal import PAGING, documentation, link, listing
from app.sandbox.mollie.mandates import chargeable
from app.sandbox.mollie.objects import FINAL, Capture, Chargeback, Payment, Refund, Subscription
from app.sandbox.mollie.payment_view import (
    is_cancelable,
    profile_of,
    render_payment,
    rendered_routes,
)
from app.sandbox.mollie.problems import ApiProblem, refused
from app.sandbox.mollie.refunds import render_chargeback, render_refund
from app.sandbox.mollie.settling import settle
from app.sandbox.mollie.validation import (
    known_only,
    locale,
    metadata,
    required_amount,
    text,
    url,
    webhook_url,
)

_INCLUDE: Final = frozenset({"include"})


def create_payment(call: Call) -> Answer:
    known_only(call, body=payment_input.CREATE, query=_INCLUDE)
    return _created(call, text(call.body, "customerId"))


def create_customer_payment(call: Call) -> Answer:
    known_only(call, body=payment_input.CREATE - {"customerId"}, query=_INCLUDE)
    return _created(call, customer_of(call).id)


def _created(call: Call, customer_id: str | None) -> Answer:
    body = call.body
    amount = required_amount(body, "payments")
    sequence, chosen = payment_input.sequence_type(body), payment_input.methods(body)
    text(body, "mandateId")
    given: dict[str, Any] = {
        "amount": amount,
        "description": payment_input.description(body),
        "redirect_url": payment_input.redirect_url(body, sequence),
        "cancel_url": url(body, "cancelUrl", "cancel"),
        "webhook_url": webhook_url(call),
        "locale": locale(body),
        "metadata": metadata(body),
        "stores_card": body.get("storeCredentials") is True and sequence == "oneoff",
        "echoed": payment_input.echoed(call, amount, chosen, sequence),
    }
    if call.profile_id is not None:
        given["echoed"]["profileId"] = call.profile_id
    payment_input.check_limits(amount, chosen, sequence)
    if customer_id is not None:
        check_customer(call, customer_id)
    if sequence == "recurring":
        payment = _recurring(call, customer_id, chosen, given)
    else:
        payment = _checkout(call, customer_id, chosen, sequence, given)
    call.universe.put(payment)
    return Answer(201, render_payment(call.world, payment, call.base))


def _checkout(
    call: Call,
    customer_id: str | None,
    chosen: tuple[str, ...],
    sequence: str,
    given: dict[str, Any],
) -> Payment:
    id = call.universe.new_id("tr")
    due = given["echoed"].get("dueDate")
    expires_at, expiry_due = payment_input.expiry(id, chosen, call.at, due)
    return Payment(
        id=id,
        token=call.universe.new_id("3", 30),
        key=call.world.key,
        created_at=call.at,
        status="open",
        sequence_type=sequence,
        methods=chosen,
        method=chosen[0] if len(chosen) == 1 else None,
        customer_id=customer_id,
        expires_at=expires_at,
        expiry_due=expiry_due,
        **given,
    )


def _recurring(
    call: Call, customer_id: str | None, chosen: tuple[str, ...], given: dict[str, Any]
) -> Payment:
    if customer_id is None:
        raise refused("The 'customerId' field is missing", "customerId")
    method = chosen[0] if len(chosen) == 1 else None
    mandate = chargeable(call, customer_id, text(call.body, "mandateId"), method)
    payment_input.check_limits(given["amount"], (mandate.method,), "recurring")
    return recurring_payment(call.universe, mandate, call.at, **given)


def get_payment(call: Call) -> Answer:
    known_only(call, query=frozenset({"include", "embed"}))
    payment = call.find(Payment, call.ids[0])
    body = render_payment(call.world, payment, call.base)
    if embed := set(call.query.get("embed", "").split(",")) - {""}:
        body["_embedded"] = _embedded(call, payment, embed)
    return Answer(200, body)


def _embedded(call: Call, payment: Payment, names: Iterable[str]) -> dict[str, Any]:
    refunds, chargebacks = (
        call.world.of(Refund, payment.id),
        call.world.of(Chargeback, payment.id),
    )
    possible: dict[str, list[Any]] = {
        "refunds": [render_refund(call.world, refund, call.base) for refund in refunds],
        "chargebacks": [render_chargeback(call.world, c, call.base) for c in chargebacks],
        "captures": [
            render_capture(call.world, capture, call.base)
            for capture in call.world.of(Capture, payment.id)
        ],
    }
    for name in names:
        if name not in possible:
            raise ApiProblem(400, f"The embed value {name} is invalid", "embed")
    return {name: possible[name] for name in names}


def update_payment(call: Call) -> Answer:
    """Changes what can still matter. Sends no webhook."""
    known_only(call, body=payment_input.UPDATE)
    payment = call.find(Payment, call.ids[0])
    if payment.status in FINAL and "redirectUrl" in call.body:
        detail = "The redirect URL cannot be updated when the payment is finalized"
        raise refused(detail, "redirectUrl")
    changes = payment_input.changes(call, payment)
    if (chosen := changes.get("methods")) is not None:
        payment_input.check_limits(payment.amount, chosen, payment.sequence_type)
        changes["method"] = chosen[0] if len(chosen) == 1 else None
    payment = replace(payment, **changes)
    call.universe.put(payment)
    return Answer(200, render_payment(call.world, payment, call.base))


def cancel_payment(call: Call) -> Answer:
    known_only(call)
    payment = call.find(Payment, call.ids[0])
    if payment.status in FINAL or not is_cancelable(call.world, payment):
        raise refused("The payment cannot be cancelled")
    payment = settle(call.universe, payment, "canceled", call.at)
    return Answer(200, render_payment(call.world, payment, call.base))


def list_payments(call: Call) -> Answer:
    known_only(call, query=PAGING | _INCLUDE)
    return _listed(call, call.world.shelf(Payment).values())


def list_customer_payments(call: Call) -> Answer:
    known_only(call, query=PAGING)
    return _listed(call, call.world.of(Payment, customer_of(call).id))


def list_subscription_payments(call: Call) -> Answer:
    known_only(call, query=PAGING)
    subscription = call.find(Subscription, call.ids[1])
    return _listed(call, call.world.of(Payment, subscription.id))


def _listed(call: Call, payments: Reversible[Payment]) -> Answer:
    if (profile := call.profile_id) is not None:
        payments = [one for one in payments if profile_of(call.world, one) == profile]
    body = listing(
        call,
        "payments",
        payments,
        lambda payment: render_payment(call.world, payment, call.base),
        "list-payments",
    )
    return Answer(200, body)


def get_route(call: Call) -> Answer:
    """One part of a split payment; a payment is only split when it is made."""
    known_only(call)
    payment = call.find(Payment, call.ids[0])
    for route in rendered_routes(call.world, payment, call.base):
        if route["id"] == call.ids[1]:
            return Answer(200, route)
    raise ApiProblem(404, f"No route exists with token {call.ids[1]}.")


def list_routes(call: Call) -> Answer:
    known_only(call)
    payment = call.find(Payment, call.ids[0])
    found = rendered_routes(call.world, payment, call.base)
    links = {
        "self": link(call.base, call.path),
        "documentation": documentation("payment-list-routes"),
    }
    body = {"count": len(found), "_embedded": {"routes": found}, "_links": links}
    return Answer(200, body)
