"""Fields that several requests of the catalog have, and the rules that types cannot say.

A rule yields a violation for a value that is there; None and UNSET are always fine.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from app.http.urls import URL_MAX, url_mistake
from domain.kernel.errors import Violation
from domain.kernel.money import EXPONENTS

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


def check_metadata(value: object) -> Iterator[Violation]:
    if isinstance(value, dict) and len(msgspec.json.encode(value)) > METADATA_BYTES_MAX:
        yield Violation(f"must be {METADATA_BYTES_MAX} bytes of JSON at most", "metadata")


def check_currency(value: object, field: str) -> Iterator[Violation]:
    if isinstance(value, str) and value not in EXPONENTS:
        yield Violation(f"must be one of {', '.join(sorted(EXPONENTS))}", field)
