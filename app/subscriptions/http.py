"""Subscriptions over HTTP: to look at, to start, and what is wished of them.

What is to be paid for them is asked in collecting_http.py, and another plan in changes_http.py.
"""

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from app.http.caller import bearer_or_key
from app.http.desk import Call, Desk, Tx
from app.http.envelope import Envelope, many, one
from app.http.pages import PageLimit, PageNumber
from app.subscriptions.bill_schemas import (
    BillView,
    HistoryView,
    PeriodView,
    bill_view,
    history_view,
    period_view,
)
from app.subscriptions.schemas import SubscriptionView, subscription_view
from app.subscriptions.wish_schemas import (
    CancelSubscriptionBody,
    PauseSubscriptionBody,
    StartSubscriptionBody,
)
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import PageRequest
from domain.subscriptions.own import need_own
from domain.subscriptions.start_subscription import StartSubscription
from domain.subscriptions.subscription import SubscriptionStatus
from domain.subscriptions.wish_service import WishService
from domain.tenancy.caller import Actor, Scope

KIND: Final = "subscriptions"


async def shown(tx: Tx, uuid: UUID) -> SubscriptionView:
    """As it is now."""
    found = await tx.subscriptions.get(uuid)
    return subscription_view(found, await tx.billing_policies.get())


class TenantSubscriptionsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/tenants/{tenant_uuid:uuid}/subscriptions"
    tags = ("Subscriptions",)
    guards = (bearer_or_key,)

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
            only = frozenset({TenantUuid(tenant_uuid)})
            found = await tx.subscriptions.list(PageRequest(page, limit), only=only)
            policy = await tx.billing_policies.get()
        return many(KIND, found, lambda s: subscription_view(s, policy))

    @post(operation_id="startSubscription", status_code=201)
    async def start(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        data: JSONBody[StartSubscriptionBody],
        desk: NamedDependency[Desk],
        start_subscription: NamedDependency[StartSubscription],
    ) -> Response[Envelope[SubscriptionView]]:
        """Start one on a stored payment method; no shopper is needed.

        With a trial it is `trialing`, also without a payment method. What is free is `active`. Else
        it is `incomplete` until its first charge is paid, and `expired` if that fails: watch it, or
        its events. Use an `Idempotency-Key`: without one, a repeat is a second subscription.
        """

        async def intend(tx: Tx, actor: Actor) -> tuple[UUID, Call | None]:
            return await start_subscription(tx, actor, data.new(tenant_uuid))

        return await desk.carry_out(intend, shown, kind=KIND, status=201)


class SubscriptionsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/subscriptions"
    tags = ("Subscriptions",)
    guards = (bearer_or_key,)

    @get(operation_id="listAppSubscriptions")
    async def list(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        page: PageNumber = 0,
        limit: PageLimit = 10,
        status: Annotated[
            SubscriptionStatus | None, QueryParameter(description="those in this state")
        ] = None,
        tenant_uuid: Annotated[
            UUID | None, QueryParameter(name="tenantUuid", description="those of this tenant")
        ] = None,
    ) -> Envelope[SubscriptionView]:
        """The newest first. A user sees those of its tenants."""
        async with desk.read() as (tx, actor):
            only = actor.visible_tenants(Scope.BILLING_READ)
            if tenant_uuid is not None:
                tenant = TenantUuid(tenant_uuid)
                actor.need_tenant(tenant, Scope.BILLING_READ)
                await tx.tenants.get(tenant)
                only = frozenset({tenant})
            found = await tx.subscriptions.list(PageRequest(page, limit), only=only, status=status)
            policy = await tx.billing_policies.get()
        return many(KIND, found, lambda s: subscription_view(s, policy))

    @get("/{uuid:uuid}", operation_id="getSubscription")
    async def read(
        self, app_uuid: FromPath[UUID], uuid: FromPath[UUID], desk: NamedDependency[Desk]
    ) -> Envelope[SubscriptionView]:
        """One subscription. Serve its tenant while `accessUntil` lies ahead."""
        async with desk.read() as (tx, actor):
            await need_own(tx, actor, uuid, Scope.BILLING_READ)
            return one(KIND, await shown(tx, uuid))

    @get("/{uuid:uuid}/periods", operation_id="listSubscriptionPeriods")
    async def periods(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[PeriodView]:
        """Its periods, the newest first. A trial has the number 0."""
        async with desk.read() as (tx, actor):
            await need_own(tx, actor, uuid, Scope.BILLING_READ)
            found = await tx.subscriptions.periods(uuid, PageRequest(page, limit))
        return many("subscriptionPeriods", found, period_view)

    @get("/{uuid:uuid}/bills", operation_id="listSubscriptionBills")
    async def bills(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[BillView]:
        """What was owed for it and what still is, the newest first: one bill per period."""
        async with desk.read() as (tx, actor):
            await need_own(tx, actor, uuid, Scope.BILLING_READ)
            found = await tx.subscriptions.bills(uuid, PageRequest(page, limit))
        return many("bills", found, bill_view)

    @get("/{uuid:uuid}/history", operation_id="listSubscriptionHistory")
    async def history(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[HistoryView]:
        """Every state that it was in, and why, the newest first."""
        async with desk.read() as (tx, actor):
            await need_own(tx, actor, uuid, Scope.BILLING_READ)
            found = await tx.subscriptions.history(uuid, PageRequest(page, limit))
        return many("subscriptionHistory", found, history_view)

    @post("/{uuid:uuid}/cancel", operation_id="cancelSubscription", status_code=200)
    async def cancel(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[CancelSubscriptionBody],
        desk: NamedDependency[Desk],
        subscription_wishes: NamedDependency[WishService],
    ) -> Response[Envelope[SubscriptionView]]:
        """End it now, with its period, or at an instant; until then it can be uncanceled.

        What is open is not asked for any more when it ends. A charge that is under way is let
        finish; if nothing was paid before it, its money goes back.
        """

        async def work(tx: Tx, actor: Actor) -> SubscriptionView:
            when, reason = data.wished(), data.reason
            await subscription_wishes.cancel(tx, actor, uuid, when, reason=reason)
            return await shown(tx, uuid)

        return await desk.write(work, kind=KIND)

    @post("/{uuid:uuid}/uncancel", operation_id="uncancelSubscription", status_code=200)
    async def uncancel(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        subscription_wishes: NamedDependency[WishService],
    ) -> Response[Envelope[SubscriptionView]]:
        """It goes on after all. What has ended stays so: start a new one."""

        async def work(tx: Tx, actor: Actor) -> SubscriptionView:
            await subscription_wishes.uncancel(tx, actor, uuid)
            return await shown(tx, uuid)

        return await desk.write(work, kind=KIND)

    @post("/{uuid:uuid}/pause", operation_id="pauseSubscription", status_code=200)
    async def pause(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[PauseSubscriptionBody],
        desk: NamedDependency[Desk],
        subscription_wishes: NamedDependency[WishService],
    ) -> Response[Envelope[SubscriptionView]]:
        """Charge nothing from now on. What is paid for is served to its end."""

        async def work(tx: Tx, actor: Actor) -> SubscriptionView:
            await subscription_wishes.pause(tx, actor, uuid, resumes_at=data.resumes_at)
            return await shown(tx, uuid)

        return await desk.write(work, kind=KIND)

    @post("/{uuid:uuid}/resume", operation_id="resumeSubscription", status_code=200)
    async def resume(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        subscription_wishes: NamedDependency[WishService],
    ) -> Response[Envelope[SubscriptionView]]:
        """End the pause now. Inside what is paid for it is `active` at once; else what is open, or
        a new period from now, is charged. After a chargeback only `billing:write` may."""

        async def intend(tx: Tx, actor: Actor) -> tuple[UUID, Call | None]:
            return uuid, await subscription_wishes.resume(tx, actor, uuid)

        return await desk.carry_out(intend, shown, kind=KIND)
