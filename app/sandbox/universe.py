"""Everything one stand-in holds, in memory, and written through to disk when it has one.

A `World` is what one API key can see. The `Universe` is all worlds, one clock and one agenda. It
knows no HTTP and no provider: which records there are, and which knobs, a stand-in adds.
"""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any, ClassVar, Final, Generic, TypeVar

import msgspec
from msgspec import Struct, field

from app.sandbox.agenda import Agenda
from app.sandbox.clock import Clock
from app.sandbox.faults import Fault
from app.sandbox.record import Asked, Delivery, Record, Remembered
from app.sandbox.storage import Storage

LOG_KEPT: Final = 5_000
_TRIM_LOOKS_AT: Final = 20


class World:
    """What one API key can see."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.shelves: dict[type[Record], dict[str, Any]] = {}
        self.children: dict[tuple[type[Record], str], list[str]] = {}

    def shelf(self, kind: type["R"]) -> dict[str, "R"]:
        return self.shelves.setdefault(kind, {})

    def of(self, kind: type["R"], parent: str) -> list["R"]:
        """The records of a kind under another record, oldest first."""
        shelf = self.shelf(kind)
        return [shelf[id] for id in self.children.get((kind, parent), ())]


R = TypeVar("R", bound=Record)
W = TypeVar("W", bound=World)
D = TypeVar("D", bound=Delivery)


class Knobs(Struct):
    """What the control plane has turned; a stand-in adds its own."""

    clock_offset_seconds: float = 0.0
    faults: list[Fault] = field(default_factory=list)


class Universe(ABC, Generic[W, D]):
    kinds: ClassVar[dict[str, type[Record]]]  # what is kept on disk, by name
    delivery: type[D]

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
        self.faults: list[Fault] = []
        self.worlds: dict[str, W] = {}
        self.owner: dict[str, str] = {}  # id -> key, over all worlds
        # Ordered ones, because only they forget their oldest without looking for it.
        self.deliveries: OrderedDict[str, D] = OrderedDict()
        self.asked: OrderedDict[str, Asked] = OrderedDict()
        self.remembered: OrderedDict[str, Remembered] = OrderedDict()
        self.running: dict[str, str] = {}  # idempotency: what is being answered right now
        self.before_response: list[D] = []

    @abstractmethod
    def _new_world(self, key: str) -> W: ...

    @abstractmethod
    def _knobs(self) -> Knobs: ...

    @abstractmethod
    def _turn(self, raw: bytes) -> Knobs:
        """Set the knobs as they were written down."""

    def _appeared(self, record: Record) -> None:
        """A record under a new id; for a stand-in that looks records up by something else."""

    def world(self, key: str) -> W:
        if (world := self.worlds.get(key)) is None:
            world = self.worlds[key] = self._new_world(key)
        return world

    def find(self, kind: type[R], id: str) -> R | None:
        if kind is self.delivery:
            return self.deliveries.get(id)  # type: ignore[return-value]  # the kind says so
        key = self.owner.get(id)
        return None if key is None else self.world(key).shelf(kind).get(id)

    def put(self, record: Record) -> None:
        self._take(record)
        self._dirty[type(record).__name__, record.id] = record

    def _take(self, record: Record) -> None:
        if isinstance(record, self.delivery):
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
            self._appeared(record)
            for parent in record.parents:
                world.children.setdefault((type(record), parent), []).append(record.id)
        shelf[record.id] = record

    def _trim(self, log: OrderedDict[str, Any]) -> None:
        """Forget the oldest lines of a log, except deliveries that are still to be made.

        Looks at few of them, so that a receiver that is away slows down nothing.
        """
        for record in list(islice(log.values(), _TRIM_LOOKS_AT if len(log) > LOG_KEPT else 0)):
            if len(log) > LOG_KEPT and record.due_at is None:
                self.forget(record)

    def forget(self, record: Record) -> None:
        logs: tuple[OrderedDict[str, Any], ...] = (self.deliveries, self.asked, self.remembered)
        for log in logs:
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

    def _load(self, storage: Storage) -> None:
        for kind, _, body in storage.read():
            if kind == "Knobs":
                knobs = self._turn(body)
                self.clock = Clock(timedelta(seconds=knobs.clock_offset_seconds))
                self.faults = knobs.faults
            else:
                self._take(msgspec.json.decode(body, type=self.kinds[kind]))
