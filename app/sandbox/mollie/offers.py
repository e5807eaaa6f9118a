"""Which methods a shopper may choose from, given what the shop has said of the payment."""

from app.sandbox.mollie.countries import HOME
from app.sandbox.mollie.holds import HELD_FOR, asks_for_hold
from app.sandbox.mollie.methods import Method
from app.sandbox.mollie.objects import Payment


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
