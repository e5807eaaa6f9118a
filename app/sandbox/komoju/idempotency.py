"""X-KOMOJU-IDEMPOTENCY: one answer per name and key for 24 hours, on POST only; afterwards the
name is a new one, and a late retry acts again. While the first is being answered it is 409.
"""

import hashlib
from datetime import timedelta
from typing import Final

from app.sandbox.exchange import Incoming
from app.sandbox.komoju.problems import ApiProblem, refused
from app.sandbox.komoju.world import Universe
from app.sandbox.record import Remembered

HEADER: Final = "x-komoju-idempotency"
KEPT: Final = timedelta(hours=24)
_LENGTH_MAX: Final = 100


def name_of(incoming: Incoming) -> str | None:
    name = incoming.headers.get(HEADER)
    if incoming.method != "POST" or name is None:
        return None
    if not name.strip() or len(name) > _LENGTH_MAX or not name.isascii():
        raise ApiProblem(400, f"X-KOMOJU-IDEMPOTENCY has 1 to {_LENGTH_MAX} ASCII letters")
    return name


def fingerprint(incoming: Incoming) -> str:
    parts = (incoming.method.encode(), incoming.path.encode(), incoming.body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def recall(universe: Universe, id: str, print_: str) -> Remembered | None:
    """The answer given before, if this is a repetition."""
    if id in universe.running:
        raise ApiProblem(409, "A request with this X-KOMOJU-IDEMPOTENCY is still being processed")
    found = universe.remembered.get(id)
    if found is None:
        return None
    if found.created_at + KEPT <= universe.clock.now():
        universe.forget(found)
        return None
    # What KOMOJU makes of another body is not documented; "retry must repeat key and body".
    if found.fingerprint != print_:
        raise refused("This X-KOMOJU-IDEMPOTENCY has been used for another request")
    return found


def sweep(universe: Universe) -> None:
    """Forget what is older than a day; they are remembered in order."""
    oldest_kept = universe.clock.now() - KEPT
    while universe.remembered:
        first = next(iter(universe.remembered.values()))
        if first.created_at > oldest_kept:
            return
        universe.forget(first)
