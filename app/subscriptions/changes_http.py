"""The routes that change a subscription's plan or quantity: quote, accept, take back."""

from uuid import UUID

from litestar import Controller, Response, delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.http.caller import bearer_or_key
from app.http.desk import Call, Desk, Tx
from app.http.envelope import Envelope
from app.subscriptions.changes_schemas import (
    AcceptChangeBody,
    ChangeQuoteView,
    ChangeView,
    QuoteChangeBody,
    change_view,
    quote_view,
)
from app.subscriptions.schemas import SubscriptionView, subscription_view
from domain.subscriptions.change_service import ChangeService
from domain.tenancy.caller import Actor


class SubscriptionChangesController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/subscriptions/{uuid:uuid}"
    tags = ("Subscriptions",)
    guards = (bearer_or_key,)

    @post("/change-quotes", operation_id="quoteSubscriptionChange", status_code=200)
    async def quote(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[QuoteChangeBody],
        desk: NamedDependency[Desk],
        changes: NamedDependency[ChangeService],
    ) -> Response[Envelope[ChangeQuoteView]]:
        """What a change would cost, to the second and to the cent. Changes nothing.

        The quote is binding for 15 minutes: accept it with `changes`.
        """

        async def work(tx: Tx, actor: Actor) -> ChangeQuoteView:
            return quote_view(*await changes.quote(tx, actor, uuid, data.asked()))

        return await desk.write(work, kind="subscriptionChangeQuotes")

    @post("/changes", operation_id="changeSubscription", status_code=200)
    async def accept(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[AcceptChangeBody],
        desk: NamedDependency[Desk],
        changes: NamedDependency[ChangeService],
    ) -> Response[Envelope[ChangeView]]:
        """Make the change as quoted. One that costs something takes effect when its charge is
        paid, and otherwise never. Accepting a quote twice is one change."""

        async def intend(tx: Tx, actor: Actor) -> tuple[UUID, Call | None]:
            return await changes.accept(tx, actor, uuid, data.quote)

        async def tell(tx: Tx, quote_uuid: UUID) -> ChangeView:
            subscription = await tx.subscriptions.get(uuid)
            bill = await tx.subscriptions.bill(quote_uuid)
            return change_view(quote_uuid, subscription, bill, await tx.billing_policies.get())

        return await desk.carry_out(intend, tell, kind="subscriptionChanges")

    @delete("/scheduled-change", operation_id="cancelScheduledSubscriptionChange", status_code=200)
    async def unschedule(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        changes: NamedDependency[ChangeService],
    ) -> Response[Envelope[SubscriptionView]]:
        """The next period will be as this one."""

        async def work(tx: Tx, actor: Actor) -> SubscriptionView:
            subscription = await changes.unschedule(tx, actor, uuid)
            return subscription_view(subscription, await tx.billing_policies.get())

        return await desk.write(work, kind="subscriptions")
