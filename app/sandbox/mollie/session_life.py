"""What becomes of a session: attempts to pay it, until one is paid or its time is up.

Each attempt is a payment of its own, with its own webhook; of the session itself nobody is told.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from app.sandbox.mollie.objects import Payment, Session
from app.sandbox.mollie.payment_input import expiry
from app.sandbox.mollie.settling import settle
from app.sandbox.mollie.world import Universe

# From Mollie's example; how long a real one lives is not said.
OPEN_FOR: Final = timedelta(minutes=15)
# Of what the shop said, what its payments say too.
_INHERITED: Final = ("lines", "billingAddress", "shippingAddress")


class SessionEnded(Exception):
    def __init__(self, session: Session) -> None:
        super().__init__(f"Session {session.id} is {session.status}; no payment can be made in it.")


def expire(universe: Universe, session: Session, at: datetime) -> None:
    if session.status != "open":
        raise SessionEnded(session)
    universe.put(replace(session, status="expired", ended_at=at))


def attempt(
    universe: Universe,
    session: Session,
    status: str,
    at: datetime,
    **choice: str | None,
) -> Payment:
    """One try to pay: `method` and, if it fails, `reason`. Only a paid one ends the session."""
    if session.status != "open":
        raise SessionEnded(session)
    payment = _new_payment(universe, session, choice.get("method"), at)
    payment = settle(universe, payment, status, at, choice.get("reason"))
    if status == "paid":
        universe.put(replace(session, status="completed", ended_at=at))
    return payment


def _new_payment(universe: Universe, session: Session, method: str | None, at: datetime) -> Payment:
    id, chosen = universe.new_id("tr"), () if method is None else (method,)
    expires_at, expiry_due = expiry(id, chosen, at)
    echoed: dict[str, Any] = {
        name: session.echoed[name] for name in _INHERITED if name in session.echoed
    }
    return Payment(
        id=id,
        token=universe.new_id("3", 30),
        key=session.key,
        created_at=at,
        amount=session.amount,
        description=session.description,
        status="open",
        sequence_type=session.sequence_type,
        methods=chosen,
        method=method,
        customer_id=session.customer_id,
        redirect_url=session.redirect_url,
        webhook_url=session.webhook_url,
        metadata=session.metadata,
        echoed={**echoed, "profileId": session.profile_id},
        expires_at=expires_at,
        expiry_due=expiry_due,
        session_id=session.id,
    )
