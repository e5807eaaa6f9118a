"""Subscriptions as they are shown."""

from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from app.http.envelope import Timestamp, maybe_stamp, stamp
from domain.subscriptions.bill import PlanChange
from domain.subscriptions.policy import BillingPolicy
from domain.subscriptions.subscription import Subscription, access_until


class ScheduledChangeView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the next period will be."""

    product_price_uuid: UUID
    tax_rate_uuid: UUID | None
    quantity: int


def scheduled_change_view(change: PlanChange) -> ScheduledChangeView:
    return ScheduledChangeView(
        product_price_uuid=change.price_uuid,
        tax_rate_uuid=change.tax_rate_uuid,
        quantity=change.quantity,
    )


class SubscriptionView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The current period begins at `currentPeriodStart` and ends before `currentPeriodEnd`."""

    uuid: UUID
    app_uuid: UUID
    tenant_uuid: UUID
    user_uuid: UUID | None
    payment_provider_uuid: UUID
    checkout_session_uuid: UUID | None
    product_uuid: UUID
    product_price_uuid: UUID
    tax_rate_uuid: UUID | None
    quantity: int
    status: str
    access_until: Timestamp | None
    """Serve the tenant while this lies ahead. Null: do not."""
    paid_through: Timestamp | None
    trial_ends_at: Timestamp | None
    cancel_at: Timestamp | None
    cancel_reason: str | None
    canceled_at: Timestamp | None
    paused_at: Timestamp | None
    pause_reason: str | None
    resumes_at: Timestamp | None
    scheduled_change: ScheduledChangeView | None
    payment_method_uuid: UUID | None
    """What it is charged on; null: the tenant's default."""
    test_clock_uuid: UUID | None
    version: int
    currency: str
    amount_subtotal: int
    amount_tax: int
    amount_total: int
    current_period_number: int
    current_period_start: Timestamp
    current_period_end: Timestamp
    payment_uuid: UUID | None
    created_at: Timestamp
    updated_at: Timestamp


def subscription_view(subscription: Subscription, policy: BillingPolicy) -> SubscriptionView:
    period, change = subscription.current_period, subscription.scheduled_change
    grace = timedelta(days=policy.grace_days)
    return SubscriptionView(
        uuid=subscription.uuid,
        app_uuid=subscription.app_uuid,
        tenant_uuid=subscription.tenant_uuid,
        user_uuid=subscription.user_uuid,
        payment_provider_uuid=subscription.payment_provider_uuid,
        checkout_session_uuid=subscription.checkout_session_uuid,
        product_uuid=subscription.product_uuid,
        product_price_uuid=subscription.price_uuid,
        tax_rate_uuid=subscription.tax_rate_uuid,
        quantity=subscription.quantity,
        status=subscription.status,
        access_until=maybe_stamp(access_until(subscription, grace)),
        paid_through=maybe_stamp(subscription.paid_through),
        trial_ends_at=maybe_stamp(subscription.trial_ends_at),
        cancel_at=maybe_stamp(subscription.cancel_at),
        cancel_reason=subscription.cancel_reason,
        canceled_at=maybe_stamp(subscription.canceled_at),
        paused_at=maybe_stamp(subscription.paused_at),
        pause_reason=subscription.pause_reason,
        resumes_at=maybe_stamp(subscription.resumes_at),
        scheduled_change=None if change is None else scheduled_change_view(change),
        payment_method_uuid=subscription.mandate_uuid,
        test_clock_uuid=subscription.test_clock_uuid,
        version=subscription.version,
        currency=period.amount.total.currency,
        amount_subtotal=period.amount.subtotal.minor,
        amount_tax=period.amount.tax.minor,
        amount_total=period.amount.total.minor,
        current_period_number=period.number,
        current_period_start=stamp(period.starts_at),
        current_period_end=stamp(period.ends_at),
        payment_uuid=period.payment_uuid,
        created_at=stamp(subscription.created_at),
        updated_at=stamp(subscription.updated_at),
    )
