"""The endpoints of subscriptions. How one lives between calls is in `subscription_life`."""

from collections.abc import Reversible
from datetime import date
from typing import Any, Final

from msgspec.structs import replace

from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.customers import customer_of
from app.sandbox.mollie.hal import PAGING, documentation, link, listing
from app.sandbox.mollie.intervals import nth_date, parse
from app.sandbox.mollie.objects import Mandate, Payment, Subscription
from app.sandbox.mollie.payment_input import check_limits
from app.sandbox.mollie.problems import ApiProblem, refused
from app.sandbox.mollie.routing import application_fee
from app.sandbox.mollie.subscription_life import charge_moment, end, mandate_for
from app.sandbox.mollie.validation import (
    amount,
    iso_date,
    known_only,
    metadata,
    required_amount,
    required_text,
    text,
    webhook_url,
    whole_number,
)
from app.sandbox.mollie.world import World
from app.sandbox.words import words

_CREATE: Final = words(
    "amount interval description times startDate method mandateId webhookUrl metadata "
    "applicationFee"
)
_UPDATE: Final = _CREATE - {"method", "applicationFee"}
_METHODS: Final = ("creditcard", "directdebit", "paypal")
_RUNNING: Final = ("pending", "active", "suspended")


def render(world: World, subscription: Subscription, base: str) -> dict[str, Any]:
    customer = f"customers/{subscription.customer_id}"
    path = f"{customer}/subscriptions/{subscription.id}"
    times = subscription.times
    body: dict[str, Any] = {
        "resource": "subscription",
        "id": subscription.id,
        "mode": world.mode,
        "createdAt": stamp(subscription.created_at),
        "status": subscription.status,
        "amount": subscription.amount.json(),
        "times": times,
        "timesRemaining": None if times is None else times - subscription.charges,
        "interval": subscription.interval,
        "startDate": subscription.start_date.isoformat(),
        "description": subscription.description,
        "method": subscription.method,
        "mandateId": subscription.mandate_id,
        "webhookUrl": subscription.webhook_url,
        "metadata": subscription.metadata,
        "customerId": subscription.customer_id,
    }
    if subscription.next_date is not None:
        body["nextPaymentDate"] = subscription.next_date.isoformat()
    if subscription.canceled_at is not None:
        body["canceledAt"] = stamp(subscription.canceled_at)
    body.update(subscription.echoed)
    links = {"self": link(base, path), "customer": link(base, customer)}
    links["profile"] = link(base, f"profiles/{subscription.profile_id or world.profile_id}")
    if world.of(Payment, subscription.id):
        links["payments"] = link(base, f"{path}/payments")
    if (mandate := mandate_for(world, subscription)) is not None:
        links["mandate"] = link(base, f"{customer}/mandates/{mandate.id}")
    links["documentation"] = documentation("get-subscription")
    return {**body, "_links": links}


def create_subscription(call: Call) -> Answer:
    known_only(call, body=_CREATE)
    customer = customer_of(call)
    total = required_amount(call.body, "subscriptions")
    method, mandate_id = _payer(call, customer.id)
    check_limits(total, (method,) if method else (), "recurring")
    starts = _start_date(call) or call.at.date()
    fee = application_fee(call, total)
    subscription = Subscription(
        id=call.universe.new_id("sub", 10),
        key=call.world.key,
        created_at=call.at,
        customer_id=customer.id,
        amount=total,
        interval=_interval(call.body),
        description=_unused_description(call, customer.id),
        status="active",
        start_date=starts,
        anchor=starts,
        times=_times(call.body, 1),
        method=method,
        mandate_id=mandate_id,
        webhook_url=webhook_url(call),
        metadata=metadata(call.body),
        echoed={"applicationFee": fee} if fee is not None else {},
        profile_id=call.profile_id,
        next_date=starts,
        charge_due=charge_moment(starts, call.at),
    )
    mandate = mandate_for(call.world, subscription)
    if mandate is None:
        raise refused("No suitable mandates found for customer", "customerId")
    if mandate.status == "pending":
        subscription = replace(subscription, status="pending", charge_due=None)
    call.universe.put(subscription)
    return Answer(201, render(call.world, subscription, call.base))


def _payer(call: Call, customer_id: str) -> tuple[str | None, str | None]:
    method, mandate_id = text(call.body, "method"), text(call.body, "mandateId")
    if method is not None and mandate_id is not None:
        raise refused("Either a method or a mandate can be given, not both", "mandateId")
    if method is not None and method not in _METHODS:
        raise refused("The payment method is invalid", "method")
    if mandate_id is not None:
        _check_mandate(call, customer_id, mandate_id)
    return method, mandate_id


def _check_mandate(call: Call, customer_id: str, mandate_id: str) -> None:
    mandate = call.world.shelf(Mandate).get(mandate_id)
    if mandate is None or mandate.customer_id != customer_id:
        raise refused(f"No mandate exists with token {mandate_id}.", "mandateId")
    if mandate.revoked_at is not None:
        raise ApiProblem(410, "The mandate is no longer available")
    if mandate.status == "invalid" or not mandate.chargeable:
        raise refused("No suitable mandates found for customer", "mandateId")


def _interval(body: dict[str, Any]) -> str:
    interval = required_text(body, "interval")
    if parse(interval) is None:
        raise refused("The interval is invalid", "interval")
    return interval


def _start_date(call: Call) -> date | None:
    starts = iso_date(call.body, "startDate")
    if starts is not None and starts < call.at.date():
        raise refused("The start date cannot be in the past", "startDate")
    return starts


def _times(body: dict[str, Any], at_least: int) -> int | None:
    times = whole_number(body, "times")
    if times is not None and times < at_least:
        raise refused(f"The 'times' field should be at least {at_least}", "times")
    return times


def _unused_description(call: Call, customer_id: str, besides: str | None = None) -> str:
    wanted = required_text(call.body, "description")
    for other in call.world.of(Subscription, customer_id):
        same = other.description == wanted and other.id != besides
        if same and other.status in _RUNNING:
            detail = "A subscription with the same description already exists for this customer"
            raise refused(detail, "description")
    return wanted


def _subscription(call: Call) -> Subscription:
    customer = customer_of(call)
    subscription = call.find(Subscription, call.ids[1])
    if subscription.customer_id != customer.id:
        raise ApiProblem(404, f"No subscription exists with token {subscription.id}.")
    return subscription


def get_subscription(call: Call) -> Answer:
    known_only(call)
    return Answer(200, render(call.world, _subscription(call), call.base))


def update_subscription(call: Call) -> Answer:
    known_only(call, body=_UPDATE)
    subscription = _subscription(call)
    if subscription.status not in _RUNNING:
        raise refused("The subscription has ended and cannot be updated")
    changed = _rescheduled(call, replace(subscription, **_changes(call, subscription)))
    call.universe.put(changed)
    return Answer(200, render(call.world, changed, call.base))


def _changes(call: Call, subscription: Subscription) -> dict[str, Any]:
    body, found = call.body, dict[str, Any]()
    if "amount" in body:
        found["amount"] = amount(body["amount"])
        check_limits(found["amount"], (), "recurring")
    if "description" in body:
        customer_id = subscription.customer_id
        found["description"] = _unused_description(call, customer_id, subscription.id)
    if "times" in body:
        found["times"] = _times(body, max(1, subscription.charges))
    if "metadata" in body:
        found["metadata"] = metadata(body)
    if "webhookUrl" in body:
        found["webhook_url"] = webhook_url(call)
    if "mandateId" in body:
        mandate_id = required_text(body, "mandateId")
        _check_mandate(call, subscription.customer_id, mandate_id)
        found.update(mandate_id=mandate_id, method=None)
    return found


def _rescheduled(call: Call, subscription: Subscription) -> Subscription:
    """A new interval counts from the last charge; a new start is possible before the first."""
    if (starts := _start_date(call)) is not None:
        if subscription.charges:
            raise refused("The start date cannot be changed after the first charge", "startDate")
        subscription = replace(subscription, start_date=starts, anchor=starts, next_date=starts)
    if "interval" in call.body:
        interval = _interval(call.body)
        since = subscription.charges_since_anchor
        last = nth_date(subscription.anchor, subscription.interval, max(0, since - 1))
        subscription = replace(subscription, interval=interval, anchor=last)
        if since:
            following = nth_date(last, interval, 1)
            subscription = replace(subscription, charges_since_anchor=1, next_date=following)
    if subscription.status != "active" or subscription.next_date is None:
        return subscription
    return replace(subscription, charge_due=charge_moment(subscription.next_date, call.at))


def cancel_subscription(call: Call) -> Answer:
    known_only(call)
    subscription = _subscription(call)
    if subscription.status not in _RUNNING:
        raise refused("The subscription has already ended")
    ended = end(call.universe, subscription, call.at)
    return Answer(200, render(call.world, ended, call.base))


def list_subscriptions(call: Call) -> Answer:
    known_only(call, query=PAGING)
    found: Reversible[Subscription] = (
        call.world.of(Subscription, customer_of(call).id)
        if call.ids
        else call.world.shelf(Subscription).values()
    )
    if (profile := call.profile_id) is not None:
        found = [one for one in found if one.profile_id == profile]
    body = listing(
        call,
        "subscriptions",
        found,
        lambda subscription: render(call.world, subscription, call.base),
        "list-subscriptions",
    )
    return Answer(200, body)
