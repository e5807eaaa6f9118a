"""Mandates: left behind by first payments, or made from an IBAN, and what becomes of them."""

from datetime import datetime, timedelta
from typing import Any, Final, Literal

from msgspec.structs import replace

from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.customers import customer_of
from app.sandbox.mollie.hal import PAGING, documentation, link, listing
from app.sandbox.mollie.methods import METHODS
from app.sandbox.mollie.objects import Mandate, Payment
from app.sandbox.mollie.problems import ApiProblem, refused
from app.sandbox.mollie.subscription_life import mandate_changed
from app.sandbox.mollie.validation import iso_date, known_only, required_text, text
from app.sandbox.mollie.world import Universe, World
from app.sandbox.words import words

_CARD: Final = {
    "cardHolder": "T. TEST",
    "cardNumber": "9479",
    "cardLabel": "Mastercard",
    "cardFingerprint": "fHB3CCKx9REkz8fPplT8N4nq",
    "cardExpiryDate": "2039-12-31",
}
_DEBIT: Final = {
    "consumerName": "T. TEST",
    "consumerAccount": "NL55INGB0000000000",
    "consumerBic": "INGBNL2A",
}
_DETAILS: Final[dict[str, dict[str, Any]]] = {
    "creditcard": _CARD,
    "directdebit": _DEBIT,
    "paypal": {"consumerName": "T. TEST", "consumerAccount": "shopper@example.org"},
}


def mandate_of_first(universe: Universe, payment: Payment, at: datetime) -> Mandate | None:
    """The mandate that a paid first payment leaves behind, or one whose card was to be stored."""
    method = METHODS.get(payment.method or "")
    if payment.customer_id is None or method is None or method.mandate is None:
        return None
    delay = universe.settings.mandate_delay_seconds
    mandate = Mandate(
        id=universe.new_id("mdt", 10),
        key=payment.key,
        created_at=at,
        customer_id=payment.customer_id,
        method=method.mandate,
        status="pending" if delay > 0 else "valid",
        details=_DETAILS[method.mandate],
        reference=None,
        signature_date=at.date(),
        scopes=("customer-present",) if payment.stores_card else ("customer-not-present",),
        valid_at=at + timedelta(seconds=delay) if delay > 0 else None,
    )
    universe.put(mandate)
    return mandate


def change_mandate(
    universe: Universe, mandate: Mandate, status: Literal["pending", "valid", "invalid"]
) -> Mandate:
    """As the bank would; subscriptions wake up or end with it."""
    changed = replace(mandate, status=status, valid_at=None)
    universe.put(changed)
    mandate_changed(universe, changed, universe.clock.now())
    return changed


def becomes_valid(universe: Universe, mandate: Mandate, at: datetime) -> None:
    changed = replace(mandate, status="valid", valid_at=None)
    universe.put(changed)
    mandate_changed(universe, changed, at)


def revoke(universe: Universe, mandate: Mandate, at: datetime) -> None:
    changed = replace(mandate, status="invalid", valid_at=None, revoked_at=at)
    universe.put(changed)
    mandate_changed(universe, changed, at)


def chargeable(call: Call, customer_id: str, mandate_id: str | None, method: str | None) -> Mandate:
    """The valid mandate that a recurring charge will use, the newest first."""
    if mandate_id is not None:
        return _asked_for(call, customer_id, mandate_id)
    usable = [
        m for m in call.world.of(Mandate, customer_id) if m.status == "valid" and m.chargeable
    ]
    if not usable:
        raise refused("No suitable mandates found for customer", "customerId")
    if method is not None and not (usable := [m for m in usable if m.method == method]):
        raise refused("No suitable mandates found for method", "method")
    return usable[-1]


def _asked_for(call: Call, customer_id: str, mandate_id: str) -> Mandate:
    mandate = call.world.shelf(Mandate).get(mandate_id)
    if mandate is None or mandate.customer_id != customer_id:
        raise refused(f"No mandate exists with token {mandate_id}.", "mandateId")
    if mandate.revoked_at is not None:
        raise ApiProblem(410, "The mandate is no longer available")
    if mandate.status != "valid" or not mandate.chargeable:
        raise refused("No suitable mandates found for customer", "mandateId")
    return mandate


def render(world: World, mandate: Mandate, base: str) -> dict[str, Any]:
    signed = mandate.signature_date
    customer = f"customers/{mandate.customer_id}"
    return {
        "resource": "mandate",
        "id": mandate.id,
        "mode": world.mode,
        "method": mandate.method,
        "status": mandate.status,
        "details": mandate.details,
        "scopes": list(mandate.scopes),
        "customerId": mandate.customer_id,
        "mandateReference": mandate.reference,
        "signatureDate": None if signed is None else signed.isoformat(),
        "createdAt": stamp(mandate.created_at),
        "_links": {
            "self": link(base, f"{customer}/mandates/{mandate.id}"),
            "customer": link(base, customer),
            "documentation": documentation("get-mandate"),
        },
    }


_CREATE: Final = words(
    "method consumerName consumerAccount consumerBic consumerEmail signatureDate "
    "mandateReference paypalBillingAgreementId payPalVaultId"
)


def create_mandate(call: Call) -> Answer:
    known_only(call, body=_CREATE)
    customer = customer_of(call)
    method = required_text(call.body, "method")
    if method not in ("directdebit", "paypal"):
        raise refused("The method is invalid: only directdebit and paypal are possible", "method")
    details = {"consumerName": required_text(call.body, "consumerName")}
    if method == "directdebit":
        details["consumerAccount"] = required_text(call.body, "consumerAccount").replace(" ", "")
        details["consumerBic"] = text(call.body, "consumerBic") or "INGBNL2A"
    else:
        details["consumerAccount"] = required_text(call.body, "consumerEmail")
    mandate = Mandate(
        id=call.universe.new_id("mdt", 10),
        key=call.world.key,
        created_at=call.at,
        customer_id=customer.id,
        method=method,
        status="valid",
        details=details,
        reference=text(call.body, "mandateReference"),
        signature_date=iso_date(call.body, "signatureDate") or call.at.date(),
    )
    call.universe.put(mandate)
    return Answer(201, render(call.world, mandate, call.base))


def _mandate(call: Call) -> Mandate:
    customer = customer_of(call)
    mandate = call.find(Mandate, call.ids[1])
    if mandate.customer_id != customer.id:
        raise ApiProblem(404, f"No mandate exists with token {call.ids[1]}.")
    if mandate.revoked_at is not None:
        raise ApiProblem(410, "The mandate is no longer available")
    return mandate


def get_mandate(call: Call) -> Answer:
    known_only(call)
    return Answer(200, render(call.world, _mandate(call), call.base))


def revoke_mandate(call: Call) -> Answer:
    known_only(call)
    revoke(call.universe, _mandate(call), call.at)
    return Answer(204)


def list_mandates(call: Call) -> Answer:
    known_only(call, query=PAGING | {"scopes"})
    customer = customer_of(call)
    shown = [m for m in call.world.of(Mandate, customer.id) if m.revoked_at is None]
    if (wanted := call.query.get("scopes")) is not None:
        shown = [m for m in shown if set(wanted.split(",")) & set(m.scopes)]
    body = listing(
        call, "mandates", shown, lambda m: render(call.world, m, call.base), "list-mandates"
    )
    return Answer(200, body)
