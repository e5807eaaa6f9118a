"""One operation of the document: its parameters, its body, and every answer that it may give."""

import re
from types import NoneType
from typing import Annotated, Any, Final, get_args

from litestar.params import HeaderParameter, QueryParameter
from litestar.types.internal_types import PathParameterDefinition
from litestar.typing import FieldDefinition
from msgspec import Meta

from app.docs.components import REF, Schema, Schemas
from app.docs.endpoints import Endpoint, camel
from app.docs.example_values import EXAMPLES, RAW
from app.docs.examples import example_of, value_of
from app.docs.refusals import MEANINGS, headers_of, refusals
from app.docs.security import security_of
from app.docs.special import EXTRA_ANSWERS, KEY_NEEDED, RAW_BODIES
from app.docs.words import PATH_PARAMETERS, PATH_TYPES, SUMMARIES

HEADERS: Final[dict[str, Schema]] = {
    "X-Request-Id": {
        "description": "Names the request, in our logs too",
        "schema": {"type": "string", "examples": ["0198c5a0-5d1e-7a3b-9c52-0000000000f1"]},
    },
    "Retry-After": {
        "description": "Seconds to wait before asking again; only where that may help",
        "schema": {"type": "integer", "minimum": 0, "examples": [1]},
    },
    "Idempotent-Replayed": {
        "description": "There when this is the stored answer to an earlier request",
        "schema": {"type": "string", "enum": ["true"]},
    },
}

IDEMPOTENCY_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Yours to choose, one for each thing to be done: the same request under the "
    "same key is done once",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "example": "order-1001",
}


class Writer:
    """Writes operations down, all against one set of schemas."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def operation(self, endpoint: Endpoint) -> Schema:
        said: Schema = {
            "operationId": endpoint.operation_id,
            "summary": summary_of(endpoint.operation_id),
            "description": endpoint.description,
            "tags": endpoint.tags,
            "security": security_of(endpoint),
            "parameters": self._parameters(endpoint),
        }
        if endpoint.body is not None:
            said["requestBody"] = {"required": True, "content": self._body(endpoint.body)}
        elif endpoint.operation_id in RAW_BODIES:
            said["requestBody"] = RAW_BODIES[endpoint.operation_id]
        said["responses"] = {str(endpoint.status): self._success(endpoint), **_errors(endpoint)}
        return said

    def _parameters(self, endpoint: Endpoint) -> list[Schema]:
        found = [self._path_parameter(endpoint, part) for part in endpoint.path_parameters]
        found += [self._field(name, field) for name, field in endpoint.fields]
        if endpoint.method == "POST" and not endpoint.is_public:
            found.append(
                {**IDEMPOTENCY_KEY, "required": True}
                if endpoint.operation_id in KEY_NEEDED
                else {"$ref": "#/components/parameters/IdempotencyKey"}
            )
        return found

    def _path_parameter(self, endpoint: Endpoint, part: PathParameterDefinition) -> Schema:
        name = camel(part.name)
        schema = self._schemas.of(PATH_TYPES.get(name, part.type))
        before = str(endpoint.parts[endpoint.parts.index(part) - 1]).removesuffix("s")
        meaning = camel(before.replace("-", "_")) + "Uuid" if name == "uuid" else name
        return {
            "name": name,
            "in": "path",
            "required": True,
            "description": PATH_PARAMETERS.get(name, f"The {before.replace('-', ' ')}"),
            "schema": schema,
            "example": value_of(meaning, schema, self._schemas.components),
        }

    def _field(self, name: str, field: FieldDefinition) -> Schema:
        said = field.kwarg_definition
        assert isinstance(said, QueryParameter | HeaderParameter)
        schema = dict(self._schemas.of(typed(field)))
        if not field.is_required and field.default is not None:
            schema["default"] = field.default
        text = said.description or ""
        return {
            "name": name,
            "in": "header" if isinstance(said, HeaderParameter) else "query",
            "required": field.is_required,
            "description": text[:1].upper() + text[1:],
            "schema": schema,
            "example": value_of(name, schema, self._schemas.components),
        }

    def _body(self, kind: type[Any]) -> Schema:
        schema = self._schemas.of(kind)
        name = schema["$ref"].removeprefix(REF)
        full = example_of(name, self._schemas.components)
        changes = EXAMPLES.get(name)
        if changes is None:
            return {"application/json": {"schema": schema, "example": full}}
        named = {title: {"value": {**full, **change}} for title, change in changes.items()}
        return {"application/json": {"schema": schema, "examples": named}}

    def _success(self, endpoint: Endpoint) -> Schema:
        names = ["X-Request-Id"]
        if endpoint.method == "POST" and not endpoint.is_public:
            names.append("Idempotent-Replayed")
        media_type = endpoint.media_type
        is_json = media_type == "application/json"
        schema = self._schemas.of(endpoint.answers) if is_json else {"type": "string"}
        if endpoint.operation_id in RAW:
            example = RAW[endpoint.operation_id]
        else:
            example = example_of(schema["$ref"].removeprefix(REF), self._schemas.components)
        return {
            "description": "Created" if endpoint.status == 201 else "Done",
            "headers": _headers(names),
            "content": {media_type: {"schema": schema, "example": example}},
        }


def typed(field: FieldDefinition) -> Any:
    """A parameter's type with its bounds, in msgspec's words."""
    names = ("ge", "gt", "le", "lt", "pattern", "min_length", "max_length")
    found = {name: getattr(field.kwarg_definition, name) for name in names}
    bounds = {name: bound for name, bound in found.items() if bound is not None}
    if not bounds:
        return field.annotation
    if not field.is_optional:
        return Annotated[field.annotation, Meta(**bounds)]
    (kind,) = (kind for kind in get_args(field.annotation) if kind is not NoneType)
    return Annotated[kind, Meta(**bounds)] | None


def summary_of(operation_id: str) -> str:
    """`createTaxRate` is called Create tax rate."""
    words = re.sub("([A-Z])", lambda found: " " + found[1].lower(), operation_id)
    return SUMMARIES.get(operation_id, words[:1].upper() + words[1:])


def _errors(endpoint: Endpoint) -> Schema:
    answers: dict[str, Schema] = {}
    for refusal in refusals(endpoint):
        answer = answers.setdefault(
            str(refusal.status),
            {
                "description": MEANINGS[refusal.status],
                "headers": _headers(headers_of(refusal.status)),
                "content": {
                    "application/json": {"schema": {"$ref": f"{REF}Problems"}, "examples": {}}
                },
            },
        )
        examples = answer["content"]["application/json"]["examples"]
        examples[refusal.name] = {"value": refusal.example}
    for status, extra in EXTRA_ANSWERS.get(endpoint.operation_id, {}).items():
        answers[status] = {"headers": _headers(["X-Request-Id"]), **extra}
    return dict(sorted(answers.items()))


def _headers(names: list[str]) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
