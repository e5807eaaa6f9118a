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

RAW_BODIES: Final[Mapping[str, Any]] = {
    "receiveMollieWebhook": {
        "required": True,
        "description": "A form, as Mollie sends it, or the same as JSON",
        "content": {
            "application/x-www-form-urlencoded": {"schema": _PAYMENT_ID, "example": _EXAMPLE},
            "application/json": {"schema": _PAYMENT_ID, "example": _EXAMPLE},
        },
    },
}
"""By operation."""

EXTRA_ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = {
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

KEY_NEEDED: Final = frozenset({"requestRefund"})
"""Operations that must not be done twice: they say no without an Idempotency-Key."""
