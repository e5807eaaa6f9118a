"""Addresses that callers give us: what counts as one."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta

URL_MAX: Final = 2048

Url = Annotated[str, Meta(min_length=1, max_length=URL_MAX)]


def url_mistake(url: str) -> str | None:
    """Why it is not an absolute http(s) address that is safe to redirect to. None: it is."""
    if not url.isascii() or any(char <= " " or char in '\\"<>^`|\x7f' for char in url):
        return "must be an ASCII URL without spaces, quotes or backslashes"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("https", "http") or not url[len(parts.scheme) :].startswith("://"):
        return "must begin with https://"
    if not host:
        return "has no host"
    if "@" in parts.netloc:
        return "must not contain a user name or password"
    return None
