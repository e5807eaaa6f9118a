"""HAL: links with a type, and the list envelope with its pages."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Reversible
from itertools import islice
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from app.sandbox.mollie.calls import Call
from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.record import Record

HAL_JSON: Final = "application/hal+json"
LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 250
PAGING: Final = frozenset({"limit", "from", "sort"})

R = TypeVar("R", bound=Record)
Json = dict[str, Any]


def link(base: str, path: str) -> dict[str, str]:
    return {"href": f"{base}/v2/{path}", "type": HAL_JSON}


def page_link(href: str) -> dict[str, str]:
    return {"href": href, "type": "text/html"}


def documentation(page: str) -> dict[str, str]:
    return page_link(f"https://docs.mollie.com/reference/{page}")


def _limit(query: dict[str, str]) -> int:
    raw = query.get("limit", str(LIMIT_DEFAULT))
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw[:9]) <= LIMIT_MAX):
        raise ApiProblem(400, f"The limit must be between 1 and {LIMIT_MAX}", "limit")
    return int(raw)


def listing(
    call: Call, name: str, records: Reversible[R], render: Callable[[R], Json], guide: str
) -> Json:
    """One page of records, which come oldest first; `from` is inclusive."""
    limit, sort = _limit(call.query), call.query.get("sort", "desc")
    if sort not in ("asc", "desc"):
        raise ApiProblem(400, "The sort must be asc or desc", "sort")
    ordered: Iterable[R] = records if sort == "asc" else reversed(records)
    before, shown, after = _page(iter(ordered), call.query.get("from"), limit)

    def page(first: R) -> dict[str, str]:
        query = {**call.query, "from": first.id, "limit": str(limit)}
        return link(call.base, f"{call.path}?{urlencode(query)}")

    here = urlencode({**call.query, "limit": str(limit)})
    return {
        "count": len(shown),
        "_embedded": {name: [render(record) for record in shown]},
        "_links": {
            "self": link(call.base, f"{call.path}?{here}"),
            "previous": None if before is None else page(before),
            "next": None if after is None else page(after),
            "documentation": documentation(guide),
        },
    }


def _page(
    ordered: Iterator[R], cursor: str | None, limit: int
) -> tuple[R | None, list[R], R | None]:
    """The first of the page before, this page, and the first of the next.

    Reads no further than that: the newest page costs the same however much there is.
    """
    passed: deque[R] = deque(maxlen=limit)
    shown: list[R] = []
    if cursor is not None:
        for record in ordered:
            if record.id == cursor:
                shown = [record]
                break
            passed.append(record)
        else:
            raise ApiProblem(400, "Invalid cursor value", "from")
    shown += islice(ordered, limit - len(shown))
    return passed[0] if passed else None, shown, next(ordered, None)
