"""What the control plane and the pages work with, and how they read and answer JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response

from app.sandbox.mollie.courier import Courier
from app.sandbox.mollie.objects import Payment, Record
from app.sandbox.mollie.outcomes import run_due
from app.sandbox.mollie.payment_view import render_payment
from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.mollie.state import IllegalMove
from app.sandbox.mollie.world import Universe, masked

Json = dict[str, Any]
AnyRequest = Request[Any, Any, Any]
R = TypeVar("R", bound=Record)
T = TypeVar("T")


class ControlProblem(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class Plane:
    universe: Universe
    courier: Courier
    public_url: str | None

    def begin(self) -> datetime:
        """Let everything happen that is due, so that what follows sees the present."""
        run_due(self.universe, self.courier.carry)
        return self.universe.clock.now()

    async def finish(self) -> None:
        """Keep what changed and send what must arrive before the answer."""
        run_due(self.universe, self.courier.carry)
        await self.courier.carry_urgent()
        self.universe.commit()
        self.courier.moved.set()

    def base(self, request: AnyRequest) -> str:
        return self.public_url or f"{request.url.scheme}://{request.url.netloc}"

    def find(self, kind: type[R], id: str) -> R:
        if (record := self.universe.find(kind, id)) is None:
            raise ControlProblem(404, f"There is no {kind.__name__.lower()} {id} in any world.")
        return record

    def payment_json(self, payment: Payment, request: AnyRequest) -> Json:
        world = self.universe.world(payment.key)
        shown = render_payment(world, payment, self.base(request))
        return {**shown, "key": masked(payment.key)}


async def read(request: AnyRequest, shape: type[T]) -> T:
    """The body, strictly: a misspelt field is an error, not a wish that is ignored."""
    raw = await request.body() or b"{}"
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise ControlProblem(422, str(problem)) from None


def answer(body: Json, status: int = 200) -> Response[bytes]:
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def problem_answer(_: AnyRequest, problem: Exception) -> Response[bytes]:
    status = 409 if isinstance(problem, IllegalMove) else 422
    if isinstance(problem, ControlProblem | ApiProblem):
        status = problem.status
    return answer({"error": str(problem)}, status)
