"""Customers: who mandates and subscriptions belong to. Every field is optional."""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.hal import PAGING, documentation, link, listing, page_link
from app.sandbox.mollie.objects import Customer, Mandate, Payment, Subscription
from app.sandbox.mollie.problems import ApiProblem, refused
from app.sandbox.mollie.subscription_life import mandate_changed
from app.sandbox.mollie.validation import known_only, locale, metadata, text
from app.sandbox.mollie.world import World
from app.sandbox.record import Record

_FIELDS: Final = frozenset({"name", "email", "locale", "metadata"})


def customer_of(call: Call) -> Customer:
    """The customer that the path names."""
    return living(call, call.ids[0])


def living(call: Call, id: str) -> Customer:
    customer = call.find(Customer, id)
    if customer.deleted_at is not None:
        raise ApiProblem(410, "The customer is no longer available")
    return customer


def check_customer(call: Call, id: str) -> None:
    try:
        living(call, id)
    except ApiProblem as problem:
        # In a body an unknown customer is a bad value, not a missing resource.
        if problem.status == 404 and "wrong mode" not in problem.detail:
            raise refused(problem.detail, "customerId") from None
        raise


def render(world: World, customer: Customer, base: str) -> dict[str, Any]:
    path = f"customers/{customer.id}"
    links = {"self": link(base, path), "dashboard": page_link(f"{base}/#{customer.id}")}
    kinds: dict[str, type[Record]] = {
        "payments": Payment,
        "mandates": Mandate,
        "subscriptions": Subscription,
    }
    for name, kind in kinds.items():
        if world.children.get((kind, customer.id)):
            links[name] = link(base, f"{path}/{name}")
    links["documentation"] = documentation("get-customer")
    return {
        "resource": "customer",
        "id": customer.id,
        "mode": world.mode,
        "name": customer.name,
        "email": customer.email,
        "locale": customer.locale,
        "metadata": customer.metadata,
        "createdAt": stamp(customer.created_at),
        "_links": links,
    }


def create_customer(call: Call) -> Answer:
    known_only(call, body=_FIELDS)
    customer = Customer(
        id=call.universe.new_id("cst", 10),
        key=call.world.key,
        created_at=call.at,
        name=text(call.body, "name"),
        email=text(call.body, "email"),
        locale=locale(call.body),
        metadata=metadata(call.body),
    )
    call.universe.put(customer)
    return Answer(201, render(call.world, customer, call.base))


def get_customer(call: Call) -> Answer:
    known_only(call, query=frozenset({"include"}))
    return Answer(200, render(call.world, customer_of(call), call.base))


def update_customer(call: Call) -> Answer:
    known_only(call, body=_FIELDS)
    readers: dict[str, Callable[[], Any]] = {
        "name": lambda: text(call.body, "name"),
        "email": lambda: text(call.body, "email"),
        "locale": lambda: locale(call.body),
        "metadata": lambda: metadata(call.body),
    }
    changes = {name: read() for name, read in readers.items() if name in call.body}
    customer = replace(customer_of(call), **changes)
    call.universe.put(customer)
    return Answer(200, render(call.world, customer, call.base))


def delete_customer(call: Call) -> Answer:
    known_only(call)
    customer = customer_of(call)
    call.universe.put(replace(customer, deleted_at=call.at))
    for mandate in call.world.of(Mandate, customer.id):
        if mandate.revoked_at is None:
            ended = replace(mandate, status="invalid", valid_at=None, revoked_at=call.at)
            call.universe.put(ended)
            mandate_changed(call.universe, ended, call.at)
    return Answer(204)


def list_customers(call: Call) -> Answer:
    known_only(call, query=PAGING)
    alive = [c for c in call.world.shelf(Customer).values() if c.deleted_at is None]
    body = listing(
        call, "customers", alive, lambda c: render(call.world, c, call.base), "list-customers"
    )
    return Answer(200, body)
