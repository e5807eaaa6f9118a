"""A small JSON Schema validator: what the document uses of 2020-12, and nothing more.

A keyword that it does not know is a mistake of the schema, so nothing passes unchecked.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

Schema = Mapping[str, Any]

_TALK: Final = {"type", "title", "description", "examples", "default"}
_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_FORMATS: Final = {
    "uuid": UUID,
    "date-time": datetime.fromisoformat,
    "date": date.fromisoformat,
}


class Validator:
    def __init__(self, components: Mapping[str, Schema]) -> None:
        self._components = components

    def mistakes(self, value: Any, schema: Schema, at: str = "$") -> Iterator[str]:
        wrong_type = list(self._type(value, schema["type"], at)) if "type" in schema else []
        if wrong_type:
            yield from wrong_type
            return
        for keyword, said in schema.items():
            if keyword not in _TALK:
                yield from getattr(self, "_" + keyword.lstrip("$"))(value, said, schema, at)

    def _ref(self, value: Any, said: str, _: Schema, at: str) -> Iterator[str]:
        yield from self.mistakes(value, self._components[said.rpartition("/")[2]], at)

    def _type(self, value: Any, said: str, at: str) -> Iterator[str]:
        is_bool = isinstance(value, bool)
        if not isinstance(value, _TYPES[said]) or (is_bool and said != "boolean"):
            yield f"{at}: {value!r} is not of type {said}"

    def _enum(self, value: Any, said: list[Any], _: Schema, at: str) -> Iterator[str]:
        if value not in said:
            yield f"{at}: {value!r} is not one of {said}"

    def _anyOf(self, value: Any, said: list[Schema], _: Schema, at: str) -> Iterator[str]:
        found = [list(self.mistakes(value, inner, at)) for inner in said]
        if all(found):
            yield from found[0]

    def _properties(self, value: Any, said: Schema, schema: Schema, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            return
        for name, inner in said.items():
            if name in value:
                yield from self.mistakes(value[name], inner, f"{at}.{name}")

    def _maxItems(self, value: Any, said: int, _: Schema, at: str) -> Iterator[str]:
        if isinstance(value, list) and len(value) > said:
            yield f"{at}: has more than {said} items"

    def _minItems(self, value: Any, said: int, _: Schema, at: str) -> Iterator[str]:
        if isinstance(value, list) and len(value) < said:
            yield f"{at}: has less than {said} items"

    def _required(self, value: Any, said: list[str], _: Schema, at: str) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (f"{at}: {name} is missing" for name in said if name not in value)

    def _additionalProperties(
        self, value: Any, said: Any, schema: Schema, at: str
    ) -> Iterator[str]:
        for name in value.keys() - schema.get("properties", {}).keys():
            if said is False:
                yield f"{at}: {name} is too many"
            elif isinstance(said, dict):
                yield from self.mistakes(value[name], said, f"{at}.{name}")

    def _items(self, value: Any, said: Schema, _: Schema, at: str) -> Iterator[str]:
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.mistakes(item, said, f"{at}[{index}]")

    def _minimum(self, value: Any, said: int, _: Schema, at: str) -> Iterator[str]:
        if value < said:
            yield f"{at}: {value} is less than {said}"

    def _maximum(self, value: Any, said: int, _: Schema, at: str) -> Iterator[str]:
        if value > said:
            yield f"{at}: {value} is more than {said}"

    def _minLength(self, value: Any, said: int, _: Schema, at: str) -> Iterator[str]:
        if len(value) < said:
            yield f"{at}: {value!r} is too short"

    def _maxLength(self, value: Any, said: int, _: Schema, at: str) -> Iterator[str]:
        if len(value) > said:
            yield f"{at}: {value!r} is too long"

    def _maxProperties(self, value: Any, said: int, _: Schema, at: str) -> Iterator[str]:
        yield from self._maxLength(value, said, _, at)

    def _pattern(self, value: Any, said: str, _: Schema, at: str) -> Iterator[str]:
        if not re.search(said, value):
            yield f"{at}: {value!r} does not match {said}"

    def _format(self, value: Any, said: str, _: Schema, at: str) -> Iterator[str]:
        try:
            _FORMATS[said](value)
        except ValueError:
            yield f"{at}: {value!r} is not a {said}"
