"""What KOMOJU's control plane and pages work with."""

from dataclasses import dataclass

from litestar import Response

from app.sandbox import plane
from app.sandbox.control import AnyRequest, ControlProblem, Json, answer
from app.sandbox.komoju.api import MOUNT
from app.sandbox.komoju.life import IllegalMove, run_due
from app.sandbox.komoju.objects import Payment, Session
from app.sandbox.komoju.problems import ApiProblem
from app.sandbox.komoju.view import render_payment, render_session
from app.sandbox.komoju.world import Universe, masked


@dataclass(frozen=True, slots=True)
class Plane(plane.Plane[Universe]):
    def run_due(self) -> None:
        run_due(self.universe, self.courier.carry)

    def home(self, request: AnyRequest) -> str:
        return self.base(request) + MOUNT

    def payment_json(self, payment: Payment) -> Json:
        shown = render_payment(self.universe.world(payment.key), payment)
        return {**shown, "key": masked(payment.key)}

    def session_json(self, session: Session, request: AnyRequest) -> Json:
        now = self.universe.clock.now()
        shown = render_session(self.universe, session, self.home(request), now)
        return {**shown, "key": masked(session.key)}


def problem_answer(_: AnyRequest, problem: Exception) -> Response[bytes]:
    status = 409 if isinstance(problem, IllegalMove) else 422
    if isinstance(problem, ControlProblem | ApiProblem):
        status = problem.status
    return answer({"error": str(problem)}, status)
