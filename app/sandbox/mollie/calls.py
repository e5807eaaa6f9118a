"""One authenticated call to /v2, and its answer, as every endpoint sees them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from app.sandbox.mollie.connect_objects import Access
from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.mollie.world import Universe, World
from app.sandbox.record import Record

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Call:
    universe: Universe
    world: World
    at: datetime
    base: str  # scheme and host that links must carry
    path: str  # below /v2/
    ids: tuple[str, ...] = ()
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    profile_id: str | None = None  # only access tokens choose one
    access: Access | None = None  # None: an API key

    def find(self, kind: type[R], id: str) -> R:
        """A record of this world, or the 404 that Mollie would answer."""
        found = self.world.shelf(kind).get(id)
        if found is not None:
            return found
        name = kind.__name__
        owner = self.universe.owner.get(id)
        if owner is not None and owner != self.world.key and _same_account(owner, self.world.key):
            detail = (
                f"{name} {id} exists, but the wrong mode is used. "
                "Try switching live / test API keys."
            )
            raise ApiProblem(404, detail)
        raise ApiProblem(404, f"No {name.lower()} exists with token {id}.")


def _same_account(one: str, other: str) -> bool:
    return one.partition("_")[2] == other.partition("_")[2]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: dict[str, Any] | None = None
