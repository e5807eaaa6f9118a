"""The table of the API: which call is which operation. Ids stand at every second place."""

from collections.abc import Callable
from typing import Final

from app.sandbox.komoju.calls import Answer, Call
from app.sandbox.komoju.charges import create_payment
from app.sandbox.komoju.customers import delete_customer, get_customer, list_customers
from app.sandbox.komoju.events import get_event, list_events
from app.sandbox.komoju.payments import (
    cancel_payment,
    capture_payment,
    get_payment,
    list_payments,
    refund_payment,
    update_payment,
)
from app.sandbox.komoju.sessions import cancel_session, create_session, get_session

Endpoint = Callable[[Call], Answer]

ROUTES: Final[dict[tuple[str, str], tuple[str, Endpoint]]] = {
    ("POST", "sessions"): ("createSession", create_session),
    ("GET", "sessions/*"): ("getSession", get_session),
    ("POST", "sessions/*/cancel"): ("cancelSession", cancel_session),
    ("POST", "payments"): ("createPayment", create_payment),
    ("GET", "payments"): ("listPayments", list_payments),
    ("GET", "payments/*"): ("getPayment", get_payment),
    ("PATCH", "payments/*"): ("updatePayment", update_payment),
    ("POST", "payments/*/capture"): ("capturePayment", capture_payment),
    ("POST", "payments/*/cancel"): ("cancelPayment", cancel_payment),
    ("POST", "payments/*/refund"): ("createRefund", refund_payment),
    ("GET", "customers"): ("listCustomers", list_customers),
    ("GET", "customers/*"): ("getCustomer", get_customer),
    ("DELETE", "customers/*"): ("deleteCustomer", delete_customer),
    ("GET", "events"): ("listEvents", list_events),
    ("GET", "events/*"): ("getEvent", get_event),
}
OPERATIONS: Final = frozenset({"any", *(name for name, _ in ROUTES.values())})


def shape_of(path: str) -> tuple[str, tuple[str, ...]]:
    """`payments/abc/refund` -> `payments/*/refund` and its ids."""
    parts = path.split("/")
    shape = "/".join("*" if place % 2 else part for place, part in enumerate(parts))
    return shape, tuple(parts[1::2])
