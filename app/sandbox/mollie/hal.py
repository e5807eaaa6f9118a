"""HAL: links with a type, and the list envelope with its pages."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from app.sandbox.mollie.calls import Call
from app.sandbox.mollie.objects import Record
from app.sandbox.mollie.problems import ApiProblem

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
    call: Call, name: str, records: Iterable[R], render: Callable[[R], Json], guide: str
) -> Json:
    """One page of records, which come oldest first; `from` is inclusive."""
    limit, sort = _limit(call.query), call.query.get("sort", "desc")
    if sort not in ("asc", "desc"):
        raise ApiProblem(400, "The sort must be asc or desc", "sort")
    ordered = list(records)
    if sort == "desc":
        ordered.reverse()
    start = _position(ordered, call.query.get("from"))
    shown = ordered[start : start + limit]

    def page(position: int) -> dict[str, str]:
        query = {**call.query, "from": ordered[position].id, "limit": str(limit)}
        return link(call.base, f"{call.path}?{urlencode(query)}")

    after = start + limit
    here = urlencode({**call.query, "limit": str(limit)})
    return {
        "count": len(shown),
        "_embedded": {name: [render(record) for record in shown]},
        "_links": {
            "self": link(call.base, f"{call.path}?{here}"),
            "previous": page(max(0, start - limit)) if start else None,
            "next": page(after) if after < len(ordered) else None,
            "documentation": documentation(guide),
        },
    }


def _position(ordered: list[R], cursor: str | None) -> int:
    if cursor is None:
        return 0
    for position, record in enumerate(ordered):
        if record.id == cursor:
            return position
    raise ApiProblem(400, "Invalid cursor value", "from")
