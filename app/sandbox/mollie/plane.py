"""What Mollie's control plane and pages work with."""

from dataclasses import dataclass

from litestar import Response

from app.sandbox import plane
from app.sandbox.control import AnyRequest, ControlProblem, Json, answer, read
from app.sandbox.mollie.objects import Payment
from app.sandbox.mollie.outcomes import run_due
from app.sandbox.mollie.payment_view import render_payment
from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.mollie.state import IllegalMove
from app.sandbox.mollie.world import Universe, masked

__all__ = ["AnyRequest", "ControlProblem", "Json", "Plane", "answer", "problem_answer", "read"]


@dataclass(frozen=True, slots=True)
class Plane(plane.Plane[Universe]):
    def run_due(self) -> None:
        run_due(self.universe, self.courier.carry)

    def payment_json(self, payment: Payment, request: AnyRequest) -> Json:
        world = self.universe.world(payment.key)
        shown = render_payment(world, payment, self.base(request))
        return {**shown, "key": masked(payment.key)}


def problem_answer(_: AnyRequest, problem: Exception) -> Response[bytes]:
    status = 409 if isinstance(problem, IllegalMove) else 422
    if isinstance(problem, ControlProblem | ApiProblem):
        status = problem.status
    return answer({"error": str(problem)}, status)
