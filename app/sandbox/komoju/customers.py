"""Customers: whom a session has saved. Made by sessions only: cards are not typed in here."""

from msgspec.structs import replace

from app.sandbox.komoju.calls import Answer, Call
from app.sandbox.komoju.listing import PAGING, listing
from app.sandbox.komoju.notify import tell_customer
from app.sandbox.komoju.objects import Customer
from app.sandbox.komoju.problems import not_found
from app.sandbox.komoju.validation import known_only
from app.sandbox.komoju.view import render_customer


def _living(call: Call) -> Customer:
    customer = call.find(Customer, call.ids[0])
    if customer.deleted_at is not None:
        raise not_found("customer", customer.id)
    return customer


def list_customers(call: Call) -> Answer:
    known_only(call.query, PAGING)
    living = [c for c in call.world.shelf(Customer).values() if c.deleted_at is None]
    return listing(call, living, render_customer)


def get_customer(call: Call) -> Answer:
    known_only(call.query, frozenset())
    return Answer(render_customer(_living(call)))


def delete_customer(call: Call) -> Answer:
    """What it answers is not documented; nothing is the least that a caller can rely on."""
    known_only(call.query, frozenset())
    customer = replace(_living(call), source=None, deleted_at=call.at)
    call.universe.put(customer)
    tell_customer(call.universe, customer, "customer.deleted", call.at)
    return Answer(None, 204)
