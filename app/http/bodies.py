"""Request bodies: strict on the way in, and every mistake reported at once.

A body is a `Body`. msgspec decodes it in one pass on the good path. Only when that fails is each
field looked at on its own, so that the caller hears of all mistakes in one answer.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import islice, pairwise
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException
from litestar.params import HeaderParameter, QueryParameter
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from domain.kernel.errors import Invalid, Violation

BODY_MAX: Final = 64 * 1024
MISTAKES_MAX: Final = 100
"""In one answer. Nobody reads more, and a body of nothing but mistakes must not grow."""
DEPTH_MAX: Final = 32
"""Deeper JSON overflows the decoder's stack; nothing of ours is deeper than five."""

# A number with more digits than a double has is as wrong as it was sent.
_EXACT: Final = msgspec.json.Decoder(float_hook=Decimal)
_OPEN, _CLOSE, _QUOTE, _BACKSLASH = b"[{", b"]}", ord('"'), ord("\\")


class Body(Struct, forbid_unknown_fields=True, rename="camel", kw_only=True, frozen=True):
    """A request body. Says no to unknown fields; `rules` adds what types cannot say."""

    def __post_init__(self) -> None:
        # The names alone: `fields` works out every type anew, a twentieth of a request.
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        if next(iter(type(self).rules(given)), None) is not None:
            raise ValueError("against a rule")  # explain() asks the rules again, for all of them

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        """What is wrong with the fields that are well-formed, by attribute name.

        A field that is malformed by itself is missing from `given`: use `.get`.
        """
        yield from ()


class StrictRequest(Request[Any, Any, Any]):
    """Decodes a `Body` from its bytes, strictly: Litestar would take "5" for a number."""

    async def json(self) -> Any:
        field = getattr(self.route_handler, "parsed_data_field", None)
        kind = None if field is None else field.annotation
        if not (isinstance(kind, type) and issubclass(kind, Body)):
            return await super().json()
        body = await self.body()
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:  # of which ValidationError is one
            raise Invalid(_explain(kind, body, error)) from None


async def strict_json(request: Request[Any, Any, Any]) -> None:
    """Refuse what would break the decoder or the database, before either sees it."""
    if request.method in ("GET", "HEAD", "OPTIONS", "DELETE"):
        return
    body = await request.body()
    if body and not request.headers.get("content-type", "").startswith("application/json"):
        raise Invalid([Violation("must be application/json", "Content-Type")])
    try:
        body.decode()
    except UnicodeDecodeError:
        raise Invalid([Violation("the body is not UTF-8")]) from None
    if b"\\u0000" in body:
        raise Invalid([Violation("the body has a NUL character")])
    if _depth(body) > DEPTH_MAX:
        raise Invalid([Violation(f"the body is nested deeper than {DEPTH_MAX} levels")])


async def any_body(_: Request[Any, Any, Any]) -> None:
    """In the place of `strict_json`, where a body is a form, or bytes that are signed."""


def _depth(body: bytes) -> int:
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return 0  # cannot be too deep; the usual case pays for no scan
    depth = deepest = 0
    in_string = False
    for before, byte in pairwise(b" " + body.replace(b"\\\\", b"")):
        if byte == _QUOTE and before != _BACKSLASH:
            in_string = not in_string
        elif not in_string and byte in _OPEN:
            depth += 1
            deepest = max(deepest, depth)
        elif not in_string and byte in _CLOSE:
            depth -= 1
    return deepest


def _explain(kind: type[Body], body: bytes, error: msgspec.DecodeError) -> list[Violation]:
    """Everything that is wrong with a body that did not decode."""
    try:
        value = _EXACT.decode(body)
    except msgspec.DecodeError as malformed:
        return [Violation(f"the body is not JSON: {_plain(str(malformed))}")]
    return list(islice(mistakes(kind, value), MISTAKES_MAX)) or [Violation(_plain(str(error)))]


def explain_parameters(
    request: Request[Any, Any, Any], error: ValidationException
) -> list[Violation]:
    """What is wrong with query, path and header parameters; or that the body is missing."""
    extra = error.extra if isinstance(error.extra, list) else []
    found = [
        Violation(_plain(str(e["message"])), _public_name(request, e.get("key"))) for e in extra
    ]
    found = found or [Violation("is required", name) for name in _left_out(request)]
    return found or [Violation("Bad Request")]


def _left_out(request: Request[Any, Any, Any]) -> Iterator[str]:
    """Query parameters that the framework only says of that one of them is missing."""
    for name, field in request.route_handler.parsed_fn_signature.parameters.items():
        is_query = isinstance(field.kwarg_definition, QueryParameter)
        public = _public_name(request, name) or name
        if is_query and field.is_required and public not in request.query_params:
            yield public


def _public_name(request: Request[Any, Any, Any], name: str | None) -> str | None:
    """`from` cannot be a name in Python: the caller is told what it has sent."""
    known = request.route_handler.parsed_fn_signature.parameters
    definition = known[name].kwarg_definition if name in known else None
    said = definition.name if isinstance(definition, QueryParameter | HeaderParameter) else None
    return said or name


def mistakes(kind: type[Body], value: object, path: str = "") -> Iterator[Violation]:
    """Field by field, lazily. `path` leads to a nested body, for example `prices[0].`."""
    if not isinstance(value, dict):
        yield Violation("must be an object", path.rstrip(".") or None)
        return
    given: dict[str, Any] = {}
    for field in _fields(kind):
        name = path + field.encode_name
        if field.encode_name not in value:
            if field.required:
                yield Violation("is required", name)
            else:
                given[field.name] = _default(field)
            continue
        is_fine = True
        for mistake in _field_mistakes(field.type, value[field.encode_name], name):
            is_fine = False
            yield mistake
        if is_fine:
            given[field.name] = msgspec.convert(value[field.encode_name], field.type)
    known = {field.encode_name for field in _fields(kind)}
    for unknown in sorted(value.keys() - known):
        yield Violation("is not a field of this request", path + unknown)
    for violation in kind.rules(given):
        yield Violation(violation.message, path + (violation.field or ""))


@lru_cache
def _fields(kind: type[Body]) -> tuple[FieldInfo, ...]:
    return fields(kind)  # it evaluates every annotation again


def _field_mistakes(kind: Any, value: object, name: str) -> Iterator[Violation]:
    inner = _nested(kind)
    if inner is not None and isinstance(value, list):
        for index, item in enumerate(value):
            yield from mistakes(inner, item, f"{name}[{index}].")
        return
    if (inner := _inner(kind)) is not None and isinstance(value, dict):
        yield from mistakes(inner, value, f"{name}.")
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        message, _, at = str(error).partition(" - at `$")
        yield Violation(_plain(message), name + at.rstrip("`"))


def _nested(kind: Any) -> type[Body] | None:
    """The body that a list is made of, also where the list may be left out."""
    for part in _alternatives(kind):
        inner = get_args(part)[0] if get_origin(part) is list else None
        if isinstance(inner, type) and issubclass(inner, Body):
            return inner
    return None


def _inner(kind: Any) -> type[Body] | None:
    """The body that a field is, also where it may be left out."""
    for part in _alternatives(kind):
        if isinstance(part, type) and issubclass(part, Body):
            return part
    return None


def _alternatives(kind: Any) -> Iterator[Any]:
    """What a field may be, without what is said about it: of `Annotated[list[X], ...] | None` the
    list, and None."""
    if get_origin(kind) in (Annotated, Union, UnionType):
        for part in get_args(kind)[: 1 if get_origin(kind) is Annotated else None]:
            yield from _alternatives(part)
    else:
        yield kind


def _default(field: FieldInfo) -> object:
    return field.default if field.default is not NODEFAULT else field.default_factory()


def _plain(message: str) -> str:
    message = message.replace("`", "").replace("got decimal", "got float")
    return message[:1].lower() + message[1:]
