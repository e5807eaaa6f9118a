"""The routes of webhook endpoints: where events are sent, and what became of it."""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from app.http.caller import bearer_or_key
from app.http.desk import Desk
from app.http.envelope import ENCODER, Envelope, many, one
from app.http.errors import respond
from app.http.pages import PageLimit, PageNumber
from app.webhooks.schemas import (
    CreateEndpointBody,
    DeliveryLogView,
    DeliveryView,
    ReplayBody,
    ReplayView,
    RollSecretBody,
    UpdateEndpointBody,
    WebhookEndpointView,
    delivery_log_view,
    delivery_view,
)
from domain.kernel.idempotency import Answer
from domain.kernel.pages import Page, PageRequest
from domain.tenancy.caller import Actor
from domain.webhooks.delivery import DeliveryStatus
from domain.webhooks.endpoint_service import EndpointService, WithSecret
from domain.webhooks.ports import WebhooksTx
from domain.webhooks.replay import ReplayEvents

KIND: Final = "webhookEndpoints"


class WebhookEndpointsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/webhook-endpoints"
    tags = ("Webhook endpoints",)
    guards = (bearer_or_key,)

    @get("/", operation_id="listWebhookEndpoints")
    async def page(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        webhook_endpoints: NamedDependency[EndpointService],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[WebhookEndpointView]:
        """All that are not deleted, newest first."""
        async with desk.read() as (tx, actor):
            found = await webhook_endpoints.page(tx, actor, PageRequest(page, limit))
        return many(KIND, found, WebhookEndpointView.of)

    @post("/", operation_id="createWebhookEndpoint", status_code=201)
    async def create(
        self,
        app_uuid: FromPath[UUID],
        data: JSONBody[CreateEndpointBody],
        desk: NamedDependency[Desk],
        webhook_endpoints: NamedDependency[EndpointService],
    ) -> Response[Envelope[WebhookEndpointView]]:
        """Have events sent to an address. `secret`, which they are signed with, is told in this
        answer and never again; a repeat under the same Idempotency-Key does not tell it."""
        told: list[WithSecret] = []

        async def work(tx: WebhooksTx, actor: Actor) -> WebhookEndpointView:
            told.append(await webhook_endpoints.create(tx, actor, data.new()))
            return WebhookEndpointView.of(told[-1].endpoint)

        return with_secret(await desk.write(work, kind=KIND, status=201), told)

    @get("/{uuid:uuid}", operation_id="getWebhookEndpoint")
    async def read(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        webhook_endpoints: NamedDependency[EndpointService],
    ) -> Envelope[WebhookEndpointView]:
        """One endpoint, deleted or not. `failingSince`: nothing has arrived since then."""
        async with desk.read() as (tx, actor):
            found = await webhook_endpoints.get(tx, actor, uuid)
        return one(KIND, WebhookEndpointView.of(found))

    @put("/{uuid:uuid}", operation_id="updateWebhookEndpoint")
    async def update(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[UpdateEndpointBody],
        desk: NamedDependency[Desk],
        webhook_endpoints: NamedDependency[EndpointService],
    ) -> Response[Envelope[WebhookEndpointView]]:
        """Change address, filter or description; disable it, or enable it again. What happens
        while it is disabled is not sent later by itself: replay the period."""

        async def work(tx: WebhooksTx, actor: Actor) -> WebhookEndpointView:
            return WebhookEndpointView.of(
                await webhook_endpoints.update(tx, actor, uuid, data.change())
            )

        return await desk.write(work, kind=KIND)

    @delete("/{uuid:uuid}", operation_id="deleteWebhookEndpoint", status_code=200)
    async def remove(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        webhook_endpoints: NamedDependency[EndpointService],
    ) -> Response[Envelope[WebhookEndpointView]]:
        """Send nothing more to it, neither what is pending."""

        async def work(tx: WebhooksTx, actor: Actor) -> WebhookEndpointView:
            return WebhookEndpointView.of(await webhook_endpoints.delete(tx, actor, uuid))

        return await desk.write(work, kind=KIND)

    @post("/{uuid:uuid}/secret/roll", operation_id="rollWebhookSecret", status_code=200)
    async def roll_secret(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[RollSecretBody],
        desk: NamedDependency[Desk],
        webhook_endpoints: NamedDependency[EndpointService],
    ) -> Response[Envelope[WebhookEndpointView]]:
        """Make a new secret, told in this answer and never again. Until the one before has lived
        its time, both sign: `webhook-signature` then has two signatures."""
        told: list[WithSecret] = []

        async def work(tx: WebhooksTx, actor: Actor) -> WebhookEndpointView:
            told.append(await webhook_endpoints.roll_secret(tx, actor, uuid, data.old_lives))
            return WebhookEndpointView.of(told[-1].endpoint)

        return with_secret(await desk.write(work, kind=KIND), told)

    @post("/{uuid:uuid}/test", operation_id="testWebhookEndpoint", status_code=202)
    async def test(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        webhook_endpoints: NamedDependency[EndpointService],
    ) -> Response[Envelope[WebhookEndpointView]]:
        """Send a `webhook_endpoint.test` event to this endpoint, and to no other."""

        async def work(tx: WebhooksTx, actor: Actor) -> WebhookEndpointView:
            return WebhookEndpointView.of(await webhook_endpoints.test(tx, actor, uuid))

        return await desk.write(work, kind=KIND, status=202)

    @post("/{uuid:uuid}/replays", operation_id="replayEvents", status_code=202)
    async def replay(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[ReplayBody],
        desk: NamedDependency[Desk],
        replay_events: NamedDependency[ReplayEvents],
    ) -> Response[Envelope[ReplayView]]:
        """Send events again, under their old ids: one, or all of a period that pass the filter,
        10000 at most. What is on its way anyway is not sent twice."""

        async def work(tx: WebhooksTx, actor: Actor) -> ReplayView:
            if data.event_uuid is not None:
                count = await replay_events.one(tx, actor, uuid, data.event_uuid)
            else:
                count = await replay_events.of_period(tx, actor, uuid, data.period)
            return ReplayView(webhook_endpoint_uuid=uuid, deliveries=count)

        return await desk.write(work, kind="replays", status=202)

    @get("/{uuid:uuid}/deliveries", operation_id="listDeliveries")
    async def deliveries(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        webhook_endpoints: NamedDependency[EndpointService],
        limit: PageLimit = 10,
        after: Annotated[
            UUID | None, QueryParameter(description="the last delivery that you know")
        ] = None,
        status: Annotated[
            DeliveryStatus | None, QueryParameter(description="only those that stand like this")
        ] = None,
    ) -> Envelope[DeliveryView]:
        """What was sent to the endpoint, and what will be, newest first; 30 days of what is done.
        `totalItems` is not counted."""
        async with desk.read() as (tx, actor):
            await webhook_endpoints.get(tx, actor, uuid)
            found = await tx.webhook_deliveries.log(uuid, status=status, after=after, limit=limit)
        return many("deliveries", Page(found, 0), delivery_view)

    @get("/{uuid:uuid}/deliveries/{delivery_uuid:uuid}", operation_id="getDelivery")
    async def delivery(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        delivery_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        webhook_endpoints: NamedDependency[EndpointService],
    ) -> Envelope[DeliveryLogView]:
        """One delivery, with every try and what the receiver said."""
        async with desk.read() as (tx, actor):
            await webhook_endpoints.get(tx, actor, uuid)
            found, event = await tx.webhook_deliveries.get(uuid, delivery_uuid)
            tries = await tx.webhook_deliveries.tries(delivery_uuid)
        return one("deliveries", delivery_log_view(found, event, tries))


def with_secret(answer: Response[Any], told: list[WithSecret]) -> Response[Any]:
    """The answer that is kept for repeats has no secret in it: no table keeps one in plain text.
    Only who is answered right now sees it."""
    if not told:
        return answer
    made = told[-1]
    view = WebhookEndpointView.of(made.endpoint, made.secret)
    return respond(Answer(answer.status_code or 200, ENCODER.encode(one(KIND, view))))
