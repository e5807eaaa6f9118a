"""What the sandbox holds and was asked, newest first: the truth to compare a ledger with."""

from typing import Any, Final

from litestar import Response, Router, get
from litestar.di import NamedDependency

from app.sandbox.control import AnyRequest, ControlProblem, answer, asked_json, delivery_json
from app.sandbox.komoju import control, hooks
from app.sandbox.komoju.api import MOUNT
from app.sandbox.komoju.clock import stamp
from app.sandbox.komoju.life import IllegalMove
from app.sandbox.komoju.objects import Customer, Event, Payment, Refund, Session
from app.sandbox.komoju.plane import Plane, problem_answer
from app.sandbox.komoju.view import render_customer, render_event, render_refund
from app.sandbox.komoju.world import masked


@get("/sessions")
async def sessions(request: AnyRequest, komoju: NamedDependency[Plane]) -> Response[bytes]:
    await komoju.finish()
    found = komoju.universe.newest(Session)
    return answer({"items": [komoju.session_json(session, request) for session in found]})


@get("/payments")
async def payments(komoju: NamedDependency[Plane]) -> Response[bytes]:
    await komoju.finish()
    found = komoju.universe.newest(Payment)
    return answer({"items": [komoju.payment_json(payment) for payment in found]})


@get("/refunds")
async def refunds(komoju: NamedDependency[Plane]) -> Response[bytes]:
    """Chargebacks are among them, as they are at KOMOJU."""
    await komoju.finish()
    found = komoju.universe.newest(Refund)
    return answer({"items": [{**render_refund(r), "key": masked(r.key)} for r in found]})


@get("/customers")
async def customers(komoju: NamedDependency[Plane]) -> Response[bytes]:
    """The deleted ones too."""
    await komoju.finish()
    items = [
        {**render_customer(one), "deleted": one.deleted_at is not None, "key": masked(one.key)}
        for one in komoju.universe.newest(Customer)
    ]
    return answer({"items": items})


@get("/events")
async def events(komoju: NamedDependency[Plane]) -> Response[bytes]:
    await komoju.finish()
    found = komoju.universe.newest(Event)
    return answer({"items": [{**render_event(one), "key": masked(one.key)} for one in found]})


@get("/deliveries")
async def deliveries(komoju: NamedDependency[Plane]) -> Response[bytes]:
    await komoju.finish()
    items = [
        {"eventId": one.event_id, "key": masked(one.key), **delivery_json(one, stamp)}
        for one in reversed(komoju.universe.deliveries.values())
    ]
    return answer({"items": items})


@get("/requests")
async def requests(komoju: NamedDependency[Plane]) -> Response[bytes]:
    await komoju.finish()
    found = reversed(komoju.universe.asked.values())
    return answer({"items": [asked_json(asked, masked) for asked in found]})


_LISTS: Final[tuple[Any, ...]] = (
    sessions,
    payments,
    refunds,
    customers,
    events,
    deliveries,
    requests,
)


def control_router() -> Router:
    """Everything under /komoju/_control."""
    return Router(
        path=f"{MOUNT}/_control",
        route_handlers=[*_LISTS, *control.ROUTES, *hooks.ROUTES],
        exception_handlers={ControlProblem: problem_answer, IllegalMove: problem_answer},
    )
