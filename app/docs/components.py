"""The document's schemas, from the very types that requests are decoded into.

msgspec writes them: bounds, patterns and unknown fields are those that it enforces itself. Here
they get readable names, and a description for every field.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from app.docs.examples import example_of
from app.docs.words import FIELDS, OWN_FIELDS

REF: Final = "#/components/schemas/"

Schema = dict[str, Any]


class Schemas:
    """All types that the application speaks of, as components."""

    def __init__(self, types: Iterable[Any]) -> None:
        distinct = list(dict.fromkeys(types))
        told, raw = msgspec.json.schema_components(distinct, ref_template=REF + "{name}")
        self._told: dict[Any, Schema] = {
            kind: _renamed(schema) for kind, schema in zip(distinct, told, strict=True)
        }
        self.components: dict[str, Schema] = {
            readable(name): _described(readable(name), _renamed(schema))
            for name, schema in sorted(raw.items(), key=lambda item: readable(item[0]))
        }
        for name, schema in self.components.items():
            schema["examples"] = [example_of(name, self.components)]

    def of(self, kind: Any) -> Schema:
        return self._told[kind]


def readable(name: str) -> str:
    """`ProductView` is a Product, and `Envelope_ProductView_` an Envelope_Product."""
    generic, _, inner = name.rstrip("_").partition("_")
    if not inner:
        return name.removesuffix("View")
    return f"{generic}_{inner.rpartition('.')[2].removesuffix('View')}"


def _renamed(node: Any) -> Any:
    if isinstance(node, Mapping):
        said = {
            key: REF + readable(value.removeprefix(REF)) if key == "$ref" else _renamed(value)
            for key, value in node.items()
        }
        # Decimals come and go as numbers here, whatever they usually are.
        if said.get("format") == "decimal":
            said["type"] = "number"
            del said["format"]
        return said
    return [_renamed(value) for value in node] if isinstance(node, list) else node


def _described(name: str, schema: Schema) -> Schema:
    schema["title"] = name
    if "enum" in schema:
        schema["type"] = "string"
    for field, said in schema.get("properties", {}).items():
        for inner in said.get("anyOf", ()):
            # What is said of a value that may be null is said of the field.
            for key in ("description", "examples"):
                if key in inner:
                    said.setdefault(key, inner.pop(key))
        own = OWN_FIELDS.get(name, {})
        text = said.get("description") or own.get(field) or FIELDS.get(field)
        if text is not None:
            said["description"] = text[:1].upper() + text[1:]
    return schema
