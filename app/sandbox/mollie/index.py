"""The front page: the newest payments, and how to use what is here. Also the pages' two files."""

from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency

from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.html import STATIC, page
from app.sandbox.mollie.objects import FINAL, Payment
from app.sandbox.mollie.plane import AnyRequest, Plane
from app.sandbox.mollie.world import World, masked

_SHOWN: Final = 50
_LISTS: Final = [
    "payments",
    "refunds",
    "customers",
    "mandates",
    "subscriptions",
    "sessions",
    "oauth",
    "deliveries",
    "requests",
    "settings",
    "faults",
    "clock",
]
_COMMANDS: Final = (
    ("A payment is paid, as the shopper would", "payments/tr_.../status", '{"status": "paid"}'),
    (
        "A payment fails",
        "payments/tr_.../status",
        '{"status": "failed", "failureReason": "insufficient_funds"}',
    ),
    ("The shopper's bank takes the money back", "payments/tr_.../chargeback", "{}"),
    ("A session is paid, as its shopper would", "sessions/sess_.../status", '{"status": "paid"}'),
    (
        "An app is known, and may ask for permissions",
        "oauth/clients",
        '{"clientId": "app_demo", "clientSecret": "demo", '
        '"redirectUri": "https://shop.example.org/connected"}',
    ),
    ("A mandate ends", "mandates/mdt_.../status", '{"status": "invalid"}'),
    (
        "Mandates take three days, recurring charges fail",
        "settings",
        '{"mandateDelaySeconds": 259200, "recurringOutcome": "failed"}',
    ),
    (
        "The next creation commits but its answer is lost",
        "faults",
        '{"operation": "createPayment", "kind": "timeoutAfterCommit", "times": 1}',
    ),
    ("Every webhook arrives twice", "webhooks", '{"mode": "duplicate"}'),
    ("A webhook once more", "webhooks/redeliver", '{"paymentId": "tr_..."}'),
    ("An hour passes", "clock", '{"advanceSeconds": 3600}'),
    ("Everything is forgotten", "reset", "{}"),
)


@get("/")
async def front_page(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[str]:
    await plane.finish()
    universe, base = plane.universe, plane.base(request)
    newest = list(universe.newest(Payment))
    return page(
        "index.html",
        base=base,
        rows=[_row(universe.world(payment.key), payment) for payment in newest[:_SHOWN]],
        total=len(newest),
        now=stamp(universe.clock.now()),
        commands=[
            (title, f"curl -s -X POST {base}/_control/{path} -d '{body}'")
            for title, path, body in _COMMANDS
        ],
        lists=_LISTS,
    )


def _row(world: World, payment: Payment) -> dict[str, Any]:
    recurring = payment.sequence_type == "recurring"
    payable = payment.status == "open" and not recurring
    changeable = payment.status == "paid" or (recurring and payment.status not in FINAL)
    return {
        "id": payment.id,
        "description": payment.description,
        "amount": payment.amount.spoken(),
        "status": payment.status,
        "world": masked(payment.key),
        "created": f"{payment.created_at:%Y-%m-%d %H:%M:%S}",
        "checkout": f"/checkout/select/{payment.token}" if payable else None,
        "change": (
            f"/checkout/change/{payment.token}" if changeable and world.mode == "test" else None
        ),
    }


def _file(name: str, media_type: str) -> Response[bytes]:
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return Response((STATIC / name).read_bytes(), media_type=media_type, headers=headers)


@get("/_page/sandbox.css", sync_to_thread=False)
def style() -> Response[bytes]:
    return _file("sandbox.css", "text/css; charset=utf-8")


@get("/_page/icon.svg", sync_to_thread=False)
def icon() -> Response[bytes]:
    return _file("icon.svg", "image/svg+xml")


ROUTES: Final[tuple[Any, ...]] = (front_page, style, icon)
