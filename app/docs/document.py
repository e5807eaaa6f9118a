"""The OpenAPI 3.1 document, written from the running application.

Litestar can write one too, but loses bounds of zero, the order of fields, and that unknown fields
are refused. msgspec, which enforces all of that, tells it exactly.
"""

from collections import defaultdict
from typing import Any, Final

from litestar import Litestar

from app.docs.components import Schema, Schemas
from app.docs.endpoints import Endpoint, endpoints
from app.docs.introduction import INTRODUCTION, TAGS, TITLE
from app.docs.operations import HEADERS, IDEMPOTENCY_KEY, Writer, typed
from app.docs.security import SCHEMES
from app.docs.words import PATH_TYPES
from app.http.errors import Problems

VERSION: Final = "1"


def document(app: Litestar, server_url: str) -> Schema:
    found = _in_reading_order(endpoints(app))
    schemas = Schemas(_types(found))
    writer = Writer(schemas)
    paths: dict[str, Schema] = defaultdict(dict)
    for endpoint in found:
        paths[endpoint.path][endpoint.method.lower()] = writer.operation(endpoint)
    used = {tag for endpoint in found for tag in endpoint.tags}
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": INTRODUCTION},
        "servers": [{"url": server_url}],
        "tags": [
            {"name": tag, "description": TAGS.get(tag, "")}
            for tag in sorted(used, key=lambda tag: _place([tag]))
        ],
        "paths": dict(paths),
        "components": {
            "schemas": schemas.components,
            "headers": HEADERS,
            "parameters": {"IdempotencyKey": IDEMPOTENCY_KEY},
            "securitySchemes": SCHEMES,
        },
    }


def _in_reading_order(found: list[Endpoint]) -> list[Endpoint]:
    """By tag, then by controller as the composition root names them; many before one."""
    controllers = list(dict.fromkeys(endpoint.handler.owner for endpoint in found))

    def place(endpoint: Endpoint) -> tuple[int, int, bool, int, str]:
        owner = controllers.index(endpoint.handler.owner)
        is_about_one = not endpoint.operation_id.startswith(("list", "create"))
        return _place(endpoint.tags), owner, is_about_one, len(endpoint.parts), endpoint.path

    return sorted(found, key=place)


def _types(found: list[Endpoint]) -> list[Any]:
    answers = [endpoint.answers for endpoint in found]
    bodies = [endpoint.body for endpoint in found if endpoint.body is not None]
    fields = [typed(field) for endpoint in found for _, field in endpoint.fields]
    parts = [part.type for endpoint in found for part in endpoint.path_parameters]
    return [*answers, *bodies, *fields, *parts, *PATH_TYPES.values(), Problems]


def _place(tags: list[str]) -> int:
    order = list(TAGS)
    return min((order.index(tag) for tag in tags if tag in order), default=len(order))
