"""Which notifications a change causes, and when each attempt of one is due. Sends nothing.

Every notification carries the id of a payment, for refunds and chargebacks too.
"""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from msgspec.structs import replace

from app.sandbox.courier import Letters
from app.sandbox.mollie.objects import Delivery, Payment
from app.sandbox.mollie.world import Universe
from app.sandbox.record import Attempt

# From the change to each of the ten attempts.
OFFSETS: Final = (
    *(timedelta(minutes=minutes) for minutes in (0, 1, 3, 7, 15, 31)),
    *(timedelta(hours=hours) for hours in (1, 2, 4, 26)),
)


# What Mollie's HTTP client sends.
_HEADERS: Final = {
    "User-Agent": "Mollie HTTP client/1.0",
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "*/*",
    "Accept-Encoding": "deflate, gzip",
}


def notify(universe: Universe, payment: Payment, reason: str, at: datetime) -> None:
    if payment.webhook_url is None:
        return
    webhooks = universe.webhooks
    if webhooks.mode == "drop":
        universe.put(replace(_delivery(universe, payment, reason, at), state="dropped"))
        return
    due = at + timedelta(milliseconds=webhooks.delay_ms)
    for _ in range(2 if webhooks.mode == "duplicate" else 1):
        planned = _delivery(universe, payment, reason, at, due)
        if webhooks.mode == "beforeResponse":
            universe.before_response.append(planned)
        universe.put(planned)


def redeliver(universe: Universe, payment: Payment, at: datetime) -> Delivery:
    planned = _delivery(universe, payment, "redelivery", at, at)
    universe.put(planned)
    return planned


def _delivery(
    universe: Universe, payment: Payment, reason: str, at: datetime, due: datetime | None = None
) -> Delivery:
    return Delivery(
        id=universe.new_id("delivery"),
        key=payment.key,
        created_at=at,
        payment_id=payment.id,
        url=payment.webhook_url or "",
        reason=reason,
        first_due=due or at,
        next_due=due,
    )


def after_attempt(delivery: Delivery, attempt: Attempt) -> Delivery:
    """Only 200 ends it well; anything else is tried again until the schedule is used up."""
    attempts = (*delivery.attempts, attempt)
    if attempt.status == 200:
        return replace(delivery, attempts=attempts, state="delivered", next_due=None)
    if len(attempts) >= len(OFFSETS):
        return replace(delivery, attempts=attempts, state="failed", next_due=None)
    due = delivery.first_due + OFFSETS[len(attempts)]
    return replace(delivery, attempts=attempts, next_due=due)


LETTERS: Final = Letters[Delivery](
    body=lambda delivery: urlencode({"id": delivery.payment_id}).encode(),
    headers=lambda _: _HEADERS,
    after=after_attempt,
)
