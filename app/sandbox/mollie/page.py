"""The hosted page: where a shopper would pay, and a developer decides how it ends.

Works without script. Shows what others wrote (description, addresses) and trusts none of it.
"""

from typing import Any, Final
from urllib.parse import parse_qs

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec.structs import replace

from app.sandbox.mollie.holds import asks_for_hold
from app.sandbox.mollie.html import page, see_other
from app.sandbox.mollie.methods import METHODS, Method, offered
from app.sandbox.mollie.money import Amount, minor_units
from app.sandbox.mollie.objects import FINAL, Chargeback, Payment
from app.sandbox.mollie.offers import may_choose
from app.sandbox.mollie.payment_view import charged_back, collected, refunded
from app.sandbox.mollie.plane import AnyRequest, Plane
from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.mollie.refunds import charge_back, new_refund, reverse_chargeback
from app.sandbox.mollie.settling import settle
from app.sandbox.mollie.state import CARD_FAILURES

Page = Response[str] | Response[bytes]
Choice = tuple[str, str, str]
_PAID: Final = ("paid", "Paid", "The money arrives.")
_PAID_FIRST: Final = ("paid", "Paid", "The money arrives, and a mandate for later charges.")
_AUTHORIZED: Final = ("authorized", "Authorized", "The money is reserved, to be captured later.")
_FAILED: Final = ("failed", "Failed", "The bank says no.")
_OTHERS: Final = (
    _FAILED,
    ("canceled", "Canceled", "The shopper turns back."),
    ("expired", "Expired", "The shopper never returns and the time runs out."),
    ("open", "Open", "The shopper goes back to the shop without a result."),
)
_LEFT_OPEN: Final = ("open", "Still open", "Nothing is decided yet.")
_MONEY_BACK: Final = (
    ("refund", "Refund", "The shop gives money back. Runs two hours later on the sandbox's clock."),
    ("chargeback", "Chargeback", "The shopper's bank takes money back. Ends a card mandate."),
)
_REVERSAL: Final = ("reversal", "Reversal", "The last chargeback is taken back.")
_FORM_BYTES_MAX: Final = 4_000
_NOTICES: Final = {
    "failed": "That attempt failed. The payment is still open: choose again.",
    "done": "Done.",
}


def _find(plane: Plane, token: str) -> Payment | None:
    id = plane.universe.by_token.get(token)
    return None if id is None else plane.universe.find(Payment, id)


def _unknown() -> Page:
    detail = "The address is wrong, or the sandbox has been reset since."
    return page("problem.html", status=404, title="There is no such payment", detail=detail)


async def _form(request: AnyRequest) -> dict[str, str]:
    written = (await request.body())[:_FORM_BYTES_MAX].decode("utf-8", "replace")
    return {name: values[-1] for name, values in parse_qs(written).items()}


def _choices(payment: Payment) -> tuple[Choice, ...]:
    paid = _PAID_FIRST if payment.sequence_type == "first" else _PAID
    held = asks_for_hold(payment.echoed)
    return (_AUTHORIZED if held else paid, *_OTHERS)


def _offered(payment: Payment) -> list[Method]:
    found = offered(payment.amount, payment.sequence_type)
    return [method for method in found if may_choose(payment, method)]


def _named(payment: Payment) -> str | None:
    method = METHODS.get(payment.method or "")
    return None if method is None else method.description


def _checkout_page(
    payment: Payment, *, notice: str | None = None, problem: str | None = None
) -> Page:
    possible = _offered(payment)
    fixed = len(payment.methods) == 1
    preferred = "creditcard" if any(m.id == "creditcard" for m in possible) else ""
    return page(
        "checkout.html",
        status=200 if problem is None else 422,
        payment=payment,
        amount=payment.amount.spoken(),
        method=_named(payment) if fixed else None,
        offered=[] if fixed else possible,
        chosen=payment.method or preferred,
        outcomes=_choices(payment),
        reasons=list(CARD_FAILURES),
        back=payment.redirect_url or "nowhere: the payment has no redirectUrl",
        cancel=payment.cancel_url,
        notice=notice,
        problem=problem,
    )


def _done_page(plane: Plane, payment: Payment) -> Page:
    test = plane.universe.world(payment.key).mode == "test"
    changeable = test and payment.status == "paid"
    return page(
        "done.html",
        payment=payment,
        amount=payment.amount.spoken(),
        method=_named(payment),
        back=_way_back(payment),
        change=f"/checkout/change/{payment.token}" if changeable else None,
    )


def _way_back(payment: Payment) -> str | None:
    if payment.status == "canceled" and payment.cancel_url is not None:
        return payment.cancel_url
    return payment.redirect_url


@get("/checkout/select/{token:str}")
async def show_checkout(
    token: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]
) -> Page:
    await plane.finish()
    if (payment := _find(plane, token)) is None:
        return _unknown()
    if payment.status != "open" or payment.sequence_type == "recurring":
        return _done_page(plane, payment)
    return _checkout_page(payment, notice=_NOTICES.get(request.query_params.get("notice", "")))


@post("/checkout/select/{token:str}", status_code=200)
async def decide(token: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]) -> Page:
    form = await _form(request)
    at = plane.begin()
    if (payment := _find(plane, token)) is None:
        return _unknown()
    here = f"/checkout/select/{token}"
    if payment.status != "open" or payment.sequence_type == "recurring":
        return see_other(here)
    status = form.get("final_state", "")
    if status not in {value for value, _, _ in _choices(payment)}:
        return _checkout_page(payment, problem="Choose how the payment ends.")
    possible = [method.id for method in _offered(payment)]
    method = form.get("method") or payment.method or next(iter(possible), None)
    if len(payment.methods) != 1 and method not in possible:
        return _checkout_page(payment, problem="Choose a method that is offered.")
    if status == "failed" and not _failure_is_final(plane, payment):
        return see_other(f"{here}?notice=failed")
    if status != "open":
        tried = (
            replace(payment, method=method) if status not in ("canceled", "expired") else payment
        )
        payment = settle(plane.universe, tried, status, at, _reason(form))
        await plane.finish()
    return see_other(_way_back(payment) or here)


def _reason(form: dict[str, str]) -> str | None:
    reason = form.get("failure_reason")
    return reason if reason in CARD_FAILURES else None


def _failure_is_final(plane: Plane, payment: Payment) -> bool:
    """Who can choose another method gets another try, and nobody hears of the failed one."""
    rule = plane.universe.settings.failed_is_final
    return rule == "always" or (rule == "singleMethod" and len(payment.methods) == 1)


def _changes(plane: Plane, payment: Payment) -> tuple[Choice, ...]:
    if payment.status == "paid":
        world = plane.universe.world(payment.key)
        reversal = (_REVERSAL,) if charged_back(world, payment) else ()
        return (*_MONEY_BACK, *reversal)
    if payment.sequence_type == "recurring" and payment.status not in FINAL:
        return (_PAID, _FAILED, _LEFT_OPEN)
    return ()


def _change_page(
    plane: Plane, payment: Payment, *, notice: str | None = None, problem: str | None = None
) -> Page:
    world = plane.universe.world(payment.key)
    left = collected(world, payment) - refunded(world, payment) - charged_back(world, payment)
    return page(
        "change.html",
        status=200 if problem is None else 422,
        payment=payment,
        amount=payment.amount.spoken(),
        method=_named(payment),
        outcomes=_changes(plane, payment),
        reasons=list(CARD_FAILURES),
        left=Amount(payment.amount.currency, left).value,
        notice=notice,
        problem=problem,
    )


def _changeable(plane: Plane, token: str) -> Payment | None:
    payment = _find(plane, token)
    if payment is None or plane.universe.world(payment.key).mode != "test":
        return None
    return payment


@get("/checkout/change/{token:str}")
async def show_change(
    token: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]
) -> Page:
    await plane.finish()
    if (payment := _changeable(plane, token)) is None:
        return _unknown()
    notice = _NOTICES.get(request.query_params.get("notice", ""))
    return _change_page(plane, payment, notice=notice)


@post("/checkout/change/{token:str}", status_code=200)
async def change(token: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]) -> Page:
    form = await _form(request)
    plane.begin()
    if (payment := _changeable(plane, token)) is None:
        return _unknown()
    wanted = form.get("final_state", "")
    if wanted not in {value for value, _, _ in _changes(plane, payment)}:
        return _change_page(plane, payment, problem="Choose what happens.")
    problem = _apply(plane, payment, wanted, form)
    await plane.finish()
    if problem is not None:
        return _change_page(plane, payment, problem=problem)
    return see_other(f"/checkout/change/{token}?notice=done")


def _apply(plane: Plane, payment: Payment, wanted: str, form: dict[str, str]) -> str | None:
    """Do it, or say why not."""
    universe, world = plane.universe, plane.universe.world(payment.key)
    if wanted in ("paid", "failed"):
        settle(universe, payment, wanted, universe.clock.now(), _reason(form))
    elif wanted == "reversal":
        standing = [c for c in world.of(Chargeback, payment.id) if c.reversed_at is None]
        reverse_chargeback(universe, payment, standing[-1])
    elif wanted in ("refund", "chargeback"):
        currency = payment.amount.currency
        minor = minor_units(form.get("amount", ""), currency)
        if minor is None:
            return f"Write the amount like {Amount(currency, 1000).value}."
        return _take_back(plane, payment, wanted, Amount(currency, minor))
    return None


def _take_back(plane: Plane, payment: Payment, wanted: str, amount: Amount) -> str | None:
    if wanted == "refund":
        try:
            new_refund(plane.universe, payment, amount, description=payment.description)
        except ApiProblem as problem:
            return problem.detail
        return None
    world = plane.universe.world(payment.key)
    left = collected(world, payment) - charged_back(world, payment)
    if not 0 < amount.minor <= left:
        return f"At most {Amount(amount.currency, left).spoken()} can be charged back."
    charge_back(plane.universe, payment, amount, None)
    return None


ROUTES: Final[tuple[Any, ...]] = (show_checkout, decide, show_change, change)
