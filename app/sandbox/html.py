"""Turning templates into pages that run nothing: escaped, without script, with a strict policy."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
_SHARED: Final = _HERE / "templates"
# What a URL may contain anyway; everything else is percent-encoded before it goes in a header.
_URL_SAFE: Final = ":/?#[]@!$&'()*+,;=%-._~"

# No `form-action`: browsers hold each redirect after a form to it, and a shop may send the shopper
# on to wherever it likes.
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Pages:
    """The pages of one stand-in: its own templates, and those that all of them share."""

    def __init__(self, templates: Path, provider: str) -> None:
        self._templates = Environment(
            loader=FileSystemLoader([templates, _SHARED]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["provider"] = provider

    def __call__(
        self,
        template: str,
        *,
        status: int = 200,
        **facts: Any,
    ) -> Response[str]:
        return Response(
            self._templates.get_template(template).render(**facts),
            status_code=status,
            media_type="text/html",
            headers={
                "Content-Security-Policy": _POLICY,
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            },
        )


def see_other(url: str) -> Response[bytes]:
    return Response(
        b"",
        status_code=303,
        media_type="text/html",
        headers={"Location": quote(url, safe=_URL_SAFE), "Cache-Control": "no-store"},
    )
