"""Turning templates into pages that run nothing: escaped, without script, with a strict policy."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
_SHARED: Final = _HERE / "templates"
# What a URL may contain anyway; everything else is percent-encoded before it goes in a header.
_URL_SAFE: Final = ":/?#[]@!$&'()*+,;=%-._~"


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
        leads_to: tuple[str | None, ...] = (),
        **facts: Any,
    ) -> Response[str]:
        """`leads_to`: where a form of this page may end up after the redirect that answers it."""
        return Response(
            self._templates.get_template(template).render(**facts),
            status_code=status,
            media_type="text/html",
            headers={
                "Content-Security-Policy": _policy(leads_to),
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            },
        )


def _policy(leads_to: tuple[str | None, ...]) -> str:
    # Browsers hold a form's redirect to `form-action` too, so the shop has to be named in it.
    targets = " ".join(sorted({_source(url) for url in leads_to if url}))
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {targets}".rstrip()
    )


def _source(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme.lower() not in ("http", "https"):
        return f"{parts.scheme}:"
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else _ascii(host)
    port = f":{parts.port}" if parts.port else ""
    # A policy is a list with separators of its own; a host has none of them.
    clean = "".join(letter for letter in host if letter.isalnum() or letter in ".-_[]:")
    return f"{parts.scheme}://{clean}{port}"


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def see_other(url: str) -> Response[bytes]:
    return Response(
        b"",
        status_code=303,
        media_type="text/html",
        headers={"Location": quote(url, safe=_URL_SAFE), "Cache-Control": "no-store"},
    )
