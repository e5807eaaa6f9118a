"""Subscriptions over HTTP."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from app.http.caller import bearer_or_key
from app.http.desk import Desk
from app.http.envelope import Envelope, Timestamp, many, stamp
from app.http.pages import PageLimit, PageNumber
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import PageRequest
from domain.subscriptions.subscription import Subscription
from domain.tenancy.caller import Scope


class SubscriptionView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The current period begins at `currentPeriodStart` and ends before `currentPeriodEnd`."""

    uuid: UUID
    app_uuid: UUID
    tenant_uuid: UUID
    user_uuid: UUID | None
    payment_provider_uuid: UUID
    checkout_session_uuid: UUID
    product_uuid: UUID
    product_price_uuid: UUID
    tax_rate_uuid: UUID | None
    quantity: int
    status: str
    currency: str
    amount_subtotal: int
    amount_tax: int
    amount_total: int
    current_period_number: int
    current_period_start: Timestamp
    current_period_end: Timestamp
    payment_uuid: UUID
    created_at: Timestamp
    updated_at: Timestamp


def subscription_view(subscription: Subscription) -> SubscriptionView:
    period = subscription.current_period
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


class SubscriptionsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/tenants/{tenant_uuid:uuid}/subscriptions"
    tags = ("Subscriptions",)
    guards = [bearer_or_key]

    @get(operation_id="listSubscriptions")
    async def list(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[SubscriptionView]:
        """The tenant's subscriptions with their current period, the newest first."""
        async with desk.tenant(tenant_uuid, Scope.BILLING_READ) as tx:
            found = await tx.subscriptions.list(TenantUuid(tenant_uuid), PageRequest(page, limit))
        return many("subscriptions", found, subscription_view)
