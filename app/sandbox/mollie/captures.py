"""The endpoints of captures: take authorized money, or let go of it."""

from typing import Any, Final

from msgspec.structs import replace

from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.capture_life import DONE_AFTER, begin_capture, captured, is_under_way
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.hal import PAGING, documentation, link, listing
from app.sandbox.mollie.holds import CAPTURED_ONCE
from app.sandbox.mollie.money import Amount
from app.sandbox.mollie.objects import Capture, Payment
from app.sandbox.mollie.problems import ApiProblem, refused
from app.sandbox.mollie.validation import amount, known_only, metadata, text
from app.sandbox.mollie.world import World
from app.sandbox.words import words

_CREATE: Final = words("amount description metadata")
_READ: Final = frozenset({"embed"})
_DESCRIPTION_MAX: Final = 255


def render_capture(world: World, capture: Capture, base: str) -> dict[str, Any]:
    path = f"payments/{capture.payment_id}"
    body: dict[str, Any] = {
        "resource": "capture",
        "id": capture.id,
        "mode": world.mode,
        "amount": capture.amount.json(),
        "status": capture.status,
        "metadata": capture.metadata,
        "paymentId": capture.payment_id,
        "createdAt": stamp(capture.created_at),
        "_links": {
            "self": link(base, f"{path}/captures/{capture.id}"),
            "payment": link(base, path),
            "documentation": documentation("get-capture"),
        },
    }
    if capture.description is not None:
        body["description"] = capture.description
    return body


def create_capture(call: Call) -> Answer:
    known_only(call, body=_CREATE)
    payment = call.find(Payment, call.ids[0])
    _check_authorized(payment, "captured")
    capture = begin_capture(
        call.universe,
        payment,
        _amount(call, payment),
        call.at,
        description=_description(call.body),
        metadata=metadata(call.body),
    )
    return Answer(201, render_capture(call.world, capture, call.base))


def _check_authorized(payment: Payment, done: str) -> None:
    if payment.status != "authorized" or payment.hold is None:
        raise refused(f"The payment cannot be {done}: it is not authorized")
    if payment.hold.release_due is not None:
        raise refused(f"The payment cannot be {done}: its authorization is being released")


def _amount(call: Call, payment: Payment) -> Amount:
    left = payment.amount.minor - captured(call.world, payment, also_pending=True)
    if left <= 0 or (payment.method in CAPTURED_ONCE and is_under_way(call.world, payment)):
        raise refused("The payment cannot be captured: it already is")
    if call.body.get("amount") is None:
        return Amount(payment.amount.currency, left)
    wanted = amount(call.body["amount"])
    if wanted.currency != payment.amount.currency:
        raise refused("The amount contains an invalid currency", "amount.currency")
    if wanted.minor <= 0:
        raise refused("The amount is lower than the minimum", "amount")
    if wanted.minor > left:
        raise refused("The amount is higher than what is left of the authorization", "amount")
    return wanted


def _description(body: dict[str, Any]) -> str | None:
    # Of payments Mollie says that it cuts; of captures only how long they may be.
    value = text(body, "description")
    if value is not None and len(value) > _DESCRIPTION_MAX:
        detail = f"The 'description' field is longer than {_DESCRIPTION_MAX} characters"
        raise refused(detail, "description")
    return value


def get_capture(call: Call) -> Answer:
    known_only(call, query=_READ)
    payment, capture = call.find(Payment, call.ids[0]), call.find(Capture, call.ids[1])
    if capture.payment_id != payment.id:
        raise ApiProblem(404, f"No capture exists with token {capture.id}.")
    return Answer(200, render_capture(call.world, capture, call.base))


def list_captures(call: Call) -> Answer:
    known_only(call, query=PAGING | _READ)
    body = listing(
        call,
        "captures",
        call.world.of(Capture, call.find(Payment, call.ids[0]).id),
        lambda capture: render_capture(call.world, capture, call.base),
        "list-captures",
    )
    return Answer(200, body)


def release_authorization(call: Call) -> Answer:
    """Accepted now, done a moment later; the webhook tells of it."""
    known_only(call)
    payment = call.find(Payment, call.ids[0])
    _check_authorized(payment, "released")
    # Whether Mollie would wait for a capture or overtake it is not said: refused.
    if is_under_way(call.world, payment):
        raise refused("The payment cannot be released: a capture is under way")
    assert payment.hold is not None
    released = replace(payment.hold, release_due=call.at + DONE_AFTER)
    call.universe.put(replace(payment, hold=released))
    return Answer(202)
