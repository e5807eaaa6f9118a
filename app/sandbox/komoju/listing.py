"""The envelope of lists, newest first, and its pages."""

import math
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from app.sandbox.komoju.calls import Answer, Call
from app.sandbox.komoju.problems import refused
from app.sandbox.komoju.validation import moment
from app.sandbox.record import Record

PAGING: Final = frozenset({"page", "per_page", "start_time", "end_time"})
# Neither is published. A short page finds the caller who believes it is all there is.
PER_PAGE_DEFAULT: Final = 10
PER_PAGE_MAX: Final = 100
R = TypeVar("R", bound=Record)


def _number(query: dict[str, str], name: str, default: int, most: int) -> int:
    raw = query.get(name, str(default))
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw[:9]) <= most):
        raise refused(f"{name} must be from 1 to {most}", name)
    return int(raw)


def listing(call: Call, records: Iterable[R], render: Callable[[R], dict[str, Any]]) -> Answer:
    """`records` come oldest first. `start_time` is inclusive, `end_time` is not."""
    page = _number(call.query, "page", 1, 1_000_000)
    per_page = _number(call.query, "per_page", PER_PAGE_DEFAULT, PER_PAGE_MAX)
    since, until = moment(call.query, "start_time"), moment(call.query, "end_time")
    found = [
        record
        for record in records
        if (since is None or record.created_at >= since)
        and (until is None or record.created_at < until)
    ]
    found.reverse()
    first = (page - 1) * per_page
    return Answer(
        {
            "resource": "list",
            "total": len(found),
            "page": page,
            "per_page": per_page,
            "last_page": max(1, math.ceil(len(found) / per_page)),
            "data": [render(record) for record in found[first : first + per_page]],
        }
    )
