"""What happens when: the due moments of all records, soonest first.

An entry says only that a record may have something to do; the record's own `due_at` is the truth,
so nothing is ever removed from the middle.
"""

import heapq
from datetime import datetime

from app.sandbox.record import Record


class Agenda:
    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, type[Record], str]] = []
        self._count = 0

    def plan(self, record: Record) -> None:
        if record.due_at is not None:
            self._count += 1
            entry = (record.due_at, self._count, type(record), record.id)
            heapq.heappush(self._heap, entry)

    def next_due(self) -> datetime | None:
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: datetime) -> tuple[datetime, type[Record], str] | None:
        if not self._heap or self._heap[0][0] > now:
            return None
        due, _, kind, id = heapq.heappop(self._heap)
        return due, kind, id

    def clear(self) -> None:
        self._heap.clear()
