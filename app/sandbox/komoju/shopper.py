"""What a shopper can do with a session: pay, be declined, leave half way, or turn back.

The hosted page and the control plane both come here.
"""

from datetime import datetime
from typing import Final

from app.sandbox.komoju.life import attempt, pay, save_customer, settle
from app.sandbox.komoju.methods import METHODS, Method, offered
from app.sandbox.komoju.objects import Session
from app.sandbox.komoju.world import Universe

OUTCOMES: Final = ("paid", "failed", "pending", "cancelled")


class Refusal(Exception):
    """Why it cannot be done, for whoever plays the shopper."""


def outcomes_of(session: Session) -> tuple[str, ...]:
    """Nothing is paid where a method is only saved, so nothing can be left half way."""
    return tuple(o for o in OUTCOMES if session.mode != "customer" or o != "pending")


def decide(
    universe: Universe, session: Session, outcome: str, slug: str | None, at: datetime
) -> None:
    if session.status != "pending" or session.is_expired(at):
        raise Refusal("The session is over.")
    if outcome not in outcomes_of(session):
        raise Refusal("Choose how it ends.")
    if outcome == "cancelled":
        return  # KOMOJU is told nothing, and tells nobody: the session stays as it is
    method = _chosen(session, slug)
    if method.is_cash and outcome != "paid":
        raise Refusal("A voucher is only handed out: nobody declines it. Choose Paid.")
    if session.mode == "customer":
        if outcome == "paid":
            save_customer(universe, session, method, at)
        return
    payment = attempt(universe, session, method, at)
    if outcome == "paid":
        pay(universe, payment, at)
    elif outcome == "failed":
        settle(universe, payment, "failed", at)


def _chosen(session: Session, slug: str | None) -> Method:
    possible = offered(session.mode, session.payment_types)
    if slug is None and possible:
        return possible[0]
    method = METHODS.get(slug or "")
    if method not in possible or method is None:
        raise Refusal("Choose a method that is offered.")
    return method
