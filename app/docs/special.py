"""What no signature tells: bodies read by hand, answers beside the usual, keys that are needed."""

from collections.abc import Mapping
from typing import Any, Final

_PAYMENT_ID: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "The payment's id at Mollie", "minLength": 1}
    },
    "required": ["id"],
}
_EXAMPLE: Final = {"id": "tr_7UhSN1zuXS"}
_EVENT: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "The event's id", "minLength": 1},
        "type": {"type": "string", "description": "What happened"},
        "data": {"type": "object", "description": "What it is about; only ids are taken of it"},
    },
    "required": ["id", "type"],
}
_EVENT_EXAMPLE: Final = {
    "id": "8fq2sn0v1kzy4mwtb6c7hx3de",
    "type": "payment.captured",
    "data": {"id": "3n9x0c5mq7w1t8r2y6k4b0zva", "session": "5k2j8d7s1q0w9e4r6t3y8u2ia"},
}

RAW_BODIES: Final[Mapping[str, Any]] = {
    "receiveMollieWebhook": {
        "required": True,
        "description": "A form, as Mollie sends it, or the same as JSON",
        "content": {
            "application/x-www-form-urlencoded": {"schema": _PAYMENT_ID, "example": _EXAMPLE},
            "application/json": {"schema": _PAYMENT_ID, "example": _EXAMPLE},
        },
    },
    "receiveKomojuWebhook": {
        "required": True,
        "description": "An event, signed: `X-Komoju-Signature` is the HMAC-SHA256 of the body with "
        "the account's `webhookSecret`, in lower-case hex",
        "content": {"application/json": {"schema": _EVENT, "example": _EVENT_EXAMPLE}},
    },
}
"""By operation."""

EXTRA_ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "receiveKomojuWebhook": {
        "401": {
            "description": "Not signed with the account's `webhookSecret`, or it has none",
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Problems"},
                    "example": {
                        "errors": [
                            {
                                "validation": "error",
                                "code": "[E4010]",
                                "message": "Unauthorized Token",
                            }
                        ]
                    },
                }
            },
        }
    },
    "readyz": {
        "503": {
            "description": "Not ready; `checks` says why",
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Health"},
                    "example": {
                        "status": "failed",
                        "checks": {"database": "ok", "migrations": "failed"},
                    },
                }
            },
        }
    },
}
"""By operation and status."""

KEY_NEEDED: Final = frozenset({"requestRefund", "openPaymentSession", "refundPaymentSession"})
"""Operations that must not be done twice: they say no without an Idempotency-Key."""
