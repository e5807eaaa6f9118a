"""Events, and which deliveries they cause. Sends nothing.

There are no events of sessions: one that is abandoned, runs out or is cancelled tells nobody.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from app.sandbox.courier import Letters
from app.sandbox.komoju.objects import Customer, Delivery, Event, Hook, Payment
from app.sandbox.komoju.view import render_customer, render_event, render_payment
from app.sandbox.komoju.world import Universe
from app.sandbox.record import Attempt, Record
from app.sandbox.words import words

EVENTS: Final = words(
    "ping payment.authorized payment.captured payment.updated payment.expired payment.cancelled "
    "payment.refund.created payment.refunded payment.failed customer.updated customer.deleted"
)
# How long an event waits for a later one to overtake it, when nobody says.
_HELD: Final = timedelta(seconds=2)


def tell_payment(universe: Universe, payment: Payment, type: str, at: datetime) -> None:
    data = render_payment(universe.world(payment.key), payment)
    _tell(universe, _event(universe, payment, type, at, data))


def tell_customer(universe: Universe, customer: Customer, type: str, at: datetime) -> None:
    _tell(universe, _event(universe, customer, type, at, render_customer(customer)))


def _event(
    universe: Universe, about: Record, type: str, at: datetime, data: dict[str, Any]
) -> Event:
    return Event(
        id=universe.new_id(),
        key=about.key,
        created_at=at,
        type=type,
        about=about.id,
        data=data,
    )


def _tell(universe: Universe, event: Event) -> None:
    universe.put(event)
    for hook in hooks_of(universe, event.key):
        if not hook.events or event.type in hook.events:
            _plan(universe, hook, event)


def hooks_of(universe: Universe, key: str) -> list[Hook]:
    return [h for h in universe.world(key).shelf(Hook).values() if h.deleted_at is None]


def ping(universe: Universe, hook: Hook, at: datetime) -> None:
    """What KOMOJU sends as soon as a webhook is made, to that one alone."""
    event = _event(universe, hook, "ping", at, {"id": hook.id})
    universe.put(event)
    universe.put(_delivery(universe, hook, event, at))


def redeliver(universe: Universe, event: Event, at: datetime) -> list[Delivery]:
    again = [_delivery(universe, hook, event, at) for hook in hooks_of(universe, event.key)]
    for delivery in again:
        universe.put(delivery)
    return again


def _plan(universe: Universe, hook: Hook, event: Event) -> None:
    webhooks, at = universe.webhooks, event.created_at
    if webhooks.mode == "drop":
        dropped = _delivery(universe, hook, event, at)
        universe.put(replace(dropped, state="dropped", next_due=None))
        return
    if webhooks.mode == "reordered":
        _overtake(universe, hook, event)
        return
    due = at + timedelta(milliseconds=webhooks.delay_ms)
    for _ in range(2 if webhooks.mode == "duplicate" else 1):
        planned = _delivery(universe, hook, event, due)
        if webhooks.mode == "beforeResponse":
            universe.before_response.append(planned)
        universe.put(planned)


def _overtake(universe: Universe, hook: Hook, event: Event) -> None:
    """Every other event waits until its successor has arrived, or gives up waiting for one."""
    at = event.created_at
    waiting = (d for d in reversed(universe.deliveries.values()) if d.is_held)
    ours = (d for d in waiting if (d.key, d.url) == (hook.key, hook.url))
    first = next((d for d in ours if not d.attempts), None)
    if first is None:
        wait = timedelta(milliseconds=universe.webhooks.delay_ms) or _HELD
        held = _delivery(universe, hook, event, at + wait)
        universe.put(replace(held, is_held=True))
        return
    universe.put(replace(first, next_due=None, is_held=False))
    universe.put(replace(_delivery(universe, hook, event, at), releases=first.id))


def _delivery(universe: Universe, hook: Hook, event: Event, due: datetime) -> Delivery:
    body = msgspec.json.encode(render_event(event))
    return Delivery(
        id=universe.new_id(),
        key=event.key,
        created_at=universe.clock.now(),
        url=hook.url,
        reason=event.type,
        first_due=due,
        next_due=due,
        event_id=event.id,
        body=body,
        signature=signature(hook.secret, body),
    )


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def letters(universe: Universe) -> Letters[Delivery]:
    def after(delivery: Delivery, attempt: Attempt) -> Delivery:
        held = universe.deliveries.get(delivery.releases or "")
        if held is not None and not held.attempts:
            universe.put(replace(held, next_due=attempt.at))
        return _after_attempt(delivery, attempt, universe.settings.webhook_retry_seconds)

    return Letters(body=lambda delivery: delivery.body, headers=_headers, after=after)


def _after_attempt(delivery: Delivery, attempt: Attempt, waits: list[int]) -> Delivery:
    attempts = (*delivery.attempts, attempt)
    done = replace(delivery, attempts=attempts, releases=None, next_due=None)
    # Which answers KOMOJU takes for a yes is not published; these are the usual ones.
    if attempt.status is not None and 200 <= attempt.status < 300:
        return replace(done, state="delivered")
    if len(attempts) > len(waits):
        return replace(done, state="failed")
    return replace(done, next_due=attempt.at + timedelta(seconds=waits[len(attempts) - 1]))


def _headers(delivery: Delivery) -> dict[str, str]:
    return {
        "User-Agent": "Komoju-Webhook",
        "Content-Type": "application/json",
        "X-Komoju-ID": delivery.id,
        "X-Komoju-Signature": delivery.signature,
        "X-Komoju-Event": delivery.reason,
    }
