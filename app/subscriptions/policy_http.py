"""The routes of an app's billing policy."""

from typing import Final
from uuid import UUID

from litestar import Controller, Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.http.caller import bearer_or_key
from app.http.desk import Desk
from app.http.envelope import Envelope, one
from app.subscriptions.policy_schemas import BillingPolicyView, UpdatePolicyBody
from domain.subscriptions.policy_service import PoliciesTx, PolicyService
from domain.tenancy.caller import Actor

KIND: Final = "billingPolicies"


class BillingPolicyController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/billing-policy"
    tags = ("Billing policy",)
    guards = (bearer_or_key,)

    @get("/", operation_id="getBillingPolicy")
    async def read(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        billing_policies: NamedDependency[PolicyService],
    ) -> Envelope[BillingPolicyView]:
        """How the app bills. An app that has said nothing has the defaults."""
        async with desk.read() as (tx, actor):
            found = await billing_policies.get(tx, actor)
        return one(KIND, BillingPolicyView.of(found))

    @put("/", operation_id="updateBillingPolicy")
    async def update(
        self,
        app_uuid: FromPath[UUID],
        data: JSONBody[UpdatePolicyBody],
        desk: NamedDependency[Desk],
        billing_policies: NamedDependency[PolicyService],
    ) -> Response[Envelope[BillingPolicyView]]:
        """Change the fields that are sent; the others stay. With a mistake nothing changes."""

        async def work(tx: PoliciesTx, actor: Actor) -> BillingPolicyView:
            return BillingPolicyView.of(await billing_policies.update(tx, actor, data.change()))

        return await desk.write(work, kind=KIND)
