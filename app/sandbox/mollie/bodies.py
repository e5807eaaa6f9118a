"""Request bodies: JSON, or a form with brackets (`amount[value]=10.00`), as one dict."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from app.sandbox.mollie.problems import ApiProblem

BYTES_MAX: Final = 1_000_000
FORM: Final = "application/x-www-form-urlencoded"
_NAME: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART: Final = re.compile(r"\[([^\[\]]*)\]")
# A form has only texts; these are numbers.
_NUMBERS: Final = frozenset({"quantity", "times"})


def parse_body(raw: bytes, content_type: str) -> dict[str, Any]:
    if not raw.strip():
        return {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        return _from_form(raw)
    if kind not in ("", "application/json", "application/hal+json"):
        raise ApiProblem(415, f"The content type {kind} is not supported")
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ApiProblem(400, "The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise ApiProblem(400, "The request body should be a JSON object")
    return body


def _from_form(raw: bytes) -> dict[str, Any]:
    body: dict[str, Any] = {}
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=1_000)
    except (UnicodeDecodeError, ValueError):
        raise ApiProblem(400, "The request body is not a valid form") from None
    for name, value in pairs:
        if (match := _NAME.fullmatch(name)) is None:
            raise ApiProblem(400, f'The form field "{name}" is not written as name[part]')
        _insert(body, [match[1], *_PART.findall(match[2])], value)
    listed: dict[str, Any] = _with_lists(body)
    return listed


def _insert(into: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        into = into.setdefault(part, {})
        if not isinstance(into, dict):
            raise ApiProblem(400, f'The form field "{part}" is given twice')
    last = path[-1] or str(len(into))
    number = last in _NUMBERS and value.isascii() and value.isdigit()
    into[last] = int(value) if number else value


def _with_lists(node: Any) -> Any:
    """Parts that count from 0 are a list."""
    if not isinstance(node, dict):
        return node
    filled = {name: _with_lists(value) for name, value in node.items()}
    if filled and list(filled) == [str(place) for place in range(len(filled))]:
        return list(filled.values())
    return filled
