"""Letting due things happen, in order, each at its own moment."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from app.sandbox.record import Record
from app.sandbox.universe import Universe

Happens = Mapping[type[Record], Callable[[Any, Any, datetime], None]]
Carry = Callable[[Any, datetime], object]


def happen(universe: Universe[Any, Any], happens: Happens, carry: Carry) -> None:
    """What `happens` knows nothing about is a delivery, to be carried."""
    now = universe.clock.now()
    while (entry := universe.agenda.pop_due(now)) is not None:
        due, kind, id = entry
        record = universe.find(kind, id)
        if record is None or record.due_at != due:
            continue  # it has moved on since
        if kind in happens:
            happens[kind](universe, record, due)
        else:
            carry(record, due)
