"""The endpoints of sessions, which Mollie's Components pay in a page of the shop's own.

There is no hosted page and no list, and a session cannot be changed. `shipping`, which Mollie only
opens to some, is refused.
"""

import base64
from typing import Any, Final

import msgspec

from app.sandbox.mollie import payment_input
from app.sandbox.mollie.addresses import address
from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.customers import check_customer
from app.sandbox.mollie.hal import documentation, link
from app.sandbox.mollie.lines import SESSION_LINE, check_lines
from app.sandbox.mollie.objects import Session
from app.sandbox.mollie.offers import of_session
from app.sandbox.mollie.problems import refused
from app.sandbox.mollie.session_life import OPEN_FOR
from app.sandbox.mollie.validation import (
    known_only,
    metadata,
    required_amount,
    required_text,
    text,
    url,
    webhook_url_of,
)
from app.sandbox.mollie.world import World
from app.sandbox.words import words

_CREATE: Final = words(
    "amount description lines redirectUrl billingAddress shippingAddress requiredCustomerDetails "
    "customerId sequenceType metadata payment"
)
_DETAILS: Final = words("email billing-address shipping-address")


def create_session(call: Call) -> Answer:
    known_only(call, body=_CREATE)
    body = call.body
    amount = required_amount(body, "sessions")
    sequence = text(body, "sequenceType") or "oneoff"
    if sequence not in ("oneoff", "first"):
        raise refused("The sequence type is invalid", "sequenceType")
    payment_input.check_limits(amount, (), sequence)
    session = Session(
        id=call.universe.new_id("sess"),
        key=call.world.key,
        created_at=call.at,
        token=call.universe.new_id("sess", 30),
        secret=call.universe.new_id("secret", 40).partition("_")[2],
        amount=amount,
        description=payment_input.description(body),
        redirect_url=_redirect_url(body),
        sequence_type=sequence,
        customer_id=_customer_id(call, sequence),
        webhook_url=_webhook_url(call),
        metadata=_metadata(body),
        echoed={
            "lines": check_lines(_lines(body), amount, SESSION_LINE),
            **_echoed(body),
        },
        profile_id=call.profile_id or call.world.profile_id,
        expires_at=call.at + OPEN_FOR,
    )
    call.universe.put(session)
    return Answer(201, render_session(call.world, session, call.base))


def _lines(body: dict[str, Any]) -> Any:
    if body.get("lines") is None:
        raise refused("The 'lines' field is missing", "lines")
    return body["lines"]


def _redirect_url(body: dict[str, Any]) -> str:
    required_text(body, "redirectUrl")
    found = url(body, "redirectUrl", "redirect")
    assert found is not None
    return found


def _customer_id(call: Call, sequence: str) -> str | None:
    customer_id = text(call.body, "customerId")
    if customer_id is not None:
        check_customer(call, customer_id)
    elif sequence == "first":
        raise refused("The 'customerId' field is missing", "customerId")
    return customer_id


def _webhook_url(call: Call) -> str | None:
    payment = call.body.get("payment")
    if payment is None:
        return None
    if not isinstance(payment, dict):
        raise refused("The 'payment' field should be an object", "payment")
    for name in payment:
        if name != "webhookUrl":
            field = f"payment.{name}"
            raise refused(f'Non-existent body parameter "{field}" for this API call.', field)
    return webhook_url_of(call, payment, "payment.webhookUrl")


def _metadata(body: dict[str, Any]) -> Any:
    value = body.get("metadata")
    if value is not None and not isinstance(value, dict):
        raise refused("The 'metadata' field should be an object", "metadata")
    return metadata(body)


def _echoed(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("billingAddress", "shippingAddress"):
        if (given := address(body, name)) is not None:
            found[name] = given
    if (details := body.get("requiredCustomerDetails")) is not None:
        name = "requiredCustomerDetails"
        if not isinstance(details, list):
            raise refused(f"The '{name}' field should be a list", name)
        if not all(isinstance(one, str) and one in _DETAILS for one in details):
            raise refused(f"The '{name}' field is invalid", name)
        found[name] = details
    return found


def get_session(call: Call) -> Answer:
    known_only(call)
    session = _session(call)
    return Answer(200, render_session(call.universe.world(session.key), session, call.base))


def _session(call: Call) -> Session:
    if call.access is not None:
        # Mollie's own client cannot say the mode of a session that it reads; so it is not needed.
        found = call.universe.find(Session, call.ids[0])
        if found is not None and found.key.partition("_")[2] == call.access.account:
            return found
    return call.find(Session, call.ids[0])


def render_session(world: World, session: Session, base: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resource": "session",
        "id": session.id,
        "mode": world.mode,
        "status": session.status,
        "clientAccessToken": client_access_token(world, session),
        "amount": session.amount.json(),
        "description": session.description,
        "redirectUrl": session.redirect_url,
        "sequenceType": session.sequence_type,
        "profileId": session.profile_id,
        "createdAt": stamp(session.created_at),
        **session.echoed,
    }
    if session.customer_id is not None:
        body["customerId"] = session.customer_id
    if session.metadata is not None:
        body["metadata"] = session.metadata
    if session.webhook_url is not None:
        body["payment"] = {"webhookUrl": session.webhook_url}
    if session.status == "open":
        body["expiresAt"] = stamp(session.expires_at)
    if session.ended_at is not None:
        body[f"{session.status}At"] = stamp(session.ended_at)
    body["_links"] = {
        "self": link(base, f"sessions/{session.id}"),
        "documentation": documentation("get-session"),
    }
    return body


def client_access_token(world: World, session: Session) -> str:
    """What the shop's page hands to the component. Whoever has it can pay the session."""
    facts = {
        "sessionToken": session.token,
        "secret": session.secret,
        "testmode": world.mode == "test",
        "profileToken": session.profile_id,
        "availablePaymentMethods": [method.id for method in of_session(session)],
        "availableAuthenticationMethods": {},
        "organizationCountryCode": "NL",
        "merchantProfileName": "Sandbox shop",
    }
    return base64.b64encode(msgspec.json.encode(facts)).decode()
