"""The documentation page: complete by itself, and its requests can be pasted."""

import json
import re
import shlex
from collections.abc import AsyncIterator
from html import unescape
from html.parser import HTMLParser
from typing import Any, Final

import httpx
import pytest
from litestar import Litestar

from app.docs.document import document
from app.docs.page import marked
from app.main import build
from app.settings import Settings
from infrastructure.secrets import new_key
from tests.http.lifespan import running

SERVER: Final = "https://billing.example.com"
VOID: Final = {"meta", "link", "wbr"}


class Page(HTMLParser):
    """What a browser would make of it, as far as it matters here."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.tags.append((tag, said))
        if tag not in VOID:
            self.open.append(tag)
        if (identity := said.get("id")) is not None:
            self.ids.append(identity)
        if (link := said.get("href")) is not None:
            self.links.append(link)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())


@pytest.fixture(scope="module")
def app() -> Litestar:
    database_url = "postgresql://nobody@localhost/none"
    return build(Settings(database_url=database_url, secret_key=new_key(), public_url=SERVER))


@pytest.fixture(scope="module")
async def response(app: Litestar) -> AsyncIterator[httpx.Response]:
    transport = httpx.ASGITransport(app=app)
    async with running(app), httpx.AsyncClient(transport=transport, base_url=SERVER) as client:
        yield await client.get("/docs")


@pytest.fixture(scope="module")
def page(response: httpx.Response) -> Page:
    return Page(response.text)


def curls(html: str) -> list[tuple[list[str], str]]:
    """The example requests as a shell would take them apart: words, and what it reads."""
    found = re.findall(r'aria-label="Example request"><code>(.*?)</code>', html, re.DOTALL)
    texts = [unescape(re.sub(r"</?i>", "", text)) for text in found]
    parts = [text.partition(" <<JSON\n") for text in texts]
    assert all(body == "" or body.endswith("\n}\nJSON") for _, _, body in parts)
    return [(shlex.split(line), body.removesuffix("JSON")) for line, _, body in parts]


def operations(app: Litestar) -> list[tuple[str, str, dict[str, Any]]]:
    paths = document(app, SERVER)["paths"]
    return [(m.upper(), path, said) for path, item in paths.items() for m, said in item.items()]


def test_everybody_may_read_it_and_it_may_run_nothing(response):
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script" not in policy


def test_it_is_well_formed_and_loads_nothing(page):
    assert page.open == []
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "iframe", "form", "object"})
    assert not any(said.get("src") or said.get("style") for _, said in page.tags)
    loaded = [said["href"] for tag, said in page.tags if tag == "link"]
    assert loaded == ["data:,"]


def test_every_link_leads_somewhere_on_the_page(page):
    assert len(page.ids) == len(set(page.ids))
    anchors = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert anchors <= set(page.ids)
    assert set(page.links) - {f"#{anchor}" for anchor in anchors} == {
        "data:,",
        "schema/openapi.json",
    }


def test_every_operation_is_on_it_with_its_errors(app, page, response):
    for _, _, said in operations(app):
        assert said["operationId"] in page.ids
        assert f'href="#{said["operationId"]}"' in response.text


def test_its_requests_can_be_pasted(app, response):
    for (words, body), (method, path, said) in zip(
        curls(response.text), operations(app), strict=True
    ):
        url = re.sub(r"{\w+}", "[^/]+", SERVER + path)
        assert words[0] == "curl"
        assert any(re.fullmatch(url, word) for word in words), path
        assert method == (words[words.index("-X") + 1] if "-X" in words else "GET")
        media_types = [*said.get("requestBody", {}).get("content", {})]
        sends_json = media_types == ["application/json"]
        assert sends_json == ("@-" in words)
        if sends_json:
            # Nothing that the shell would take for its own, but the reader's ids.
            assert not set(re.sub(r'"\$[A-Z_]+_UUID"', '""', body)) & set("$`\\")
            assert isinstance(json.loads(body), dict)


def test_a_request_of_a_key_tells_its_type(response):
    [words] = [words for words, _ in curls(response.text) if "x-api-key: $API_KEY" in words]
    assert "x-api-key-type: write" in words
    assert "x-client-id: $APP_UUID" in words


def test_prose_is_escaped():
    assert marked("`<b>` is **bold**\n\n<script>") == (
        "<p><code>&lt;b&gt;</code> is <b>bold</b></p><p>&lt;script&gt;</p>"
    )
