"""Idempotency keys: one answer per key and credential, for an hour, on POST only.

The same key for something else is 400; while the first is being answered it is 409.
"""

import hashlib
from datetime import timedelta
from typing import Final

from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.mollie.world import Universe
from app.sandbox.record import Remembered

KEPT: Final = timedelta(hours=1)


def fingerprint(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()


def recall(universe: Universe, id: str, print_: str) -> Remembered | None:
    """The answer given before, if this is a repetition."""
    if (running := universe.running.get(id)) is not None:
        if running != print_:
            raise ApiProblem(400, "This Idempotency-Key has already been used.")
        detail = "Another request with this Idempotency-Key is already being processed."
        raise ApiProblem(409, detail)
    found = universe.remembered.get(id)
    if found is None:
        return None
    if found.created_at + KEPT <= universe.clock.now():
        universe.forget(found)
        return None
    if found.fingerprint != print_:
        raise ApiProblem(400, "This Idempotency-Key has already been used.")
    return found


def sweep(universe: Universe) -> None:
    """Forget what is older than an hour; they are remembered in order."""
    oldest_kept = universe.clock.now() - KEPT
    while universe.remembered:
        first = next(iter(universe.remembered.values()))
        if first.created_at > oldest_kept:
            return
        universe.forget(first)
