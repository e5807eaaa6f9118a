"""Ids that are the same in every run: UUIDv7 in shape, sorted by birth."""

from typing import Final
from uuid import UUID

_FIRST_MS: Final = 1_774_008_000_000  # 2026-03-20, noon
_VERSION_7: Final = 7 << 76
_VARIANT: Final = 2 << 62


class FakeIds:
    """`series` keeps two of them apart."""

    def __init__(self, series: int = 0) -> None:
        self._series, self._made = series, 0

    def new(self) -> UUID:
        self._made += 1
        born_ms = _FIRST_MS + self._made
        return UUID(int=born_ms << 80 | _VERSION_7 | _VARIANT | self._series << 32 | self._made)

    def secret(self) -> str:
        self._made += 1
        return f"secret-{self._series}-{self._made:024}"
