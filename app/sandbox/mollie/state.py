"""What a payment may become, and what happens to its fields on the way. Pure.

A refund or a chargeback never changes the status: it stays `paid`.
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from app.sandbox.mollie.objects import FINAL, Payment

MOVES: Final[dict[str, frozenset[str]]] = {
    "open": frozenset({"paid", "pending", "authorized", "canceled", "expired", "failed"}),
    # `canceled` because a direct debit can be taken back before it is executed.
    "pending": frozenset({"paid", "authorized", "failed", "canceled"}),
    "authorized": frozenset({"paid", "canceled", "expired"}),
    "paid": frozenset(),
    "canceled": frozenset(),
    "expired": frozenset(),
    "failed": frozenset(),
}
# Nobody is told about `open` and `pending`.
NOTIFIED: Final = FINAL | {"authorized"}
HAPPENED_AT: Final = {
    "paid": "paidAt",
    "authorized": "authorizedAt",
    "canceled": "canceledAt",
    "expired": "expiredAt",
    "failed": "failedAt",
}
CARD_FAILURES: Final = {
    "invalid_card_number": "The card number is invalid.",
    "invalid_cvv": "The security code is invalid.",
    "invalid_card_holder_name": "The name of the card holder is invalid.",
    "card_expired": "The card has expired.",
    "invalid_card_type": "This type of card is not accepted.",
    "refused_by_issuer": "The bank of the card refused the payment.",
    "insufficient_funds": "The card has insufficient funds.",
    "inactive_card": "The card is not active.",
    "possible_fraud": "The payment was refused because it may be fraudulent.",
    "authentication_failed": "The authentication failed.",
    "authentication_abandoned": "The authentication was abandoned.",
    "authentication_required": "The bank of the card asks for an authentication.",
    "authentication_unavailable_acs": "The bank of the card could not authenticate.",
    "card_declined": "The card was declined.",
    "unknown_reason": "The payment failed for an unknown reason.",
}
# With the amounts of EUR 1001.00 to 1011.00 a failing card fails for a reason known beforehand.
_MAGIC: Final = dict(
    enumerate(
        [
            "invalid_card_number",
            "invalid_cvv",
            "invalid_card_holder_name",
            "card_expired",
            "invalid_card_type",
            "refused_by_issuer",
            "insufficient_funds",
            "inactive_card",
            "possible_fraud",
            "authentication_failed",
            "card_declined",
        ],
        start=1001,
    )
)


class IllegalMove(Exception):
    def __init__(self, payment: Payment, status: str) -> None:
        possible = ", ".join(sorted(MOVES[payment.status])) or "nothing else"
        super().__init__(
            f"Payment {payment.id} is {payment.status} and cannot become {status}; "
            f"it can become: {possible}."
        )


def move(payment: Payment, status: str, at: datetime, reason: str | None = None) -> Payment:
    if status not in MOVES[payment.status]:
        raise IllegalMove(payment, status)
    if status == "failed":
        reason = reason or magic_reason(payment) or "unknown_reason"
    return replace(
        payment,
        status=status,
        failure_reason=reason if status == "failed" else None,
        happened={**payment.happened, status: at},
        expires_at=None,
        expiry_due=None,
        outcome=None if status in FINAL else payment.outcome,
        outcome_due=None if status in FINAL else payment.outcome_due,
    )


def magic_reason(payment: Payment) -> str | None:
    whole, cents = divmod(payment.amount.minor, 100)
    if payment.method != "creditcard" or payment.amount.currency != "EUR" or cents:
        return None
    return _MAGIC.get(whole)
