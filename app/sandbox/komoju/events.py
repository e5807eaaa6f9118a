"""Events: what happened, for whoever missed the webhook."""

from app.sandbox.komoju.calls import Answer, Call
from app.sandbox.komoju.listing import PAGING, listing
from app.sandbox.komoju.objects import Event
from app.sandbox.komoju.validation import known_only
from app.sandbox.komoju.view import render_event


def list_events(call: Call) -> Answer:
    known_only(call.query, PAGING)
    return listing(call, call.world.shelf(Event).values(), render_event)


def get_event(call: Call) -> Answer:
    known_only(call.query, frozenset())
    return Answer(render_event(call.find(Event, call.ids[0])))
