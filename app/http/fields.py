"""Fields that several requests have, and the rules that types cannot say.

A rule yields a violation for a value that is there; None and UNSET are always fine.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from domain.kernel.errors import Violation
from domain.kernel.money import EXPONENTS

AMOUNT_MAX: Final = 99_999_999_99
"""Minor units, as large as a unit price may be."""
URL_MAX: Final = 2048
METADATA_KEYS_MAX: Final = 50
METADATA_BYTES_MAX: Final = 1024

ExternalId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="Your own id for it, or a provider's. Returned as given",
        examples=["ext_12345"],
    ),
]
Url = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=URL_MAX,
        description="An absolute http or https address",
        examples=["https://example.com/products/pro-plan"],
    ),
]
CurrencyCode = Annotated[
    str,
    Meta(pattern="^[A-Z]{3}$", description="ISO 4217, upper case", examples=["EUR"]),
]
Metadata = Annotated[
    dict[str, Any],
    Meta(
        max_length=METADATA_KEYS_MAX,
        description="Anything you want to find again: 50 keys and 1 kB of JSON at most",
        examples=[{"team": "growth"}],
    ),
]


def check_url(value: object, field: str) -> Iterator[Violation]:
    if isinstance(value, str) and (mistake := url_mistake(value)):
        yield Violation(mistake, field)


def check_line(value: object, field: str) -> Iterator[Violation]:
    """Names reach invoices, mails and providers, where a line break begins a line of its own."""
    if isinstance(value, str) and (not value.strip() or re.search(r"[\x00-\x1f\x7f]", value)):
        yield Violation("must have a visible character, and no control characters", field)


def check_metadata(value: object) -> Iterator[Violation]:
    if isinstance(value, dict) and len(msgspec.json.encode(value)) > METADATA_BYTES_MAX:
        yield Violation(f"must be {METADATA_BYTES_MAX} bytes of JSON at most", "metadata")


def check_currency(value: object, field: str) -> Iterator[Violation]:
    if isinstance(value, str) and value not in EXPONENTS:
        yield Violation(f"must be one of {', '.join(sorted(EXPONENTS))}", field)


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
