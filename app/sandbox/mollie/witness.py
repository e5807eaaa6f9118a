"""What the sandbox holds and was asked, newest first: the truth to compare a ledger with."""

from litestar import Response, Router, get
from litestar.di import NamedDependency

from app.sandbox.control import asked_json, delivery_json
from app.sandbox.mollie import (
    connect_control,
    control,
    customers,
    mandates,
    session_control,
    subscriptions,
)
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.objects import Customer, Delivery, Mandate, Payment, Refund, Subscription
from app.sandbox.mollie.plane import (
    AnyRequest,
    ControlProblem,
    Json,
    Plane,
    answer,
    problem_answer,
)
from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.mollie.refunds import render_refund
from app.sandbox.mollie.state import IllegalMove
from app.sandbox.mollie.world import masked


@get("/payments")
async def payments(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    await plane.finish()
    found = plane.universe.newest(Payment)
    return answer({"items": [plane.payment_json(payment, request) for payment in found]})


@get("/refunds")
async def refunds(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    await plane.finish()
    base, universe = plane.base(request), plane.universe
    items = [
        {**render_refund(universe.world(refund.key), refund, base), "key": masked(refund.key)}
        for refund in universe.newest(Refund)
    ]
    return answer({"items": items})


@get("/customers")
async def all_customers(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    await plane.finish()
    base, universe = plane.base(request), plane.universe
    items = [
        {**customers.render(universe.world(one.key), one, base), "key": masked(one.key)}
        for one in universe.newest(Customer)
    ]
    return answer({"items": items})


@get("/mandates")
async def all_mandates(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    await plane.finish()
    base, universe = plane.base(request), plane.universe
    items = [
        {**mandates.render(universe.world(one.key), one, base), "key": masked(one.key)}
        for one in universe.newest(Mandate)
    ]
    return answer({"items": items})


@get("/subscriptions")
async def all_subscriptions(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    await plane.finish()
    base, universe = plane.base(request), plane.universe
    items = [
        {**subscriptions.render(universe.world(one.key), one, base), "key": masked(one.key)}
        for one in universe.newest(Subscription)
    ]
    return answer({"items": items})


@get("/deliveries")
async def deliveries(plane: NamedDependency[Plane]) -> Response[bytes]:
    await plane.finish()
    found = reversed(plane.universe.deliveries.values())
    return answer({"items": [_delivery_json(delivery) for delivery in found]})


def _delivery_json(delivery: Delivery) -> Json:
    told = {"paymentId": delivery.payment_id, "key": masked(delivery.key)}
    return {**told, **delivery_json(delivery, stamp)}


@get("/requests")
async def requests(plane: NamedDependency[Plane]) -> Response[bytes]:
    await plane.finish()
    found = reversed(plane.universe.asked.values())
    return answer({"items": [asked_json(asked, masked) for asked in found]})


def control_router() -> Router:
    """Everything under /_control."""
    return Router(
        path="/_control",
        route_handlers=[
            payments,
            refunds,
            all_customers,
            all_mandates,
            all_subscriptions,
            deliveries,
            requests,
            control.set_payment_status,
            control.make_chargeback,
            control.reverse_last_chargeback,
            control.set_mandate_status,
            control.set_refund_status,
            control.get_settings,
            control.set_settings,
            control.add_fault,
            control.get_faults,
            control.set_webhooks,
            control.redeliver_webhook,
            control.get_clock,
            control.set_clock,
            control.reset,
            *session_control.ROUTES,
            *connect_control.ROUTES,
        ],
        exception_handlers={
            ControlProblem: problem_answer,
            ApiProblem: problem_answer,
            IllegalMove: problem_answer,
        },
    )
