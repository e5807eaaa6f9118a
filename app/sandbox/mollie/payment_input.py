"""Reading the body of a new or changed payment. Every rule that Mollie answers 422 for is here."""

import re
from datetime import datetime, timedelta
from typing import Any, Final

from app.sandbox.mollie.calls import Call
from app.sandbox.mollie.lines import check_lines
from app.sandbox.mollie.methods import METHODS, OPEN_FOR, SEQUENCES, Method, fits
from app.sandbox.mollie.money import Amount
from app.sandbox.mollie.objects import Payment
from app.sandbox.mollie.problems import refused
from app.sandbox.mollie.validation import amount as read_amount
from app.sandbox.mollie.validation import (
    iso_date,
    locale,
    metadata,
    required_text,
    text,
    url,
    webhook_url,
)
from app.sandbox.words import words

DESCRIPTION_MAX: Final = 255
# Given back as sent, without a meaning of their own here.
_ECHOED_OBJECTS: Final = ("billingAddress", "shippingAddress", "applicationFee")
_ECHOED_TEXTS: Final = ("restrictPaymentMethodsToCountry", "captureMode", "captureDelay", "dueDate")
_IGNORED: Final = ("issuer", "cardToken", "applePayPaymentToken", "storeCredentials", "routing")
CREATE: Final = words(
    "amount description redirectUrl cancelUrl webhookUrl lines locale method metadata "
    "sequenceType customerId mandateId consumerName"
).union(_ECHOED_OBJECTS, _ECHOED_TEXTS, _IGNORED)
UPDATE: Final = words(
    "description redirectUrl cancelUrl webhookUrl metadata method locale dueDate "
    "restrictPaymentMethodsToCountry issuer billingAddress shippingAddress"
)
_CAPTURE_DELAY: Final = re.compile(r"\d{1,3} (hours?|days?)", re.ASCII)
_FEE_SHARE, _FEE_FIXED = 6, 35  # a fee may take the amount less 6 % and 0.35


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
    if not all(isinstance(name, str) and name in METHODS for name in names):
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


def echoed(body: dict[str, Any], amount: Amount, chosen: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if body.get("lines") is not None:
        found["lines"] = check_lines(body["lines"], amount)
    for name in _ECHOED_OBJECTS:
        if body.get(name) is not None:
            if not isinstance(body[name], dict):
                raise refused(f"The '{name}' field should be an object", name)
            found[name] = body[name]
    for name in _ECHOED_TEXTS:
        if (value := text(body, name)) is not None:
            found[name] = value
    _check_echoed(body, found, amount)
    _check_needs(found, [METHODS[id] for id in chosen])
    return found


def _check_echoed(body: dict[str, Any], found: dict[str, Any], amount: Amount) -> None:
    if found.get("captureMode", "automatic") not in ("automatic", "manual"):
        raise refused("The 'captureMode' field is invalid", "captureMode")
    if "captureDelay" in found and _CAPTURE_DELAY.fullmatch(found["captureDelay"]) is None:
        raise refused("The 'captureDelay' field is invalid", "captureDelay")
    iso_date(body, "dueDate")
    if (fee := found.get("applicationFee")) is not None:
        from_fee = _fee_amount(fee)
        most = amount.minor - _FEE_FIXED - amount.minor * _FEE_SHARE // 100
        if not 1 <= from_fee.minor <= most:
            raise refused("The application fee is invalid", "applicationFee.amount")


def _fee_amount(fee: dict[str, Any]) -> Amount:
    if not isinstance(fee.get("description"), str):
        raise refused("The 'description' field is missing", "applicationFee.description")
    return read_amount(fee.get("amount"), "applicationFee.amount")


def _check_needs(found: dict[str, Any], chosen: list[Method]) -> None:
    if len(chosen) != 1:
        return
    if chosen[0].needs_lines and "lines" not in found:
        raise refused("The 'lines' field is missing", "lines")
    if chosen[0].needs_address and "billingAddress" not in found:
        raise refused("The 'billingAddress' field is missing", "billingAddress")


def expiry(id: str, chosen: tuple[str, ...], at: datetime) -> tuple[datetime, datetime]:
    """When it expires, and the moment a minute or so later at which that is booked."""
    open_for = METHODS[chosen[0]].open_for if len(chosen) == 1 else OPEN_FOR
    jitter = timedelta(seconds=60 + sum(id.encode()) % 15)
    return at + open_for, at + open_for + jitter


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
    kept = ("billingAddress", "shippingAddress", "dueDate", "restrictPaymentMethodsToCountry")
    if fresh := {name: body[name] for name in kept if body.get(name) is not None}:
        found["echoed"] = {**payment.echoed, **fresh}
    return found
