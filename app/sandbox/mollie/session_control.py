"""The control plane of sessions: pay one as its shopper would, and see what came of it."""

from typing import Any, Final, Literal

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from app.sandbox.mollie.methods import METHODS
from app.sandbox.mollie.objects import Payment, Session
from app.sandbox.mollie.offers import can_pay
from app.sandbox.mollie.plane import AnyRequest, ControlProblem, Json, Plane, answer, read
from app.sandbox.mollie.session_life import SessionEnded, attempt, expire
from app.sandbox.mollie.sessions import render_session
from app.sandbox.mollie.world import masked


class SessionBody(Struct, rename="camel", forbid_unknown_fields=True):
    status: Literal["paid", "failed", "canceled", "expired"]
    method: str | None = None
    failure_reason: str | None = None


@post("/sessions/{session_id:str}/status", status_code=200)
async def set_session_status(
    session_id: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]
) -> Response[bytes]:
    body = await read(request, SessionBody)
    at = plane.begin()
    session = plane.find(Session, session_id)
    if body.method is not None and not can_pay(session, METHODS.get(body.method)):
        raise ControlProblem(422, f"Session {session.id} cannot be paid with {body.method!r}.")
    try:
        if body.status == "expired":
            expire(plane.universe, session, at)
        else:
            choice = {"method": body.method, "reason": body.failure_reason}
            attempt(plane.universe, session, body.status, at, **choice)
    except SessionEnded as problem:
        raise ControlProblem(409, str(problem)) from None
    await plane.finish()
    return answer(_session_json(plane, plane.find(Session, session_id), request))


@get("/sessions")
async def all_sessions(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    await plane.finish()
    found = plane.universe.newest(Session)
    return answer({"items": [_session_json(plane, session, request) for session in found]})


def _session_json(plane: Plane, session: Session, request: AnyRequest) -> Json:
    world, base = plane.universe.world(session.key), plane.base(request)
    return {
        **render_session(world, session, base),
        "key": masked(session.key),
        "componentUrl": f"{base}/components/{session.token}",
        "paymentIds": [payment.id for payment in world.of(Payment, session.id)],
    }


ROUTES: Final[tuple[Any, ...]] = (set_session_status, all_sessions)
