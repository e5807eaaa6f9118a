"""Which methods a shopper may choose from, given what the shop has said of what is to be paid."""

from app.sandbox.mollie.countries import HOME
from app.sandbox.mollie.holds import HELD_FOR, asks_for_hold
from app.sandbox.mollie.methods import METHODS, Method, fits
from app.sandbox.mollie.objects import Payment, Session


def may_choose(payment: Payment, method: Method) -> bool:
    if payment.methods and method.id not in payment.methods:
        return False
    if len(payment.methods) == 1:
        return True
    said = payment.echoed
    if method.needs_lines and "lines" not in said:
        return False
    if method.needs_address and "billingAddress" not in said:
        return False
    if asks_for_hold(said) and method.id not in HELD_FOR:
        return False
    if method.id == "riverty" and said.get("captureMode") != "manual":
        return False
    country = said.get("restrictPaymentMethodsToCountry")
    return country is None or HOME.get(method.id, country) == country


def of_session(session: Session) -> list[Method]:
    return [method for method in METHODS.values() if can_pay(session, method)]


def can_pay(session: Session, method: Method | None) -> bool:
    if method is None or not fits(method, session.amount, session.sequence_type):
        return False
    # Sessions say nothing of capturing, and riverty is never captured at once.
    return method.id != "riverty" and (
        not method.needs_address or "billingAddress" in session.echoed
    )
