"""The hosted page: where a shopper would pay, and a developer decides how it ends.

Works without script. Shows what others wrote (descriptions, addresses) and trusts none of it.
"""

from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.sandbox.control import AnyRequest
from app.sandbox.html import Pages, see_other
from app.sandbox.komoju import clock
from app.sandbox.komoju.api import MOUNT
from app.sandbox.komoju.life import settle
from app.sandbox.komoju.methods import METHODS, offered
from app.sandbox.komoju.money import spoken
from app.sandbox.komoju.objects import Payment, Session
from app.sandbox.komoju.plane import Plane
from app.sandbox.komoju.shopper import Refusal, decide, outcomes_of

Page = Response[str] | Response[bytes]
page: Final = Pages(Path(__file__).parent / "templates", "KOMOJU")
_FORM_BYTES_MAX: Final = 4_000
_CHOICES: Final = {
    "paid": ("Paid", "A card or wallet pays at once; for cash a voucher is handed out."),
    "failed": ("Failed", "The bank says no. Another try is possible."),
    "pending": ("Pending", "The shopper is lost at the bank; the control plane decides."),
    "cancelled": ("Cancelled", "The shopper turns back. KOMOJU tells nobody."),
}
_SAVED: Final = ("Saved", "The method can be charged later.")
_NOTICES: Final = {"failed": "That attempt failed. The session is still open: choose again."}
_AT_THE_SHOP: Final = (
    ("captured", "Paid in cash", "The shopper brings the money to the shop."),
    ("expired", "Never paid", "The deadline passes and the voucher is void."),
)


def back_to(session: Session) -> str | None:
    """The shop's address with `session_id` added to whatever query it has."""
    if session.return_url is None:
        return None
    parts = urlsplit(session.return_url)
    told = urlencode({"session_id": session.id})
    return urlunsplit(parts._replace(query=f"{parts.query}&{told}" if parts.query else told))


def _unknown() -> Page:
    detail = "The address is wrong, or the sandbox has been reset since."
    return page("unknown.html", status=404, title="There is no such session", detail=detail)


async def _form(request: AnyRequest) -> dict[str, str]:
    written = (await request.body())[:_FORM_BYTES_MAX].decode("utf-8", "replace")
    return {name: values[-1] for name, values in parse_qs(written).items()}


def _order(session: Session) -> str | None:
    return (session.payment_data or {}).get("external_order_num")


def _open_page(session: Session, *, notice: str | None = None, problem: str | None = None) -> Page:
    methods = offered(session.mode, session.payment_types)
    choices = [(value, *_CHOICES[value]) for value in outcomes_of(session)]
    if session.mode == "customer":
        choices[0] = ("paid", *_SAVED)
    return page(
        "session.html",
        status=200 if problem is None else 422,
        session=session,
        order=_order(session),
        amount=spoken(session.amount, session.currency),
        prices=[_line(item, session.currency) for item in session.line_items or ()],
        method=methods[0].name if len(methods) == 1 else None,
        offered=methods if len(methods) > 1 else [],
        outcomes=choices,
        back=back_to(session),
        notice=notice,
        problem=problem,
    )


def _line(item: dict[str, Any], currency: str) -> tuple[str, str]:
    count, text = item["quantity"], item.get("description") or "No description"
    amount = item.get("amount")
    return (
        text if count == 1 else f"{count} × {text}",
        "" if amount is None else spoken(amount * count, currency),
    )


def _over_page(plane: Plane, session: Session, problem: str | None = None) -> Page:
    is_expired = session.is_expired(plane.universe.clock.now())
    payment = plane.universe.find(Payment, session.payment_id or "")
    waits = payment is not None and payment.status == "authorized" and payment.deadline is not None
    return page(
        "over.html",
        status=200 if problem is None else 422,
        session=session,
        order=_order(session),
        state="expired" if is_expired else session.status,
        amount=spoken(session.amount, session.currency),
        payment=payment,
        total=None if payment is None else spoken(payment.total, payment.currency),
        fee=spoken(payment.fee, payment.currency) if payment and payment.fee else None,
        method=None if payment is None else METHODS[payment.method].name,
        deadline=clock.spoken(payment.deadline) if payment and payment.deadline else None,
        outcomes=_AT_THE_SHOP if waits else (),
        back=back_to(session),
        problem=problem,
    )


@get("/komoju/sessions/{session_id:str}")
async def show_session(
    session_id: FromPath[str], request: AnyRequest, komoju: NamedDependency[Plane]
) -> Page:
    await komoju.finish()
    if (session := komoju.universe.find(Session, session_id)) is None:
        return _unknown()
    if session.status != "pending" or session.is_expired(komoju.universe.clock.now()):
        return _over_page(komoju, session)
    return _open_page(session, notice=_NOTICES.get(request.query_params.get("notice", "")))


@post("/komoju/sessions/{session_id:str}", status_code=200)
async def decide_session(
    session_id: FromPath[str], request: AnyRequest, komoju: NamedDependency[Plane]
) -> Page:
    form = await _form(request)
    at = komoju.begin()
    if (session := komoju.universe.find(Session, session_id)) is None:
        return _unknown()
    here = f"{MOUNT}/sessions/{session.id}"
    if session.status != "pending" or session.is_expired(at):
        return see_other(here)
    wanted = form.get("final_state", "")
    try:
        decide(komoju.universe, session, wanted, form.get("method"), at)
    except Refusal as refusal:
        return _open_page(session, problem=str(refusal))
    await komoju.finish()
    if wanted == "failed":
        return see_other(f"{here}?notice=failed")
    return see_other(back_to(session) or here)


@post("/komoju/sessions/{session_id:str}/voucher", status_code=200)
async def decide_voucher(
    session_id: FromPath[str], request: AnyRequest, komoju: NamedDependency[Plane]
) -> Page:
    """What becomes of cash that is waited for."""
    form = await _form(request)
    at = komoju.begin()
    session = komoju.universe.find(Session, session_id)
    payment = komoju.universe.find(Payment, (session and session.payment_id) or "")
    if session is None or payment is None:
        return _unknown()
    here = f"{MOUNT}/sessions/{session.id}"
    if payment.status != "authorized" or payment.deadline is None:
        return see_other(here)
    wanted = form.get("final_state", "")
    if wanted not in {value for value, _, _ in _AT_THE_SHOP}:
        return _over_page(komoju, session, problem="Choose what happens.")
    settle(komoju.universe, payment, wanted, at)
    await komoju.finish()
    return see_other(here)


ROUTES: Final[tuple[Any, ...]] = (show_session, decide_session, decide_voucher)
