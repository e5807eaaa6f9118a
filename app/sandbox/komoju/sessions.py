"""Sessions: created, shown, cancelled. KOMOJU documents no list of them."""

from msgspec.structs import replace

from app.sandbox.komoju.calls import Answer, Call
from app.sandbox.komoju.objects import Customer, Session
from app.sandbox.komoju.problems import refused
from app.sandbox.komoju.session_input import read_session
from app.sandbox.komoju.validation import known_only
from app.sandbox.komoju.view import render_session


def create_session(call: Call) -> Answer:
    known_only(call.query, frozenset())
    session = read_session(call)
    if "customer" in session.mode and session.customer_id is None:
        # It has an id from the first, and nothing to charge until the shopper is done. Nobody is
        # told of it: a session that is abandoned causes no webhook.
        customer = Customer(
            id=call.universe.new_id(),
            key=call.world.key,
            created_at=call.at,
            email=session.email,
            metadata=session.metadata,
        )
        call.universe.put(customer)
        session = replace(session, customer_id=customer.id)
    call.universe.put(session)
    return _shown(call, session)


def get_session(call: Call) -> Answer:
    known_only(call.query, frozenset())
    return _shown(call, call.find(Session, call.ids[0]))


def cancel_session(call: Call) -> Answer:
    """When it answers 422 is not documented: here whenever there is nothing left to cancel.

    A payment that had begun lives on: callers are seen to cancel that by itself.
    """
    known_only(call.body, frozenset())
    session = call.find(Session, call.ids[0])
    if session.status != "pending" or session.is_expired(call.at):
        state = "expired" if session.status == "pending" else session.status
        raise refused(f"The session is {state} and cannot be cancelled")
    session = replace(session, status="cancelled", cancelled_at=call.at)
    call.universe.put(session)
    return _shown(call, session)


def _shown(call: Call, session: Session) -> Answer:
    return Answer(render_session(call.universe, session, call.base, call.at))
