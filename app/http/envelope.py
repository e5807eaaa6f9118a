"""How answers look: one envelope for every success, and how values become JSON."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from domain.kernel.pages import Page

T = TypeVar("T")
Row = TypeVar("Row")

# A percentage leaves as a JSON number with its exact digits, never through a float.
ENCODER: Final = msgspec.json.Encoder(decimal_format="number")

Timestamp = Annotated[
    str, Meta(extra_json_schema={"format": "date-time", "examples": ["2026-01-01T00:00:00.000Z"]})
]


class Envelope(Struct, Generic[T], frozen=True, rename="camel"):
    """`totalItems` counts every match, `itemsLength` those in `items`."""

    kind: str
    total_items: int
    items_length: int
    items: list[T]


def one(kind: str, item: T) -> Envelope[T]:
    return Envelope(kind, 1, 1, [item])


def many(kind: str, page: Page[Row], view: Callable[[Row], T]) -> Envelope[T]:
    items = [view(row) for row in page.items]
    return Envelope(kind, page.total, len(items), items)


def stamp(at: datetime) -> Timestamp:
    """`2026-01-01T00:00:00.000Z`: UTC, milliseconds, always."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def maybe_stamp(at: datetime | None) -> Timestamp | None:
    return None if at is None else stamp(at)
