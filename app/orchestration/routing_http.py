"""The routes of routing: what the app wants, what was decided, and how its accounts stand."""

from typing import Final
from uuid import UUID

from litestar import Controller, Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.http.caller import bearer_or_key
from app.http.desk import Desk, Tx
from app.http.envelope import Envelope, many, one
from app.http.errors import exact
from app.http.pages import After, PageLimit, PageNumber
from app.orchestration.decision_views import (
    AccountHealthView,
    RoutingDecisionView,
    decision_view,
    health_view,
)
from app.orchestration.policy_schemas import RoutingPolicyBody, RoutingPolicyView, policy_view
from domain.kernel.pages import Page, PageRequest
from domain.orchestration.routing_service import RoutingService
from domain.tenancy.caller import Actor

POLICY: Final = "routingPolicies"
DECISIONS: Final = "routingDecisions"
HEALTH: Final = "routingHealth"


class RoutingController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}"
    tags = ("Routing",)
    guards = (bearer_or_key,)

    @get("/routing-policy", operation_id="getRoutingPolicy")
    async def policy(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        routing: NamedDependency[RoutingService],
    ) -> Envelope[RoutingPolicyView]:
        """Where payment sessions go. An app that has said nothing has version 0."""
        async with desk.read() as (tx, actor):
            found = await routing.policy(tx, actor)
        return one(POLICY, policy_view(found))

    @put("/routing-policy", operation_id="replaceRoutingPolicy")
    async def replace(
        self,
        app_uuid: FromPath[UUID],
        data: JSONBody[RoutingPolicyBody],
        desk: NamedDependency[Desk],
        routing: NamedDependency[RoutingService],
    ) -> Response[Envelope[RoutingPolicyView]]:
        """Say it anew, whole: this is the next version, and those before are kept."""

        async def work(tx: Tx, actor: Actor) -> RoutingPolicyView:
            return policy_view(await routing.replace(tx, actor, data.policy()))

        return await desk.write(work, kind=POLICY)

    @get("/routing-decisions", operation_id="listRoutingDecisions")
    async def decisions(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        routing: NamedDependency[RoutingService],
        page: PageNumber = 0,
        limit: PageLimit = 10,
        after: After = None,
    ) -> Response[Envelope[RoutingDecisionView]]:
        """One for each payment session: who was asked, and why. The newest first."""
        async with desk.read() as (tx, actor):
            found = await routing.decisions(tx, actor, PageRequest(page, limit), after=after)
        return exact(many(DECISIONS, found, decision_view))

    @get("/routing-decisions/{uuid:uuid}", operation_id="getRoutingDecision")
    async def decision(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        routing: NamedDependency[RoutingService],
    ) -> Response[Envelope[RoutingDecisionView]]:
        """Every account, why it could be chosen or not, its score, and what came of it."""
        async with desk.read() as (tx, actor):
            found = await routing.decision(tx, actor, uuid)
        return exact(one(DECISIONS, decision_view(found)))

    @get("/routing-health", operation_id="getRoutingHealth")
    async def health(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        routing: NamedDependency[RoutingService],
    ) -> Response[Envelope[AccountHealthView]]:
        """How the accounts in use stand: whether they are asked, and what came of seven days."""
        async with desk.read() as (tx, actor):
            found = await routing.health(tx, actor)
        now = desk.clock.now()
        page = Page(found, len(found))
        return exact(many(HEALTH, page, lambda standing: health_view(standing, at=now)))
