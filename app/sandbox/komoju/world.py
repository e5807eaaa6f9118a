"""Which records and which knobs KOMOJU's stand-in has, on top of what every universe holds."""

import random
import string
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from app.sandbox import universe
from app.sandbox.komoju.objects import (
    Customer,
    Delivery,
    Event,
    Hook,
    Payment,
    Refund,
    Session,
)
from app.sandbox.record import Asked, Record, Remembered
from app.sandbox.universe import World

_ALPHABET: Final = string.ascii_lowercase + string.digits
_KINDS: Final[dict[str, type[Record]]] = {
    kind.__name__: kind
    for kind in (
        Session,
        Payment,
        Refund,
        Customer,
        Event,
        Hook,
        Delivery,
        Asked,
        Remembered,
    )
}
Word = Literal["captured", "failed", "pending"]
Count = Annotated[int, Meta(ge=0)]


class Outcome(Struct, forbid_unknown_fields=True):
    """What one later charge on a saved customer comes to."""

    outcome: Word
    code: str | None = None


Outcomes = Annotated[list[Word | Outcome], Meta(max_length=1000)]


class Settings(Struct, rename="camel", forbid_unknown_fields=True):
    """Defaults for what follows; the control plane changes them."""

    recurring_outcome: Word = "captured"
    recurring_outcomes: Outcomes = field(default_factory=list)  # of the next charges, in order
    recurring_failure_code: str = "request_failed"
    # The currency in which shoppers pay on the page; None: the session's own.
    dcc_currency: str | None = None
    dcc_rate: str = "1"  # units of it for one unit of the session's
    payment_method_fees: dict[str, Count] = field(default_factory=dict)
    deadline_days: Annotated[int, Meta(ge=1, le=59)] = 3  # for cash at a shop
    calls_per_second: Annotated[float, Meta(ge=0)] = 0  # above it 429, for each key; 0: no limit
    latency_ms: Count = 0
    idempotency_caches_errors: bool = True
    # KOMOJU publishes no schedule: it may never try again, and who needs more asks for events.
    webhook_retry_seconds: Annotated[list[Count], Meta(max_length=20)] = field(default_factory=list)
    hang_seconds: Count = 30


class WebhookMode(Struct, rename="camel", forbid_unknown_fields=True):
    mode: Literal["normal", "drop", "duplicate", "delay", "reordered", "beforeResponse"] = "normal"
    delay_ms: Count = 0


class Knobs(universe.Knobs):
    settings: Settings = field(default_factory=Settings)
    webhooks: WebhookMode = field(default_factory=WebhookMode)


class Universe(universe.Universe[World, Delivery]):
    kinds = _KINDS
    delivery = Delivery

    def _empty(self) -> None:
        super()._empty()
        self.settings, self.webhooks = Settings(), WebhookMode()

    def _new_world(self, key: str) -> World:
        return World(key)

    def new_id(self) -> str:
        return "".join(random.choices(_ALPHABET, k=25))

    def _knobs(self) -> Knobs:
        offset = self.clock.offset.total_seconds()
        return Knobs(offset, self.faults, self.settings, self.webhooks)

    def _turn(self, raw: bytes) -> Knobs:
        knobs = msgspec.json.decode(raw, type=Knobs)
        self.settings, self.webhooks = knobs.settings, knobs.webhooks
        return knobs


def masked(key: str) -> str:
    """A key is a secret even here: enough of it to tell worlds apart."""
    return key[:12] + "..."
