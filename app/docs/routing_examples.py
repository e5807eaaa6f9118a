"""Examples of payment sessions and of routing: an order in Melbourne, and two accounts for it."""

from typing import Any, Final

Json = Any


def _uuid(number: int) -> str:
    return f"0198c5a0-5d1e-7a3b-9c52-{number:012x}"


_SESSION, _DECISION, _OTHER = _uuid(0x61), _uuid(0x62), _uuid(0x14)
_URL: Final = "https://www.mollie.com/checkout/credit-card/session/7UhSN1zuXS"
_NOW, _LATER = "2026-01-01T00:00:00.000Z", "2026-01-01T01:00:00.000Z"
_OPENED: Final = {
    "sessionId": _SESSION, "checkoutUrl": _URL, "status": "PENDING", "expiresAt": _LATER
}  # fmt: skip
_ADDRESS: Final = {
    "line1": "123 Collins Street",
    "line2": "Level 5",
    "city": "Melbourne",
    "state": "VIC",
    "postalCode": "3000",
    "country": "AU",
}

_TRY: Final = {
    "number": 1,
    "paymentProviderUuid": _uuid(0x13),
    "state": "live",
    "isProbe": False,
    "failure": None,
    "createdAt": _NOW,
}

BY_OWNER: Final[dict[str, dict[str, Json]]] = {
    "PaymentSessionBody": {
        "currency": "AUD",
        "locale": "en_AU",
        "expiresInSeconds": 3600,
        "provider": None,
        "paymentProviderUuid": None,
    },
    "AmountBody": {"total": 140.76, "shipping": 9.95, "tax": 11.81},
    "OrderItemBody": {"name": "Wireless Headphones", "sku": "WH-100", "quantity": 1,
                      "unitPrice": 119},
    "OrderAddressBody": _ADDRESS,
    "CustomerBody": {"email": "jane.smith@example.com"},
    "ShippingBody": {"type": "express", "method": "aus_post"},
    "OpenedPaymentSession": _OPENED,
    "PaymentSession": {
        **_OPENED,
        "currency": "AUD",
        "orderReference": "ORD-2024-001",
        "refunded": 0,
        "paymentUuid": None,
        "email": "jane.smith@example.com",
        "phone": "+61412345678",
        "shipping": {"type": "express", "method": "aus_post"},
        "additionalInformation": {"campaignId": "summer-sale-2024", "referralCode": "REF-ABC"},
    },
    "SessionAmount": {"total": 140.76, "shipping": 9.95, "tax": 11.81},
    "RoutingChoice": {
        "selectedProvider": "mollie", "score": 84.9, "strategy": "score", "decisionId": _DECISION
    },
    "SessionRefundBody": {"amount": 40.5},
    "SessionRefund": {
        "refundId": _uuid(0x36),
        "sessionId": _SESSION,
        "status": "PENDING",
        "amount": 40.5,
        "currency": "AUD",
        "reason": "REQUESTED_BY_CUSTOMER",
    },
    "RoutingPolicyBody": {
        "pinnedPaymentProviderUuid": None, "defaultOrder": [], "explorationPermille": 0
    },
    "WeightsBody": {"reliability": 600, "cost": 250, "latency": 150},
    "Weights": {"reliability": 600, "cost": 250, "latency": 150},
    "RuleBody": {"amountFrom": None, "amountTo": None, "accounts": [], "currencies": ["JPY"]},
    "Rule": {
        "name": "Japan",
        "currencies": ["JPY"],
        "paymentMethods": ["card"],
        "countries": ["JP"],
        "amountFrom": None,
        "amountTo": None,
        "accounts": [],
    },
    "Share": {"percent": 100},
    "Fee": {"fixed": 25, "basisPoints": 180},
    "RoutingPolicy": {
        "version": 3,
        "pinnedPaymentProviderUuid": None,
        "defaultOrder": [_uuid(0x13), _OTHER],
        "explorationPermille": 0,
    },
    "RoutingDecision": {
        "uuid": _DECISION,
        "sessionId": _SESSION,
        "strategy": "score",
        "rule": None,
        "draw": None,
        "policyVersion": 3,
        "currency": "AUD",
        "amount": 14076,
        "country": "AU",
        "order": [_uuid(0x13), _OTHER],
        "tries": [_TRY],
    },
    "Candidate": {"health": "closed", "eligible": True, "reasons": []},
    "Score": {
        "score": 84.9,
        "created": {"good": 200, "all": 200},
        "paid": {"good": 188, "all": 200},
        "reliability": 0.925,
        "cost": 0.615,
        "latency": 0.9333,
        "imputed": [],
    },
    "Outcomes": {"good": 188, "all": 200},
    "SessionTry": _TRY,
    "AccountHealth": {"title": "Mollie EU", "health": "closed", "openUntil": None, "p95Ms": 800},
}  # fmt: skip

LEFT_OUT: Final[dict[str, frozenset[str]]] = {
    "RuleBody": frozenset({"accounts"}),  # instead of a split
}

KINDS: Final[dict[str, str]] = {
    "RoutingPolicy": "routingPolicies",
    "AccountHealth": "routingHealth",
}
