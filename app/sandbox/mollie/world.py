"""Everything the sandbox holds, in memory, and written through to disk when it has one.

A `World` is what one API key can see. The `Universe` is all worlds, one clock, one agenda and the
knobs of the control plane. It knows no HTTP and no rules of Mollie's.
"""

import random
from collections import OrderedDict
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from app.sandbox.mollie.agenda import Agenda
from app.sandbox.mollie.clock import Clock
from app.sandbox.mollie.connect_objects import CONNECT_KINDS
from app.sandbox.mollie.objects import (
    Asked,
    Capture,
    Chargeback,
    Customer,
    Delivery,
    Mandate,
    Payment,
    Record,
    Refund,
    Remembered,
    Session,
    Subscription,
)
from app.sandbox.mollie.storage import Storage

LOG_KEPT: Final = 5_000
_TRIM_LOOKS_AT: Final = 20
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
R = TypeVar("R", bound=Record)


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


class Fault(Struct, rename="camel", forbid_unknown_fields=True):
    operation: str
    kind: Literal[
        "status", "timeoutBeforeCommit", "timeoutAfterCommit", "truncatedJson", "connectionReset"
    ]
    status: int = 503
    retry_after_seconds: Annotated[int, Meta(ge=0)] | None = None
    times: int = 1


class Knobs(Struct):
    clock_offset_seconds: float = 0.0
    settings: Settings = field(default_factory=Settings)
    webhooks: WebhookMode = field(default_factory=WebhookMode)
    faults: list[Fault] = field(default_factory=list)


class World:
    """What one API key can see."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.mode = key.partition("_")[0]
        # Test and live keys with the same tail belong to one profile, as they do at Mollie.
        self.profile_id = "pfl_" + "".join(
            random.Random(key.partition("_")[2]).choices(_BASE58, k=10)
        )
        self.shelves: dict[type[Record], dict[str, Any]] = {}
        self.children: dict[tuple[type[Record], str], list[str]] = {}

    def shelf(self, kind: type[R]) -> dict[str, R]:
        return self.shelves.setdefault(kind, {})

    def of(self, kind: type[R], parent: str) -> list[R]:
        """The records of a kind under another record, oldest first."""
        shelf = self.shelf(kind)
        return [shelf[id] for id in self.children.get((kind, parent), ())]


class Universe:
    def __init__(self, storage: Storage | None = None) -> None:
        self._storage = storage
        self._dirty: dict[tuple[str, str], Record] = {}
        self._removed: list[tuple[str, str]] = []
        self._saved_knobs = b""
        self._empty()
        if storage is not None:
            self._load(storage)

    def _empty(self) -> None:
        self.clock, self.agenda = Clock(), Agenda()
        self.settings, self.webhooks = Settings(), WebhookMode()
        self.faults: list[Fault] = []
        self.worlds: dict[str, World] = {}
        self.owner: dict[str, str] = {}  # id -> key, over all worlds
        self.by_token: dict[str, str] = {}
        # Ordered ones, because only they forget their oldest without looking for it.
        self.deliveries: OrderedDict[str, Delivery] = OrderedDict()
        self.asked: OrderedDict[str, Asked] = OrderedDict()
        self.remembered: OrderedDict[str, Remembered] = OrderedDict()
        self.running: dict[str, str] = {}  # idempotency: what is being answered right now
        self.before_response: list[Delivery] = []

    def world(self, key: str) -> World:
        if (world := self.worlds.get(key)) is None:
            world = self.worlds[key] = World(key)
        return world

    def new_id(self, prefix: str, length: int = 22) -> str:
        return f"{prefix}_{''.join(random.choices(_BASE58, k=length))}"

    def find(self, kind: type[R], id: str) -> R | None:
        if kind is Delivery:
            return self.deliveries.get(id)  # type: ignore[return-value]  # the kind says so
        key = self.owner.get(id)
        return None if key is None else self.world(key).shelf(kind).get(id)

    def put(self, record: Record) -> None:
        self._take(record)
        self._dirty[type(record).__name__, record.id] = record

    def _take(self, record: Record) -> None:
        if isinstance(record, Delivery):
            self.deliveries[record.id] = record
            self._trim(self.deliveries)
        elif isinstance(record, Asked):
            self.asked[record.id] = record
            self._trim(self.asked)
        elif isinstance(record, Remembered):
            self.remembered[record.id] = record
        else:
            self._shelve(record)
        self.agenda.plan(record)

    def _shelve(self, record: Record) -> None:
        world = self.world(record.key)
        shelf = world.shelf(type(record))
        if record.id not in shelf:
            self.owner[record.id] = record.key
            if isinstance(record, Payment | Session):
                self.by_token[record.token] = record.id
            for parent in record.parents:
                world.children.setdefault((type(record), parent), []).append(record.id)
        shelf[record.id] = record

    def _trim(self, log: dict[str, Any]) -> None:
        """Forget the oldest lines of a log, except deliveries that are still to be made.

        Looks at few of them, so that a receiver that is away slows down nothing.
        """
        for record in list(islice(log.values(), _TRIM_LOOKS_AT if len(log) > LOG_KEPT else 0)):
            if len(log) > LOG_KEPT and record.due_at is None:
                self.forget(record)

    def forget(self, record: Record) -> None:
        for log in (self.deliveries, self.asked, self.remembered):
            log.pop(record.id, None)
        self._dirty.pop((type(record).__name__, record.id), None)
        self._removed.append((type(record).__name__, record.id))

    def newest(self, kind: type[R]) -> Iterator[R]:
        """All records of a kind over all worlds, newest first."""
        for id in reversed(self.owner):
            if (record := self.find(kind, id)) is not None:
                yield record

    def commit(self) -> None:
        """Write what changed. Called before an answer leaves, so that no answer can be a lie."""
        if self._storage is not None:
            changed = [
                (kind, id, msgspec.json.encode(record))
                for (kind, id), record in self._dirty.items()
            ]
            knobs = msgspec.json.encode(self._knobs())
            if knobs != self._saved_knobs:
                changed.append(("Knobs", "", knobs))
                self._saved_knobs = knobs
            if changed or self._removed:
                self._storage.write(changed, self._removed)
        self._dirty.clear()
        self._removed.clear()

    def reset(self) -> None:
        self._dirty.clear()
        self._removed.clear()
        self._saved_knobs = b""
        self._empty()
        if self._storage is not None:
            self._storage.clear()

    def close(self) -> None:
        if self._storage is not None:
            self.commit()
            self._storage.close()

    def _knobs(self) -> Knobs:
        offset = self.clock.offset.total_seconds()
        return Knobs(offset, self.settings, self.webhooks, self.faults)

    def _load(self, storage: Storage) -> None:
        for kind, _, body in storage.read():
            if kind == "Knobs":
                knobs = msgspec.json.decode(body, type=Knobs)
                self.clock = Clock(timedelta(seconds=knobs.clock_offset_seconds))
                self.settings, self.webhooks = knobs.settings, knobs.webhooks
                self.faults = knobs.faults
            else:
                self._take(msgspec.json.decode(body, type=_KINDS[kind]))


def masked(key: str) -> str:
    """A key is a secret even here: enough of it to tell worlds apart. An account's name is none."""
    if ":" in key:
        return key
    return key[:9] + "..."
