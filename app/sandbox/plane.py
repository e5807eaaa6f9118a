"""What control planes and pages work with: one universe, its courier, and the present."""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from app.sandbox.control import AnyRequest, ControlProblem
from app.sandbox.courier import Courier
from app.sandbox.record import Record
from app.sandbox.universe import Universe

R = TypeVar("R", bound=Record)
U = TypeVar("U", bound=Universe[Any, Any])


@dataclass(frozen=True, slots=True)
class Plane(Generic[U]):
    universe: U
    courier: Courier[Any]
    public_url: str | None

    @abstractmethod
    def run_due(self) -> None:
        """Everything whose moment has come."""

    def begin(self) -> datetime:
        """Let everything happen that is due, so that what follows sees the present."""
        self.run_due()
        return self.universe.clock.now()

    async def finish(self) -> None:
        """Keep what changed and send what must arrive before the answer."""
        self.run_due()
        await self.courier.carry_urgent()
        self.universe.commit()
        self.courier.moved.set()

    def base(self, request: AnyRequest) -> str:
        return self.public_url or f"{request.url.scheme}://{request.url.netloc}"

    def find(self, kind: type[R], id: str) -> R:
        found: R | None = self.universe.find(kind, id)
        if found is None:
            raise ControlProblem(404, f"There is no {kind.__name__.lower()} {id} in any world.")
        return found
