"""Examples of the API's schemas, put together from the tables of example_values.py.

What is in no table is taken from the schema: its own example, its default, its first allowed value,
or its type.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.docs.example_values import BY_NAME, BY_OWNER, KINDS, LEFT_OUT, uuid_of

Json = Any
Components = Mapping[str, Any]

UNKNOWN: Final = "text"
"""Stands where nobody has thought of a better one; tests look for it."""


def example_of(name: str, components: Components) -> Json:
    """A full example of a component: every field is there."""
    schema = components[name]
    if "enum" in schema:
        return schema["enum"][0]
    known = dict(BY_OWNER.get(name, {}))
    if name.startswith("Envelope_"):
        inner = name.removeprefix("Envelope_")
        known["kind"] = KINDS.get(inner, f"{inner[:1].lower()}{inner[1:]}s")
    left_out = LEFT_OUT.get(name, frozenset())
    return {
        field: known[field] if field in known else value_of(field, said, components)
        for field, said in schema["properties"].items()
        if field not in left_out
    }


def value_of(name: str, schema: Mapping[str, Any], components: Components) -> Json:
    """An example of one field or parameter."""
    if "$ref" in schema:
        component = schema["$ref"].rsplit("/", 1)[1]
        if "enum" not in components[component] or name not in BY_NAME:
            return example_of(component, components)
    if BY_NAME.get(name) is not None or (name in BY_NAME and _may_be_null(schema)):
        return BY_NAME[name]
    if "examples" in schema:
        return schema["examples"][0]
    if "anyOf" in schema:
        return value_of(name, schema["anyOf"][0], components)
    if schema.get("type") == "array":
        return [value_of("", schema["items"], components)]
    if schema.get("default") is not None:
        return schema["default"]
    return _of_type(schema)


def _may_be_null(schema: Mapping[str, Any]) -> bool:
    return {"type": "null"} in schema.get("anyOf", ())


def _of_type(schema: Mapping[str, Any]) -> Json:
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "uuid":
        return uuid_of(0x99)
    plain = {"boolean": False, "integer": schema.get("minimum", 1), "number": 1, "object": {}}
    return plain.get(schema.get("type", ""), UNKNOWN)
