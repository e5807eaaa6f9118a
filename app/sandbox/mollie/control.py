"""The control plane: play the shopper, the bank, the clock and bad luck. Never part of /v2.

It is not authenticated; whoever can reach the sandbox may use it.
"""

from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, Struct, UnsetType

from app.sandbox.control import ClockBody, Count, order_fault, turn_clock
from app.sandbox.faults import Fault
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.mandates import change_mandate, render
from app.sandbox.mollie.money import CURRENCIES, Amount, minor_units
from app.sandbox.mollie.notify import redeliver
from app.sandbox.mollie.objects import Chargeback, Mandate, Payment, Refund
from app.sandbox.mollie.payment_view import charged_back, collected
from app.sandbox.mollie.plane import AnyRequest, ControlProblem, Json, Plane, answer, read
from app.sandbox.mollie.refund_life import change_refund, release_queued
from app.sandbox.mollie.refunds import (
    charge_back,
    render_chargeback,
    render_refund,
    reverse_chargeback,
)
from app.sandbox.mollie.routes import OPERATIONS
from app.sandbox.mollie.settling import settle
from app.sandbox.mollie.world import Outcomes, Settings, WebhookMode, Word


class StatusBody(Struct, rename="camel", forbid_unknown_fields=True):
    status: Literal["paid", "failed", "canceled", "expired", "pending", "authorized", "open"]
    failure_reason: str | None = None


class AmountBody(Struct, forbid_unknown_fields=True):
    currency: str
    value: str


class ChargebackBody(Struct, forbid_unknown_fields=True):
    amount: AmountBody | None = None
    reason: str | None = None


class MandateBody(Struct, forbid_unknown_fields=True):
    status: Literal["valid", "pending", "invalid"]


class RefundBody(Struct, forbid_unknown_fields=True):
    status: Literal["pending", "processing", "refunded", "failed"]


class SettingsBody(Struct, rename="camel", forbid_unknown_fields=True):
    """Only what is given changes."""

    mandate_delay_seconds: Count | UnsetType = UNSET
    recurring_outcome: Word | UnsetType = UNSET
    recurring_outcomes: Outcomes | UnsetType = UNSET
    recurring_failure_reason: str | UnsetType = UNSET
    debit_delay_seconds: Count | UnsetType = UNSET
    capture_outcome: Literal["succeeded", "failed", "pending"] | UnsetType = UNSET
    calls_per_second: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    latency_ms: Count | UnsetType = UNSET
    strict_webhook_url: bool | UnsetType = UNSET
    idempotency_caches_errors: bool | UnsetType = UNSET
    balance_short: bool | UnsetType = UNSET
    failed_is_final: Literal["singleMethod", "always", "never"] | UnsetType = UNSET
    hang_seconds: Count | UnsetType = UNSET


class RedeliverBody(Struct, rename="camel", forbid_unknown_fields=True):
    payment_id: str


@post("/payments/{payment_id:str}/status", status_code=200)
async def set_payment_status(
    payment_id: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]
) -> Response[bytes]:
    body = await read(request, StatusBody)
    at = plane.begin()
    payment = plane.find(Payment, payment_id)
    # Saying twice what is already so is no event: nothing changes and nobody is told again.
    if payment.status != body.status:
        payment = settle(plane.universe, payment, body.status, at, body.failure_reason)
    await plane.finish()
    return answer(plane.payment_json(plane.find(Payment, payment_id), request))


@post("/payments/{payment_id:str}/chargeback", status_code=200)
async def make_chargeback(
    payment_id: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]
) -> Response[bytes]:
    body = await read(request, ChargebackBody)
    plane.begin()
    payment = plane.find(Payment, payment_id)
    if payment.status != "paid":
        raise ControlProblem(409, f"Payment {payment.id} is {payment.status}, not paid.")
    world = plane.universe.world(payment.key)
    left = collected(world, payment) - charged_back(world, payment)
    amount = _amount(body.amount, payment) or Amount(payment.amount.currency, left)
    if not 0 < amount.minor <= left:
        raise ControlProblem(409, f"Only {Amount(amount.currency, left).spoken()} can go back.")
    chargeback = charge_back(plane.universe, payment, amount, body.reason)
    await plane.finish()
    return answer(_chargeback_json(plane, chargeback, request))


def _amount(body: AmountBody | None, payment: Payment) -> Amount | None:
    if body is None:
        return None
    known = body.currency in CURRENCIES
    minor = minor_units(body.value, body.currency) if known else None
    if minor is None or body.currency != payment.amount.currency:
        raise ControlProblem(422, f"The amount must be like {payment.amount.json()}.")
    return Amount(body.currency, minor)


@post("/payments/{payment_id:str}/chargeback/reverse", status_code=200)
async def reverse_last_chargeback(
    payment_id: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]
) -> Response[bytes]:
    plane.begin()
    payment = plane.find(Payment, payment_id)
    standing = [
        chargeback
        for chargeback in plane.universe.world(payment.key).of(Chargeback, payment.id)
        if chargeback.reversed_at is None
    ]
    if not standing:
        raise ControlProblem(409, f"Payment {payment.id} has no chargeback to reverse.")
    reversed_ = reverse_chargeback(plane.universe, payment, standing[-1])
    await plane.finish()
    return answer(_chargeback_json(plane, reversed_, request))


def _chargeback_json(plane: Plane, chargeback: Chargeback, request: AnyRequest) -> Json:
    world = plane.universe.world(chargeback.key)
    return render_chargeback(world, chargeback, plane.base(request))


@post("/mandates/{mandate_id:str}/status", status_code=200)
async def set_mandate_status(
    mandate_id: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]
) -> Response[bytes]:
    body = await read(request, MandateBody)
    plane.begin()
    mandate = plane.find(Mandate, mandate_id)
    if mandate.revoked_at is not None:
        raise ControlProblem(409, f"Mandate {mandate.id} has been revoked for good.")
    mandate = change_mandate(plane.universe, mandate, body.status)
    await plane.finish()
    world = plane.universe.world(mandate.key)
    return answer(render(world, mandate, plane.base(request)))


@post("/refunds/{refund_id:str}/status", status_code=200)
async def set_refund_status(
    refund_id: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]
) -> Response[bytes]:
    body = await read(request, RefundBody)
    at = plane.begin()
    refund = plane.find(Refund, refund_id)
    if refund.status in ("refunded", "failed", "canceled"):
        raise ControlProblem(409, f"Refund {refund.id} is {refund.status}; that is final.")
    refund = change_refund(plane.universe, refund, body.status, at)
    await plane.finish()
    return answer(render_refund(plane.universe.world(refund.key), refund, plane.base(request)))


@get("/settings")
async def get_settings(plane: NamedDependency[Plane]) -> Response[bytes]:
    return answer(msgspec.to_builtins(plane.universe.settings))


@post("/settings", status_code=200)
async def set_settings(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    body = await read(request, SettingsBody)
    at = plane.begin()
    universe = plane.universe
    merged = {**msgspec.to_builtins(universe.settings), **msgspec.to_builtins(body)}
    was_short = universe.settings.balance_short
    universe.settings = msgspec.convert(merged, Settings)
    if was_short and not universe.settings.balance_short:
        release_queued(universe, at)
    await plane.finish()
    return answer(msgspec.to_builtins(universe.settings))


@post("/faults", status_code=200)
async def add_fault(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    fault = await read(request, Fault)
    order_fault(plane.universe.faults, fault, OPERATIONS)
    await plane.finish()
    return answer({"faults": msgspec.to_builtins(plane.universe.faults)})


@get("/faults")
async def get_faults(plane: NamedDependency[Plane]) -> Response[bytes]:
    return answer({"faults": msgspec.to_builtins(plane.universe.faults)})


@post("/webhooks", status_code=200)
async def set_webhooks(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    mode = await read(request, WebhookMode)
    if mode.delay_ms < 0:
        raise ControlProblem(422, "delayMs must not be negative.")
    plane.begin()
    plane.universe.webhooks = mode
    await plane.finish()
    return answer(msgspec.to_builtins(mode))


@post("/webhooks/redeliver", status_code=200)
async def redeliver_webhook(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    body = await read(request, RedeliverBody)
    at = plane.begin()
    payment = plane.find(Payment, body.payment_id)
    if payment.webhook_url is None:
        raise ControlProblem(422, f"Payment {payment.id} has no webhookUrl.")
    delivery = redeliver(plane.universe, payment, at)
    await plane.finish()
    return answer({"deliveryId": delivery.id, "paymentId": payment.id, "url": delivery.url})


@get("/clock")
async def get_clock(plane: NamedDependency[Plane]) -> Response[bytes]:
    return answer(_clock_json(plane))


@post("/clock", status_code=200)
async def set_clock(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    body = await read(request, ClockBody)
    plane.begin()
    turn_clock(plane.universe.clock, body)
    await plane.finish()
    return answer(_clock_json(plane))


def _clock_json(plane: Plane) -> Json:
    clock = plane.universe.clock
    return {"now": stamp(clock.now()), "offsetSeconds": int(clock.offset.total_seconds())}


@post("/reset", status_code=200)
async def reset(plane: NamedDependency[Plane]) -> Response[bytes]:
    plane.universe.reset()
    await plane.finish()
    return answer({"reset": True})
