"""A payment in Mollie's words: exactly the fields and links that its state has."""

from typing import Any, Final

from app.sandbox.mollie.bank_reasons import bank_reason
from app.sandbox.mollie.capture_life import captured
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.hal import documentation, link, page_link
from app.sandbox.mollie.methods import METHODS
from app.sandbox.mollie.money import Amount
from app.sandbox.mollie.objects import FINAL, Capture, Chargeback, Payment, Refund
from app.sandbox.mollie.state import CARD_FAILURES, HAPPENED_AT
from app.sandbox.mollie.world import World

Json = dict[str, Any]
_CARD: Final = {
    "cardToken": "tkn_pqs7GkC3Sf",
    "cardFingerprint": "fHB3CCKx9REkz8fPplT8N4nq",
    "cardNumber": "9479",
    "cardHolder": "T. TEST",
    "cardAudience": "consumer",
    "cardLabel": "Mastercard",
    "cardCountryCode": "NL",
    "cardSecurity": "3dsecure",
    "feeRegion": "intra-eu",
}


def render_payment(world: World, payment: Payment, base: str) -> Json:
    body: Json = {
        "resource": "payment",
        "id": payment.id,
        "mode": world.mode,
        "createdAt": stamp(payment.created_at),
        "amount": payment.amount.json(),
        "description": payment.description,
        "method": payment.method,
        "metadata": payment.metadata,
        "status": payment.status,
    }
    if payment.status not in FINAL:
        body["isCancelable"] = is_cancelable(world, payment)
    if payment.expires_at is not None:
        body["expiresAt"] = stamp(payment.expires_at)
    for status, field in HAPPENED_AT.items():
        if status in payment.happened:
            body[field] = stamp(payment.happened[status])
    body.update(_money_taken(world, payment))
    body.update(_money_back(world, payment))
    if (details := _details(payment)) is not None:
        body["details"] = details
    optional = {
        "locale": payment.locale,
        "countryCode": "NL" if payment.status == "paid" else None,
        "customerId": payment.customer_id,
        "mandateId": payment.mandate_id,
        "subscriptionId": payment.subscription_id,
        "cancelUrl": payment.cancel_url,
        "webhookUrl": payment.webhook_url,
    }
    body.update({name: value for name, value in optional.items() if value is not None})
    body["profileId"] = profile_of(world, payment)
    body["sequenceType"] = payment.sequence_type
    body["redirectUrl"] = payment.redirect_url
    body.update(payment.echoed)
    if "routing" in payment.echoed:
        body["routing"] = rendered_routes(world, payment, base)
    body["_links"] = _links(world, payment, base)
    return body


def profile_of(world: World, payment: Payment) -> str:
    return str(payment.echoed.get("profileId", world.profile_id))


def rendered_routes(world: World, payment: Payment, base: str) -> list[Json]:
    path = f"payments/{payment.id}"
    return [
        {
            **part,
            "mode": world.mode,
            "_links": {
                "self": link(base, f"{path}/routes/{part['id']}"),
                "payment": link(base, path),
            },
        }
        for part in payment.echoed.get("routing", ())
    ]


def is_cancelable(world: World, payment: Payment) -> bool:
    if payment.status == "authorized":
        # Once a part is taken, the rest is released, not canceled.
        return not captured(world, payment, also_pending=True)
    method = METHODS.get(payment.method or "")
    return method is not None and method.cancelable


def refunded(world: World, payment: Payment) -> int:
    refunds = world.of(Refund, payment.id)
    return sum(r.amount.minor for r in refunds if r.status not in ("failed", "canceled"))


def charged_back(world: World, payment: Payment) -> int:
    chargebacks = world.of(Chargeback, payment.id)
    return sum(c.amount.minor for c in chargebacks if c.reversed_at is None)


def collected(world: World, payment: Payment) -> int:
    """What has really been taken: of an authorization, what was captured."""
    return payment.amount.minor if payment.hold is None else captured(world, payment)


def _money_taken(world: World, payment: Payment) -> Json:
    if payment.hold is None:
        return {}
    taken = Amount(payment.amount.currency, captured(world, payment)).json()
    body: Json = {"amountCaptured": taken}
    if payment.status == "authorized":
        body["captureBefore"] = payment.hold.capture_before.isoformat()
    return body


def _money_back(world: World, payment: Payment) -> Json:
    if payment.status != "paid":
        return {}
    currency, total = payment.amount.currency, collected(world, payment)
    back = refunded(world, payment)
    body: Json = {
        "amountRefunded": Amount(currency, back).json(),
        "amountRemaining": Amount(currency, total - back).json(),
    }
    if (lost := charged_back(world, payment)) != 0:
        body["amountChargedBack"] = Amount(currency, lost).json()
    if payment.amount.minor:
        body["settlementAmount"] = Amount(currency, total).json()
    return body


def _details(payment: Payment) -> Json | None:
    if payment.method == "creditcard" and payment.status in ("paid", "authorized"):
        return dict(_CARD)
    if payment.method == "directdebit":
        return _debit_details(payment)
    if payment.status == "failed" and payment.method in ("creditcard", "applepay"):
        reason = payment.failure_reason or "unknown_reason"
        message = CARD_FAILURES.get(reason, CARD_FAILURES["unknown_reason"])
        return {"failureReason": reason, "failureMessage": message}
    if payment.status == "failed" and payment.failure_reason != "unknown_reason":
        return {"failureReason": payment.failure_reason}
    return None


def _debit_details(payment: Payment) -> Json:
    due = payment.created_at.date().isoformat()
    details: Json = {
        "consumerName": "T. TEST",
        "consumerAccount": "NL55INGB0000000000",
        "consumerBic": "INGBNL2A",
        "creditorIdentifier": "NL08ZZZ502057730000",
        "transferReference": f"SD-{payment.id[-12:]}",
        "dueDate": due,
        "signatureDate": due,
    }
    if payment.status == "failed":
        details["bankReasonCode"], details["bankReason"] = bank_reason(payment.failure_reason)
    return details


def _links(world: World, payment: Payment, base: str) -> Json:
    links: Json = {
        "self": link(base, f"payments/{payment.id}"),
        "dashboard": page_link(f"{base}/#{payment.id}"),
    }
    recurring = payment.sequence_type == "recurring"
    if payment.status == "open" and not recurring:
        links["checkout"] = page_link(f"{base}/checkout/select/{payment.token}")
    changeable = payment.status == "paid" or (recurring and payment.status not in FINAL)
    if world.mode == "test" and changeable:
        links["changePaymentState"] = page_link(f"{base}/checkout/change/{payment.token}")
    if (customer := payment.customer_id) is not None:
        links["customer"] = link(base, f"customers/{customer}")
        if payment.mandate_id is not None:
            path = f"customers/{customer}/mandates/{payment.mandate_id}"
            links["mandate"] = link(base, path)
        if payment.subscription_id is not None:
            path = f"customers/{customer}/subscriptions/{payment.subscription_id}"
            links["subscription"] = link(base, path)
    if world.of(Refund, payment.id):
        links["refunds"] = link(base, f"payments/{payment.id}/refunds")
    if world.of(Chargeback, payment.id):
        links["chargebacks"] = link(base, f"payments/{payment.id}/chargebacks")
    if world.of(Capture, payment.id):
        links["captures"] = link(base, f"payments/{payment.id}/captures")
    links["documentation"] = documentation("get-payment")
    return links
