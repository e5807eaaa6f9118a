"""Request bodies: JSON, or a form with brackets (`amount[value]=10.00`), as one dict."""

import re
from collections.abc import Set
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

BYTES_MAX: Final = 1_000_000
FORM: Final = "application/x-www-form-urlencoded"
_NAME: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART: Final = re.compile(r"\[([^\[\]]*)\]")
_JSON: Final = ("", "application/json", "application/hal+json")


class Unreadable(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def parse_body(raw: bytes, content_type: str, numbers: Set[str]) -> dict[str, Any]:
    """`numbers`: the fields of a form, which has only texts, that are whole numbers."""
    if not raw.strip():
        return {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        return _from_form(raw, numbers)
    if kind not in _JSON:
        raise Unreadable(415, f"The content type {kind} is not supported")
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable(400, "The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise Unreadable(400, "The request body should be a JSON object")
    return body


def _from_form(raw: bytes, numbers: Set[str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=1_000)
    except (UnicodeDecodeError, ValueError):
        raise Unreadable(400, "The request body is not a valid form") from None
    for name, value in pairs:
        if (match := _NAME.fullmatch(name)) is None:
            raise Unreadable(400, f'The form field "{name}" is not written as name[part]')
        path = [match[1], *_PART.findall(match[2])]
        is_number = path[-1] in numbers and value.isascii() and value.isdigit()
        _insert(body, path, int(value) if is_number else value)
    listed: dict[str, Any] = _with_lists(body)
    return listed


def _insert(into: dict[str, Any], path: list[str], value: str | int) -> None:
    for part in path[:-1]:
        into = into.setdefault(part, {})
        if not isinstance(into, dict):
            raise Unreadable(400, f'The form field "{part}" is given twice')
    into[path[-1] or str(len(into))] = value


def _with_lists(node: Any) -> Any:
    """Parts that count from 0 are a list."""
    if not isinstance(node, dict):
        return node
    filled = {name: _with_lists(value) for name, value in node.items()}
    if filled and list(filled) == [str(place) for place in range(len(filled))]:
        return list(filled.values())
    return filled
