"""Fields as people read them: one row each, with those of nested objects beneath their own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.docs.components import REF, Schema

Components = Mapping[str, Schema]

_NAMES: Final = {"date-time": "time", "date": "date", "uuid": "uuid"}


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    kind: str
    """`string or null`, `list of objects`, and so on."""
    choices: tuple[str, ...]
    bounds: str
    description: str
    is_required: bool = False
    default: str | None = None
    place: str = ""
    """Of a parameter: path, query or header."""
    shown_in: str | None = None
    """The object that has a table of its own."""


def body_rows(schema: Schema, components: Components, path: str = "") -> Iterator[Row]:
    """All fields of a body, `prices[].unitAmount` included."""
    schema = resolved(schema, components)
    for name, said in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        yield row(path + name, said, components, is_required=required)
        inner = _list_of_objects(said, components)
        if inner is not None:
            yield from body_rows(inner, components, f"{path}{name}[].")


def object_rows(schema: Schema, components: Components) -> Iterator[Row]:
    """The fields of an object that is answered; objects within have tables of their own."""
    for name, said in schema.get("properties", {}).items():
        yield row(name, said, components)


def row(name: str, said: Schema, components: Components, **more: Any) -> Row:
    value, may_be_null = _value(said)
    default = said.get("default")
    item = _value(value["items"])[0] if value.get("type") == "array" else value
    target = resolved(item, components)
    return Row(
        name=name,
        kind=_kind(value, components) + (" or null" if may_be_null else ""),
        choices=tuple(target.get("enum", ())),
        bounds=_bounds(value),
        description=said.get("description", ""),
        default=None if default in (None, {}, []) else str(default).lower(),
        shown_in=target["title"] if "title" in target and "properties" in target else None,
        **more,
    )


def resolved(schema: Schema, components: Components) -> Schema:
    return components[schema["$ref"].removeprefix(REF)] if "$ref" in schema else schema


def _value(said: Schema) -> tuple[Schema, bool]:
    """The schema of the value that is not null, and whether it may be null too."""
    if "anyOf" not in said:
        return said, False
    alternatives = [inner for inner in said["anyOf"] if inner != {"type": "null"}]
    return alternatives[0], len(alternatives) < len(said["anyOf"])


def _kind(value: Schema, components: Components) -> str:
    if value.get("type") == "array":
        return f"list of {_kind(_value(value['items'])[0], components)}s"
    if "enum" in resolved(value, components):
        return "one of"
    kind = str(resolved(value, components).get("type", "any"))
    return _NAMES.get(value.get("format", ""), kind)


def _bounds(value: Schema) -> str:
    said = []
    for low, high, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minProperties", "maxProperties", " keys"),
        ("minItems", "maxItems", " items"),
    ):
        if low in value and high in value:
            said.append(f"{value[low]} to {value[high]}{unit}")
        elif high in value:
            said.append(f"at most {value[high]}{unit}")
        elif low in value:
            said.append(f"at least {value[low]}{unit}")
    if "pattern" in value:
        said.append(f"matches {value['pattern']}")
    return ", ".join(said)


def _list_of_objects(said: Schema, components: Components) -> Schema | None:
    value, _ = _value(said)
    if value.get("type") != "array":
        return None
    inner = resolved(value["items"], components)
    return inner if "properties" in inner else None
