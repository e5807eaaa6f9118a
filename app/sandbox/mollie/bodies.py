"""Request bodies as Mollie's endpoints read them."""

from typing import Any, Final

from app.sandbox import bodies
from app.sandbox.bodies import BYTES_MAX, FORM, Unreadable
from app.sandbox.mollie.problems import ApiProblem

__all__ = ["BYTES_MAX", "FORM", "parse_body"]

_NUMBERS: Final = frozenset({"quantity", "times"})


def parse_body(raw: bytes, content_type: str) -> dict[str, Any]:
    try:
        return bodies.parse_body(raw, content_type, _NUMBERS)
    except Unreadable as problem:
        raise ApiProblem(problem.status, str(problem)) from None
