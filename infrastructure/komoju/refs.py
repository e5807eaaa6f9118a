"""Our references to what KOMOJU holds: which of its two kinds of object an id is of.

A shopper's attempt is a session there, whatever payments come of it; a charge is a payment. Pure.
"""

from typing import Any, Literal

from msgspec import Struct

from infrastructure.komoju.wire import WirePayment, is_id, text


class Ref(Struct, frozen=True):
    kind: Literal["session", "payment"]
    id: str

    def __str__(self) -> str:
        return f"{self.kind}_{self.id}"


def parsed(ref: str) -> Ref | None:
    """None: it can be none of ours."""
    kind, _, id = ref.partition("_")
    if not is_id(id):
        return None
    match kind:
        case "session" | "payment":
            return Ref(kind, id)
    return None


def named_in(payment: Any) -> Ref | None:
    """What an event's payment is known by. Of the event nothing else is taken."""
    if (session := text(payment, "session")) is not None:
        return parsed(f"session_{session}")
    id = text(payment, "id")
    return None if id is None else parsed(f"payment_{id}")


def ref_of(payment: WirePayment) -> Ref:
    """A session's payment is known by its session."""
    if payment.session is not None:
        return Ref("session", payment.session)
    return Ref("payment", payment.id)
