"""Reading the body of a new or changed payment. Every rule that Mollie answers 422 for is here."""

from datetime import datetime, timedelta
from typing import Any, Final

from app.sandbox.mollie.addresses import address, check_needs
from app.sandbox.mollie.calls import Call
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.countries import COUNTRIES
from app.sandbox.mollie.holds import capture_settings
from app.sandbox.mollie.lines import check_lines
from app.sandbox.mollie.methods import METHODS, OPEN_FOR, SEQUENCES, fits
from app.sandbox.mollie.money import Amount
from app.sandbox.mollie.objects import Payment
from app.sandbox.mollie.payment_extras import NAMES, check_extras, due_date, end_of
from app.sandbox.mollie.problems import refused
from app.sandbox.mollie.routing import application_fee, routes
from app.sandbox.mollie.validation import (
    locale,
    metadata,
    required_text,
    text,
    url,
    webhook_url,
)
from app.sandbox.words import words

DESCRIPTION_MAX: Final = 255
CREATE: Final = words(
    "amount description redirectUrl cancelUrl webhookUrl lines locale method metadata "
    "sequenceType customerId mandateId billingAddress shippingAddress applicationFee routing "
    "restrictPaymentMethodsToCountry captureMode captureDelay dueDate"
).union(NAMES)
UPDATE: Final = words(
    "description redirectUrl cancelUrl webhookUrl metadata method locale dueDate "
    "restrictPaymentMethodsToCountry issuer billingAddress shippingAddress "
    "billingEmail"
)


def description(body: dict[str, Any]) -> str:
    """Longer ones are cut, not refused."""
    return required_text(body, "description")[:DESCRIPTION_MAX]


def sequence_type(body: dict[str, Any]) -> str:
    value = text(body, "sequenceType") or "oneoff"
    if value not in SEQUENCES:
        raise refused("The sequence type is invalid", "sequenceType")
    return value


def methods(body: dict[str, Any]) -> tuple[str, ...]:
    given = body.get("method")
    if given is None:
        return ()
    names = given if isinstance(given, list) else [given]
    # Whether an empty list means every method or none is not said: refused.
    if not names or not all(isinstance(name, str) and name in METHODS for name in names):
        raise refused("The payment method is invalid", "method")
    return tuple(names)


def check_limits(amount: Amount, chosen: tuple[str, ...], sequence: str) -> None:
    candidates = [METHODS[id] for id in chosen] or list(METHODS.values())
    if not any(sequence in method.sequences for method in candidates):
        raise refused(f"The payment method does not support {sequence} payments", "method")
    candidates = [method for method in candidates if sequence in method.sequences]
    if not any(not m.currencies or amount.currency in m.currencies for m in candidates):
        raise refused("The amount contains an invalid currency", "amount.currency")
    if any(fits(method, amount, sequence) for method in candidates):
        return
    if amount.minor <= 0 or all(amount.minor < method.minimum for method in candidates):
        raise refused("The amount is lower than the minimum", "amount")
    raise refused("The amount is higher than the maximum", "amount")


def redirect_url(body: dict[str, Any], sequence: str) -> str | None:
    found = url(body, "redirectUrl", "redirect")
    if sequence == "recurring":
        return None
    if found is None and body.get("applePayPaymentToken") is None:
        raise refused("The 'redirectUrl' field is missing", "redirectUrl")
    return found


def echoed(call: Call, amount: Amount, chosen: tuple[str, ...], sequence: str) -> dict[str, Any]:
    """What is given back as it was sent, once it has been found right."""
    body = call.body
    check_extras(call, chosen, sequence)
    lines, billing = body.get("lines"), address(body, "billingAddress")
    read = {
        "lines": None if lines is None else check_lines(lines, amount),
        "billingAddress": billing,
        "shippingAddress": address(body, "shippingAddress"),
        "applicationFee": application_fee(call, amount),
        "restrictPaymentMethodsToCountry": country(body),
        "dueDate": due_date(call),
        **capture_settings(body, chosen, sequence),
    }
    found = {name: value for name, value in read.items() if value is not None}
    if len(chosen) == 1:
        method = METHODS[chosen[0]]
        if method.needs_lines and "lines" not in found:
            raise refused("The 'lines' field is missing", "lines")
        check_needs(billing, [method])
    if (parts := routes(body, amount)) is not None:
        found["routing"] = [_route(call, part) for part in parts]
    return found


def _route(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    id = call.universe.new_id("rt", 10)
    return {"resource": "route", "id": id, "createdAt": stamp(call.at), **part}


def country(body: dict[str, Any]) -> str | None:
    name = "restrictPaymentMethodsToCountry"
    value = text(body, name)
    if value is not None and value not in COUNTRIES:
        raise refused(f"The '{name}' field is invalid", name)
    return value


def expiry(
    id: str, chosen: tuple[str, ...], at: datetime, due: str | None = None
) -> tuple[datetime, datetime]:
    """When it expires, and the moment a minute or so later at which that is booked."""
    open_for = METHODS[chosen[0]].open_for if len(chosen) == 1 else OPEN_FOR
    expires_at = end_of(due) if due and chosen == ("banktransfer",) else at + open_for
    jitter = timedelta(seconds=60 + sum(id.encode()) % 15)
    return expires_at, expires_at + jitter


def changes(call: Call, payment: Payment) -> dict[str, Any]:
    """What a PATCH changes, as fields of the record."""
    body, sequence = call.body, payment.sequence_type
    found: dict[str, Any] = {}
    if "description" in body:
        found["description"] = description(body)
    if "redirectUrl" in body:
        found["redirect_url"] = redirect_url(body, sequence)
    if "cancelUrl" in body:
        found["cancel_url"] = url(body, "cancelUrl", "cancel")
    if "webhookUrl" in body:
        found["webhook_url"] = webhook_url(call)
    if "metadata" in body:
        found["metadata"] = metadata(body)
    if "locale" in body:
        found["locale"] = locale(body)
    if "method" in body:
        found["methods"] = methods(body)
    if "issuer" in body:
        text(body, "issuer")
    fresh = {
        "billingAddress": address(body, "billingAddress"),
        "shippingAddress": address(body, "shippingAddress"),
        "restrictPaymentMethodsToCountry": country(body),
        "dueDate": due_date(call),
    }
    if kept := {name: value for name, value in fresh.items() if value is not None}:
        found["echoed"] = {**payment.echoed, **kept}
    if (due := due_date(call)) is not None and payment.expires_at is not None:
        chosen = found.get("methods", payment.methods)
        until = expiry(payment.id, chosen, payment.created_at, due)
        found["expires_at"], found["expiry_due"] = until
    return found
