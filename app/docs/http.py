"""The documentation: a page for people, and the OpenAPI document for programs.

Both are written once, when the application starts, and only handed out afterwards.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar import Controller, Litestar, Response, get
from litestar.datastructures import State

from app.docs.document import document
from app.docs.page import docs_page
from app.http.caller import public

PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Published:
    openapi: bytes
    page: str


class DocsController(Controller):
    tags = ("Documentation",)
    guards = [public]

    @get("/schema/openapi.json", operation_id="readOpenapi", sync_to_thread=False)
    def openapi(self, state: State) -> Response[dict[str, Any]]:
        """This API as an OpenAPI 3.1 document: for generating clients, and for tools."""
        return _answer(state.published.openapi, "application/json")

    @get("/docs", operation_id="readDocs", media_type="text/html", sync_to_thread=False)
    def docs(self, state: State) -> Response[str]:
        """This documentation as a page. Needs no script and nothing from elsewhere."""
        response: Response[str] = _answer(state.published.page, "text/html")
        response.headers.update(PAGE_HEADERS)
        return response


def publisher(server_url: str) -> Any:
    """What the application runs at its start. `server_url` goes into examples."""

    def publish(app: Litestar) -> None:
        said = document(app, server_url)
        app.state.published = Published(msgspec.json.encode(said), docs_page(said))

    return publish


def _answer(content: Any, media_type: str) -> Response[Any]:
    return Response(content, media_type=media_type)
