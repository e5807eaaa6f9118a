"""How a subscription lives by itself: charges on the clock, and what ends it. Tells nobody.

Mollie retries no failed charge and sends no notification about a subscription's status.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from msgspec.structs import replace

from app.sandbox.mollie.charges import recurring_payment
from app.sandbox.mollie.intervals import nth_date
from app.sandbox.mollie.objects import Mandate, Payment, Subscription
from app.sandbox.mollie.world import Universe, World

TEST_CHARGES_MAX: Final = 10
DEBIT_FAILURES_MAX: Final = 2
# Mollie does not say when on the day it charges: early, or an hour after a same-day start.
_CHARGED_AT: Final = time(3, tzinfo=UTC)
_SAME_DAY_DELAY: Final = timedelta(hours=1)


def charge_moment(on: date, at: datetime) -> datetime:
    """When a charge of that date happens, seen from now."""
    regular = datetime.combine(on, _CHARGED_AT)
    if regular > at:
        return regular
    end_of_day = datetime.combine(at.date(), time(23, 59, 59, tzinfo=UTC))
    return max(at, min(at + _SAME_DAY_DELAY, end_of_day))


def mandate_for(world: World, subscription: Subscription) -> Mandate | None:
    """The mandate it charges: the named one, else the newest that fits, valid before pending."""
    found = [
        mandate
        for mandate in world.of(Mandate, subscription.customer_id)
        if mandate.status != "invalid"
        and mandate.chargeable
        and subscription.mandate_id in (None, mandate.id)
        and subscription.method in (None, mandate.method)
    ]
    return max(found, key=lambda mandate: mandate.status == "valid", default=None)


def charge(universe: Universe, subscription: Subscription, at: datetime) -> None:
    """One charge that has become due, and the plan for the next."""
    world = universe.world(subscription.key)
    mandate = mandate_for(world, subscription)
    if mandate is None:
        end(universe, subscription, at)
        return
    if mandate.status != "valid":
        universe.put(replace(subscription, status="pending", charge_due=None))
        return
    universe.put(
        recurring_payment(
            universe,
            mandate,
            at,
            amount=subscription.amount,
            description=subscription.description,
            subscription_id=subscription.id,
            webhook_url=subscription.webhook_url,
            metadata=subscription.metadata,
            echoed=_passed_on(subscription),
        )
    )
    universe.put(_charged(world, subscription, at))


def _passed_on(subscription: Subscription) -> dict[str, Any]:
    said = dict(subscription.echoed)
    if subscription.profile_id is not None:
        said["profileId"] = subscription.profile_id
    return said


def _charged(world: World, subscription: Subscription, at: datetime) -> Subscription:
    charges, since = subscription.charges + 1, subscription.charges_since_anchor + 1
    counted = replace(subscription, charges=charges, charges_since_anchor=since)
    if subscription.times is not None and charges >= subscription.times:
        return replace(counted, status="completed", next_date=None, charge_due=None)
    if world.mode == "test" and charges >= TEST_CHARGES_MAX:
        return _ended(counted, at)
    following = nth_date(subscription.anchor, subscription.interval, since)
    return replace(
        counted, next_date=following, charge_due=datetime.combine(following, _CHARGED_AT)
    )


def end(universe: Universe, subscription: Subscription, at: datetime) -> Subscription:
    ended = _ended(subscription, at)
    universe.put(ended)
    return ended


def _ended(subscription: Subscription, at: datetime) -> Subscription:
    return replace(subscription, status="canceled", canceled_at=at, next_date=None, charge_due=None)


def mandate_changed(universe: Universe, mandate: Mandate, at: datetime) -> None:
    """Waiting subscriptions start with their mandate; those left without one end."""
    world = universe.world(mandate.key)
    for subscription in world.of(Subscription, mandate.customer_id):
        if subscription.status not in ("pending", "active", "suspended"):
            continue
        usable = mandate_for(world, subscription)
        if usable is None:
            end(universe, subscription, at)
        elif usable.status == "valid" and subscription.status == "pending":
            due = charge_moment(subscription.next_date or at.date(), at)
            universe.put(replace(subscription, status="active", charge_due=due))


def charge_failed(universe: Universe, payment: Payment, at: datetime) -> None:
    """Two failed direct debits end a subscription; an empty account does not count."""
    if payment.subscription_id is None or payment.method != "directdebit":
        return
    world = universe.world(payment.key)
    failures = [
        charge
        for charge in world.of(Payment, payment.subscription_id)
        if charge.status == "failed" and charge.failure_reason != "insufficient_funds"
    ]
    subscription = world.shelf(Subscription)[payment.subscription_id]
    if len(failures) >= DEBIT_FAILURES_MAX and subscription.status == "active":
        end(universe, subscription, at)
