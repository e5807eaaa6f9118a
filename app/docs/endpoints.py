"""What the running application knows about each of its routes, as plain facts.

Everything that is published is read from here, so nothing about a route is written down twice:
who may call it is its guard, what it takes is its signature, what it does is its docstring.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, get_args, get_origin

from litestar import Litestar, Response
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, QueryParameter
from litestar.routes import HTTPRoute
from litestar.types.internal_types import PathParameterDefinition
from litestar.typing import FieldDefinition

from app.http.bodies import Body
from app.http.caller import GUARDS, public
from domain.payments.ports import Providers

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path."""

    method: str
    parts: tuple[str | PathParameterDefinition, ...]
    handler: HTTPRouteHandler

    @property
    def path(self) -> str:
        names = (p if isinstance(p, str) else f"{{{camel(p.name)}}}" for p in self.parts)
        return "/" + "/".join(names)

    @property
    def path_parameters(self) -> tuple[PathParameterDefinition, ...]:
        return tuple(part for part in self.parts if not isinstance(part, str))

    @property
    def operation_id(self) -> str:
        return str(self.handler.operation_id)

    @property
    def tags(self) -> list[str]:
        return sorted(self.handler.resolve_tags())

    @property
    def description(self) -> str:
        return inspect.getdoc(self.handler.fn) or ""

    @property
    def guard(self) -> Any:
        """The one that says who may call. Raises StopIteration when a route has none."""
        return next(guard for guard in self.handler.resolve_guards() if guard in GUARDS)

    @property
    def is_public(self) -> bool:
        return self.guard is public

    @property
    def body(self) -> type[Body] | None:
        field = self.handler.parsed_data_field
        kind = None if field is None else field.annotation
        return kind if isinstance(kind, type) and issubclass(kind, Body) else None

    @property
    def answers(self) -> Any:
        """The type of what a success says."""
        kind = self.handler.parsed_fn_signature.return_type.annotation
        return get_args(kind)[0] if get_origin(kind) is Response else kind

    @property
    def status(self) -> int:
        return self.handler.status_code

    @property
    def media_type(self) -> str:
        said = self.handler.media_type
        return (said.value if isinstance(said, MediaType) else str(said)) or "application/json"

    @property
    def fields(self) -> Iterator[tuple[str, FieldDefinition]]:
        """Query and header parameters by their public names."""
        for name, field in self.handler.parsed_fn_signature.parameters.items():
            if isinstance(field.kwarg_definition, QueryParameter | HeaderParameter):
                yield field.kwarg_definition.name or name, field

    @property
    def asks_provider(self) -> bool:
        """Whether one of its use cases stands on the ports of payment providers."""
        parameters = self.handler.parsed_fn_signature.parameters.values()
        return any(_stands_on_providers(field.annotation) for field in parameters)


def endpoints(app: Litestar) -> list[Endpoint]:
    """All that are published, in the order in which the composition root names them."""
    found = []
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for method in METHODS:
            if method not in route.route_handler_map:
                continue
            handler, _ = route.route_handler_map[method]
            if handler.resolve_include_in_schema():
                found.append(Endpoint(method, tuple(route.path_components), handler))
    return found


def camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


@cache
def _stands_on_providers(kind: Any) -> bool:
    if kind == Providers:
        return True
    if not isinstance(kind, type) or not kind.__module__.startswith("domain."):
        return False
    needs = inspect.signature(kind, eval_str=True).parameters.values()
    return any(_stands_on_providers(need.annotation) for need in needs)
