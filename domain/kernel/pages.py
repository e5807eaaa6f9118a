"""One page of a list. Pages are zero-based; `total` counts every match."""

from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class PageRequest(Struct, frozen=True):
    page: int = 0
    limit: int = 10

    @property
    def offset(self) -> int:
        return self.page * self.limit


class Page(Struct, Generic[T], frozen=True):
    items: tuple[T, ...]
    total: int
