"""A request as a line for the shell. What is the reader's own stands there as a variable."""

import json
import re
import shlex
from typing import Any, Final

from app.docs.components import Schema

BEARER: Final = "Authorization: Bearer $TOKEN"
KEY: Final = ("x-api-key: $API_KEY", "x-client-id: $APP_UUID")


def curl(method: str, server_url: str, path: str, operation: Schema) -> str:
    url = server_url + re.sub(r"\{(\w+)\}", lambda found: _filled(found[1], path, operation), path)
    lines = [f'curl "{url}"' if method == "GET" else f'curl -X {method} "{url}"']
    lines += [f'-H "{header}"' for header in _credential(method, operation["security"])]
    lines += [f'-H "{header}"' for header in _headers(operation)]
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        media_type, said = next(iter(content.items()))
        lines += _body(media_type, example_in(said))
    return " \\\n  ".join(lines)


def _filled(name: str, path: str, operation: Schema) -> str:
    """A word out of a few stands as it is; an id is the reader's own."""
    [said] = [said for said in operation["parameters"] if said.get("name") == name]
    is_id = said["schema"].get("format") == "uuid"
    return "$" + variable(name, path) if is_id else str(said["example"])


def variable(parameter: str, path: str) -> str:
    """`appUuid` is $APP_UUID; a plain `uuid` is called after the path before it."""
    if parameter == "uuid":
        before = path.partition("/{uuid}")[0].rpartition("/")[2].removesuffix("s")
        name = before.replace("-", "_").upper() + "_UUID"
        return "PRODUCT_" + name if name == "PRICE_UUID" else name  # as bodies call it
    return _shouted(parameter)


def example_in(said: Schema) -> Any:
    """The first example of a body or an answer."""
    if "examples" in said:
        return next(iter(said["examples"].values()))["value"]
    return said["example"]


def _credential(method: str, security: list[Any]) -> list[str]:
    if not security:
        return []
    if "bearer" in security[0]:
        return [BEARER]
    return [*KEY, f"x-api-key-type: {'read' if method == 'GET' else 'write'}"]


def _headers(operation: Schema) -> list[str]:
    takes_key = any("IdempotencyKey" in said.get("$ref", "") for said in operation["parameters"])
    return ["Idempotency-Key: $(date +%s)"] if takes_key else []


def _body(media_type: str, example: Any) -> list[str]:
    if media_type != "application/json":
        return [f"-d {shlex.quote(f'{name}={value}')}" for name, value in example.items()]
    # A here-document keeps the JSON readable, and lets the shell fill in the reader's own ids.
    text = json.dumps(_with_own_ids(example), indent=2, ensure_ascii=False)
    return ['-H "Content-Type: application/json"', f"-d @- <<JSON\n{text}\nJSON"]


def _with_own_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_own_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: f"${_shouted(name)}"
        if name.endswith("Uuid") and isinstance(inner, str)
        else _with_own_ids(inner)
        for name, inner in value.items()
    }


def _shouted(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).upper()
