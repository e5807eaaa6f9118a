"""One authenticated call to the API, and its answer, as every endpoint sees them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from app.sandbox.komoju.problems import not_found
from app.sandbox.komoju.world import Universe
from app.sandbox.record import Record
from app.sandbox.universe import World

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Call:
    universe: Universe
    world: World
    at: datetime
    base: str  # scheme, host and prefix that links must carry
    ids: tuple[str, ...] = ()
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    def find(self, kind: type[R], id: str) -> R:
        """A record of this world, or the 404 that KOMOJU would answer."""
        found = self.world.shelf(kind).get(id)
        if found is None:
            raise not_found(kind.__name__.lower(), id)
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    body: dict[str, Any] | None
    status: int = 200  # of creations too; 202: made, not finished
