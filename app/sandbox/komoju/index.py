"""KOMOJU's front page: the newest sessions and payments, and how to use what is here."""

from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency

from app.sandbox.control import AnyRequest
from app.sandbox.komoju.api import MOUNT
from app.sandbox.komoju.clock import stamp
from app.sandbox.komoju.money import spoken
from app.sandbox.komoju.objects import Payment, Session
from app.sandbox.komoju.page import page
from app.sandbox.komoju.plane import Plane
from app.sandbox.komoju.world import masked

_SHOWN: Final = 50
_LISTS: Final = [
    "sessions",
    "payments",
    "refunds",
    "customers",
    "events",
    "deliveries",
    "requests",
    "hooks",
    "settings",
    "faults",
    "clock",
]
_COMMANDS: Final = (
    (
        "A webhook, as the dashboard would make it",
        "hooks",
        '{"key": "sk_test_demo", "url": "http://127.0.0.1:9000/hook", "secret": "s3cret"}',
    ),
    (
        "The shopper takes a voucher for a convenience store",
        "sessions/.../shopper",
        '{"outcome": "paid", "method": "konbini"}',
    ),
    ("The cash arrives", "payments/.../status", '{"status": "captured"}'),
    ("The shopper's bank takes the money back", "payments/.../chargeback", "{}"),
    (
        "The next two charges on saved customers fail",
        "settings",
        '{"recurringOutcomes": ["failed", "failed"]}',
    ),
    (
        "Shoppers pay in yen, and 190 more for konbini",
        "settings",
        '{"dccCurrency": "JPY", "dccRate": "156.25", "paymentMethodFees": {"konbini": 190}}',
    ),
    (
        "The next charge commits but its answer is lost",
        "faults",
        '{"operation": "createPayment", "kind": "timeoutAfterCommit", "times": 1}',
    ),
    ("Webhooks overtake each other", "webhooks", '{"mode": "reordered"}'),
    ("An hour passes", "clock", '{"advanceSeconds": 3600}'),
    ("Everything is forgotten", "reset", "{}"),
)


@get(MOUNT)
async def front_page(request: AnyRequest, komoju: NamedDependency[Plane]) -> Response[str]:
    await komoju.finish()
    universe, home = komoju.universe, komoju.home(request)
    sessions, payments = list(universe.newest(Session)), list(universe.newest(Payment))
    return page(
        "index.html",
        home=home,
        sessions=[_session_row(komoju, session) for session in sessions[:_SHOWN]],
        payments=[_payment_row(payment) for payment in payments[:_SHOWN]],
        totals=(len(sessions), len(payments)),
        now=stamp(universe.clock.now()),
        commands=[
            (title, f"curl -s -X POST {home}/_control/{path} -d '{body}'")
            for title, path, body in _COMMANDS
        ],
        lists=_LISTS,
    )


def _session_row(komoju: Plane, session: Session) -> dict[str, Any]:
    is_expired = session.is_expired(komoju.universe.clock.now())
    return {
        "id": session.id,
        "mode": session.mode,
        "amount": spoken(session.amount, session.currency),
        "status": "expired" if is_expired else session.status,
        "world": masked(session.key),
        "created": f"{session.created_at:%Y-%m-%d %H:%M:%S}",
    }


def _payment_row(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.id,
        "order": payment.external_order_num,
        "amount": spoken(payment.total, payment.currency),
        "status": payment.status,
        "world": masked(payment.key),
        "created": f"{payment.created_at:%Y-%m-%d %H:%M:%S}",
    }
