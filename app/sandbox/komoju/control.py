"""The control plane: play the shopper, the bank, the clock and bad luck. Never part of the API.

It is not authenticated; whoever can reach the sandbox may use it.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from app.sandbox.control import (
    AnyRequest,
    ClockBody,
    ControlProblem,
    Json,
    answer,
    order_fault,
    read,
    turn_clock,
)
from app.sandbox.faults import Fault
from app.sandbox.komoju.clock import stamp
from app.sandbox.komoju.life import give_back, refundable, settle
from app.sandbox.komoju.money import AMOUNT_MAX, CURRENCIES, rate, spoken
from app.sandbox.komoju.notify import redeliver
from app.sandbox.komoju.objects import Event, Payment, Session
from app.sandbox.komoju.plane import Plane
from app.sandbox.komoju.routes import OPERATIONS
from app.sandbox.komoju.shopper import Refusal, decide
from app.sandbox.komoju.world import Settings, WebhookMode


class StatusBody(Struct, forbid_unknown_fields=True):
    status: Literal["captured", "failed", "authorized", "cancelled", "expired", "pending"]


class ShopperBody(Struct, forbid_unknown_fields=True):
    outcome: Literal["paid", "failed", "pending", "cancelled"]
    method: str | None = None


class ChargebackBody(Struct, forbid_unknown_fields=True):
    amount: Annotated[int, Meta(ge=1, le=AMOUNT_MAX)] | None = None
    reason: str | None = None


class RedeliverBody(Struct, rename="camel", forbid_unknown_fields=True):
    event_id: str | None = None
    payment_id: str | None = None


@post("/payments/{payment_id:str}/status", status_code=200)
async def set_payment_status(
    payment_id: FromPath[str], request: AnyRequest, komoju: NamedDependency[Plane]
) -> Response[bytes]:
    body = await read(request, StatusBody)
    at = komoju.begin()
    payment = komoju.find(Payment, payment_id)
    # Saying twice what is already so is no event: nothing changes and nobody is told again.
    if payment.status != body.status:
        settle(komoju.universe, payment, body.status, at)
    await komoju.finish()
    return answer(komoju.payment_json(komoju.find(Payment, payment_id)))


@post("/payments/{payment_id:str}/chargeback", status_code=200)
async def make_chargeback(
    payment_id: FromPath[str], request: AnyRequest, komoju: NamedDependency[Plane]
) -> Response[bytes]:
    body = await read(request, ChargebackBody)
    komoju.begin()
    payment = komoju.find(Payment, payment_id)
    if payment.status != "captured":
        raise ControlProblem(409, f"Payment {payment.id} is {payment.status}, not captured.")
    left = refundable(komoju.universe, payment)
    amount = left if body.amount is None else body.amount
    if not 0 < amount <= left:
        raise ControlProblem(409, f"Only {spoken(left, payment.currency)} can go back.")
    give_back(komoju.universe, payment, amount, body.reason, is_chargeback=True)
    await komoju.finish()
    return answer(komoju.payment_json(komoju.find(Payment, payment_id)))


@post("/sessions/{session_id:str}/shopper", status_code=200)
async def play_shopper(
    session_id: FromPath[str], request: AnyRequest, komoju: NamedDependency[Plane]
) -> Response[bytes]:
    """What the hosted page does, for who has no browser."""
    body = await read(request, ShopperBody)
    at = komoju.begin()
    session = komoju.find(Session, session_id)
    try:
        decide(komoju.universe, session, body.outcome, body.method, at)
    except Refusal as refusal:
        raise ControlProblem(409, str(refusal)) from None
    await komoju.finish()
    return answer(komoju.session_json(komoju.find(Session, session_id), request))


@get("/settings")
async def get_settings(komoju: NamedDependency[Plane]) -> Response[bytes]:
    return answer(msgspec.to_builtins(komoju.universe.settings))


@post("/settings", status_code=200)
async def set_settings(request: AnyRequest, komoju: NamedDependency[Plane]) -> Response[bytes]:
    """Only what is given changes."""
    given = await read(request, dict[str, Any])
    komoju.begin()
    try:
        merged = {**msgspec.to_builtins(komoju.universe.settings), **given}
        settings = msgspec.convert(merged, Settings)
    except msgspec.ValidationError as problem:
        raise ControlProblem(422, str(problem)) from None
    if settings.dcc_currency is not None and settings.dcc_currency not in CURRENCIES:
        raise ControlProblem(422, f"There is no currency {settings.dcc_currency}.")
    if rate(settings.dcc_rate) is None:
        raise ControlProblem(422, 'dccRate must be a positive number in a string: "156.25".')
    komoju.universe.settings = settings
    await komoju.finish()
    return answer(msgspec.to_builtins(settings))


@post("/faults", status_code=200)
async def add_fault(request: AnyRequest, komoju: NamedDependency[Plane]) -> Response[bytes]:
    fault = await read(request, Fault)
    order_fault(komoju.universe.faults, fault, OPERATIONS)
    await komoju.finish()
    return answer({"faults": msgspec.to_builtins(komoju.universe.faults)})


@get("/faults")
async def get_faults(komoju: NamedDependency[Plane]) -> Response[bytes]:
    return answer({"faults": msgspec.to_builtins(komoju.universe.faults)})


@post("/webhooks", status_code=200)
async def set_webhooks(request: AnyRequest, komoju: NamedDependency[Plane]) -> Response[bytes]:
    mode = await read(request, WebhookMode)
    if mode.mode == "delay" and not mode.delay_ms:
        raise ControlProblem(422, 'Say for how long: {"mode": "delay", "delayMs": 5000}.')
    komoju.begin()
    komoju.universe.webhooks = mode
    await komoju.finish()
    return answer(msgspec.to_builtins(mode))


@post("/webhooks/redeliver", status_code=200)
async def redeliver_webhook(request: AnyRequest, komoju: NamedDependency[Plane]) -> Response[bytes]:
    """An event once more, or all events of a payment, the newest first."""
    body = await read(request, RedeliverBody)
    if (body.event_id is None) == (body.payment_id is None):
        raise ControlProblem(422, 'Give either {"eventId": "..."} or {"paymentId": "..."}.')
    at = komoju.begin()
    if body.event_id is not None:
        events = [komoju.find(Event, body.event_id)]
    else:
        payment = komoju.find(Payment, body.payment_id or "")
        events = komoju.universe.world(payment.key).of(Event, payment.id)[::-1]
    sent = [one for event in events for one in redeliver(komoju.universe, event, at)]
    await komoju.finish()
    told = [{"deliveryId": one.id, "eventId": one.event_id, "url": one.url} for one in sent]
    return answer({"deliveries": told})


@get("/clock")
async def get_clock(komoju: NamedDependency[Plane]) -> Response[bytes]:
    return answer(_clock_json(komoju))


@post("/clock", status_code=200)
async def set_clock(request: AnyRequest, komoju: NamedDependency[Plane]) -> Response[bytes]:
    body = await read(request, ClockBody)
    komoju.begin()
    turn_clock(komoju.universe.clock, body)
    await komoju.finish()
    return answer(_clock_json(komoju))


def _clock_json(komoju: Plane) -> Json:
    clock = komoju.universe.clock
    return {"now": stamp(clock.now()), "offsetSeconds": int(clock.offset.total_seconds())}


@post("/reset", status_code=200)
async def reset(komoju: NamedDependency[Plane]) -> Response[bytes]:
    komoju.universe.reset()
    await komoju.finish()
    return answer({"reset": True})


ROUTES: Final[tuple[Any, ...]] = (
    set_payment_status,
    make_chargeback,
    play_shopper,
    get_settings,
    set_settings,
    add_fault,
    get_faults,
    set_webhooks,
    redeliver_webhook,
    get_clock,
    set_clock,
    reset,
)
