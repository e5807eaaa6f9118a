"""The stand-in for Mollie's component: where a session is paid inside of a shop's own page.

Mollie's real one is a script of theirs. Here a page does it, mounted in a frame by a few lines of
script or opened by itself; it needs no script of its own. Whatever is decided leads the whole
window to the `redirectUrl`, and a session that is not paid can be mounted again.
"""

import base64
import binascii
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency

from app.sandbox.mollie.html import STATIC, page, see_other
from app.sandbox.mollie.methods import METHODS
from app.sandbox.mollie.money import Amount
from app.sandbox.mollie.objects import Payment, Session
from app.sandbox.mollie.offers import can_pay, of_session
from app.sandbox.mollie.plane import AnyRequest, Plane
from app.sandbox.mollie.session_life import attempt
from app.sandbox.mollie.state import CARD_FAILURES

Page = Response[str] | Response[bytes]
_HERE: Final = "/components/"
_FORM_BYTES_MAX: Final = 4_000
_TOKEN_MAX: Final = 8_000
_PAID: Final = ("paid", "Paid", "The money arrives. The session is completed.")
_PAID_FIRST: Final = ("paid", "Paid", "The money arrives, and a mandate for later charges.")
_OTHERS: Final = (
    ("failed", "Failed", "The bank says no. The shop may offer another try."),
    ("canceled", "Canceled", "The shopper turns back. The shop may offer another try."),
)
_ENDED: Final = {
    "completed": ("This is paid", "The session is completed; it cannot be paid again."),
    "expired": ("Too late", "The session has expired before it was paid."),
}


class _ClientToken(msgspec.Struct, rename="camel"):
    session_token: str
    secret: str


def _find(plane: Plane, request: AnyRequest) -> Session | None:
    # From the path as it came: a client access token may have slashes in it.
    given = str(request.scope["path"]).removeprefix(_HERE)[:_TOKEN_MAX]
    id, secret = plane.universe.by_token.get(given), None
    if id is None and (token := _decoded(given)) is not None:
        id, secret = plane.universe.by_token.get(token.session_token), token.secret
    session = None if id is None else plane.universe.find(Session, id)
    if session is None or (secret is not None and secret != session.secret):
        return None
    return session


def _decoded(given: str) -> _ClientToken | None:
    plain = given.replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        return msgspec.json.decode(raw, type=_ClientToken)
    except (binascii.Error, ValueError):
        return None


def _framed(answer: Response[str]) -> Response[str]:
    """A component may stand in any shop's page; no other page of the sandbox may."""
    policy = answer.headers["Content-Security-Policy"]
    answer.headers["Content-Security-Policy"] = policy.replace(
        "frame-ancestors 'none'", "frame-ancestors *"
    )
    return answer


def _unknown() -> Page:
    detail = "The token is wrong, or the sandbox has been reset since."
    answer = page("problem.html", status=404, title="There is no such session", detail=detail)
    return _framed(answer)


def _component(plane: Plane, session: Session, problem: str | None = None) -> Page:
    attempts = plane.universe.world(session.key).of(Payment, session.id)
    last = attempts[-1].status if attempts else None
    title, detail = _ENDED.get(session.status, ("", ""))
    answer = page(
        "component.html",
        status=200 if problem is None else 422,
        session=session,
        amount=session.amount.spoken(),
        lines=[_line(line, session.amount.currency) for line in session.echoed["lines"]],
        offered=of_session(session),
        outcomes=(_PAID_FIRST if session.sequence_type == "first" else _PAID, *_OTHERS),
        reasons=list(CARD_FAILURES),
        ended=title,
        detail=detail,
        notice=f"The last attempt was {last}." if last in ("failed", "canceled") else None,
        problem=problem,
    )
    return _framed(answer)


def _line(line: dict[str, Any], currency: str) -> tuple[str, int, str]:
    value = line["totalAmount"]["value"].replace(".", "")
    return line["description"], line["quantity"], Amount(currency, int(value)).spoken()


@get("/components/{token:path}")
async def show_component(request: AnyRequest, plane: NamedDependency[Plane]) -> Page:
    await plane.finish()
    if (session := _find(plane, request)) is None:
        return _unknown()
    return _component(plane, session)


@post("/components/{token:path}", status_code=200)
async def pay_component(request: AnyRequest, plane: NamedDependency[Plane]) -> Page:
    written = (await request.body())[:_FORM_BYTES_MAX].decode("utf-8", "replace")
    form = {name: values[-1] for name, values in parse_qs(written).items()}
    at = plane.begin()
    if (session := _find(plane, request)) is None:
        return _unknown()
    if session.status != "open":
        return _component(plane, session)
    status, method = form.get("final_state", ""), form.get("method")
    if status not in ("paid", "failed", "canceled"):
        return _component(plane, session, "Choose how the payment ends.")
    if not can_pay(session, METHODS.get(method or "")):
        return _component(plane, session, "Choose a method that is offered.")
    reason = form.get("failure_reason")
    why = reason if reason in CARD_FAILURES else None
    attempt(plane.universe, session, status, at, method=method, reason=why)
    await plane.finish()
    return see_other(session.redirect_url)


@get("/components/stand-in.js", sync_to_thread=False)
def stand_in_script() -> Response[bytes]:
    headers = {
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    content = (STATIC / "stand-in.js").read_bytes()
    return Response(content, media_type="text/javascript", headers=headers)


ROUTES: Final[tuple[Any, ...]] = (show_component, pay_component, stand_in_script)
