"""The document as a page: server-rendered, without script, and complete by itself."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from app.docs.components import REF, Schema
from app.docs.curl import curl
from app.docs.fields import Row, body_rows, object_rows, row


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    description: str
    headers: tuple[str, ...]
    examples: tuple[tuple[str, str], ...]
    """Each with its name; the name is empty when there is only one."""
    item: str | None
    """The object in the envelope, or the object itself."""


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: str
    callers: tuple[str, ...]
    parameters: tuple[Row, ...]
    body_description: str
    body: tuple[Row, ...]
    curl: str
    bodies: tuple[tuple[str, str], ...]
    """More examples of the body, each with its name."""
    answers: tuple[Answer, ...]

    @property
    def success(self) -> Answer:
        return self.answers[0]

    @property
    def errors(self) -> tuple[Answer, ...]:
        return self.answers[1:]


@dataclass(frozen=True, slots=True)
class Chapter:
    name: str
    anchor: str
    description: str
    operations: tuple[Operation, ...]


def docs_page(document: Schema) -> str:
    components = document["components"]["schemas"]
    return _TEMPLATES.get_template("docs.html").render(
        info=document["info"],
        server_url=document["servers"][0]["url"],
        chapters=list(_chapters(document)),
        schemes=document["components"]["securitySchemes"],
        objects=[
            (name, schema.get("description", ""), list(object_rows(schema, components)))
            for name, schema in components.items()
            if "properties" in schema and not name.endswith("Body") and "Envelope" not in name
        ],
    )


def _chapters(document: Schema) -> Iterator[Chapter]:
    reader = Reader(document)
    for tag in document["tags"]:
        name = tag["name"]
        operations = tuple(
            reader.operation(path, method, said)
            for path, item in document["paths"].items()
            for method, said in item.items()
            if name in said["tags"]
        )
        yield Chapter(name, _anchor(name), tag["description"], operations)


class Reader:
    """Reads operations out of the document."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        self._schemas = document["components"]["schemas"]
        self._server_url = document["servers"][0]["url"]

    def operation(self, path: str, method: str, said: Schema) -> Operation:
        body = said.get("requestBody", {})
        content = next(iter(body.get("content", {}).values()), None)
        schema = {} if content is None else content["schema"]
        return Operation(
            id=said["operationId"],
            method=method.upper(),
            path=path,
            summary=said["summary"],
            description=said["description"],
            callers=tuple(_callers(method, said["security"])),
            parameters=tuple(map(self._parameter, said["parameters"])),
            body_description=body.get("description") or self._description(schema),
            body=tuple(body_rows(schema, self._schemas)),
            curl=curl(method.upper(), self._server_url, path, said),
            bodies=() if content is None else _examples(content)[1:],
            answers=tuple(self._answer(*answer) for answer in said["responses"].items()),
        )

    def _parameter(self, said: Schema) -> Row:
        if "$ref" in said:
            said = self._document["components"]["parameters"][said["$ref"].rpartition("/")[2]]
        schema = {**said["schema"], "description": said["description"]}
        more = {"is_required": said["required"], "place": said["in"]}
        return row(said["name"], schema, self._schemas, **more)

    def _description(self, schema: Schema) -> str:
        name = schema.get("$ref", "").removeprefix(REF)
        return str(self._schemas[name].get("description", "")) if name else ""

    def _answer(self, status: str, said: Schema) -> Answer:
        content = next(iter(said["content"].values()))
        headers = tuple(name for name in said["headers"] if name != "X-Request-Id")
        name = content["schema"].get("$ref", "").removeprefix(REF)
        item = name.removeprefix("Envelope_") or None
        return Answer(status, said["description"], headers, _examples(content), item)


def _examples(content: Schema) -> tuple[tuple[str, str], ...]:
    if "examples" not in content:
        return (("", _text(content["example"])),)
    return tuple((name, _text(said["value"])) for name, said in content["examples"].items())


def _callers(method: str, security: list[Any]) -> Iterator[str]:
    for scheme in security:
        if "bearer" in scheme:
            yield "a user's token (bearer)"
        else:
            yield f"an API key of type `{'read' if method == 'get' else 'write'}`"
    if not security:
        yield "everybody"


def _text(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example, indent=2)


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def marked(text: str) -> Markup:
    """Prose with `code`, **bold** and paragraphs; everything else is escaped."""
    safe = str(escape(text))
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", safe)
    safe = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", safe)
    return Markup("".join(f"<p>{part}</p>" for part in safe.split("\n\n") if part))


def inline(text: str) -> Markup:
    """The same within a line."""
    return Markup(re.sub(r"</?p>", "", marked(text)))


def coloured(code: str) -> Markup:
    """JSON with its keys set apart from its values."""
    safe = str(escape(code))
    keyed = re.sub(r"(&#34;[\w-]+&#34;)(?=:)", r"<i>\1</i>", safe)
    return Markup(keyed)


def breakable(path: str) -> Markup:
    """A path that may be broken after each of its slashes."""
    return Markup(str(escape(path)).replace("/", "/<wbr>"))


_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(
    marked=marked, inline=inline, coloured=coloured, breakable=breakable, anchor=_anchor
)
