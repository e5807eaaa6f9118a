"""Which records and which knobs Mollie's stand-in has, on top of what every universe holds.

It knows no HTTP and no rules of Mollie's.
"""

import random
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from app.sandbox import universe
from app.sandbox.mollie.connect_objects import CONNECT_KINDS
from app.sandbox.mollie.objects import (
    Capture,
    Chargeback,
    Customer,
    Delivery,
    Mandate,
    Payment,
    Refund,
    Session,
    Subscription,
)
from app.sandbox.record import Asked, Record, Remembered

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_HELD: Final[tuple[type[Record], ...]] = (
    Payment,
    Capture,
    Session,
    *CONNECT_KINDS,
    Customer,
    Mandate,
    Refund,
    Chargeback,
    Subscription,
    Delivery,
    Asked,
    Remembered,
)
_KINDS: Final = {kind.__name__: kind for kind in _HELD}


Word = Literal["paid", "failed", "open"]


class Outcome(Struct, forbid_unknown_fields=True):
    """What one charge on a mandate comes to."""

    outcome: Word
    reason: str | None = None


Outcomes = Annotated[list[Word | Outcome], Meta(max_length=1000)]


class Settings(Struct, rename="camel", forbid_unknown_fields=True):
    """Defaults for what follows; the control plane changes them."""

    mandate_delay_seconds: int = 0
    recurring_outcome: Word = "paid"
    recurring_outcomes: Outcomes = field(default_factory=list)  # of the next charges, in order
    recurring_failure_reason: str = "insufficient_funds"
    capture_outcome: Literal["succeeded", "failed", "pending"] = "succeeded"
    debit_delay_seconds: int = 0  # how long a bank takes over a charge on an account
    calls_per_second: float = 0  # above it 429, for each key; 0: no limit
    latency_ms: int = 0
    strict_webhook_url: bool = False
    idempotency_caches_errors: bool = True
    balance_short: bool = False  # refunds wait as `queued` while this is on
    failed_is_final: Literal["singleMethod", "always", "never"] = "singleMethod"
    hang_seconds: int = 30


class WebhookMode(Struct, rename="camel", forbid_unknown_fields=True):
    mode: Literal["normal", "drop", "duplicate", "beforeResponse"] = "normal"
    delay_ms: int = 0


class Knobs(universe.Knobs):
    settings: Settings = field(default_factory=Settings)
    webhooks: WebhookMode = field(default_factory=WebhookMode)


class World(universe.World):
    """What one API key can see."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.mode = key.partition("_")[0]
        # Test and live keys with the same tail belong to one profile, as they do at Mollie.
        self.profile_id = "pfl_" + "".join(
            random.Random(key.partition("_")[2]).choices(_BASE58, k=10)
        )


class Universe(universe.Universe[World, Delivery]):
    kinds = _KINDS
    delivery = Delivery

    def _empty(self) -> None:
        super()._empty()
        self.settings, self.webhooks = Settings(), WebhookMode()
        self.by_token: dict[str, str] = {}

    def _new_world(self, key: str) -> World:
        return World(key)

    def _appeared(self, record: Record) -> None:
        if isinstance(record, Payment | Session):
            self.by_token[record.token] = record.id

    def new_id(self, prefix: str, length: int = 22) -> str:
        return f"{prefix}_{''.join(random.choices(_BASE58, k=length))}"

    def _knobs(self) -> Knobs:
        offset = self.clock.offset.total_seconds()
        return Knobs(offset, self.faults, self.settings, self.webhooks)

    def _turn(self, raw: bytes) -> Knobs:
        knobs = msgspec.json.decode(raw, type=Knobs)
        self.settings, self.webhooks = knobs.settings, knobs.webhooks
        return knobs


def masked(key: str) -> str:
    """A key is a secret even here: enough of it to tell worlds apart. An account's name is none."""
    if ":" in key:
        return key
    return key[:9] + "..."
