"""An app's say in routing: its policy, and a look at what was decided and how accounts stand."""

from dataclasses import dataclass
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import Invalid
from domain.kernel.pages import Page, PageRequest
from domain.orchestration.decide import Standing
from domain.orchestration.ports import KeptDecision, OrchestrationTx
from domain.orchestration.routing_policy import RoutingPolicy, mistakes
from domain.payments.ports import Providers
from domain.tenancy.caller import Actor, Scope

_EVERYTHING = ("", "")
"""No method and no currency: of an account, the widest window counts."""


@dataclass(frozen=True, slots=True)
class RoutingService:
    providers: Providers
    clock: Clock

    async def policy(self, tx: OrchestrationTx, actor: Actor) -> RoutingPolicy:
        actor.need(Scope.PROVIDERS_READ)
        return await tx.routing_policies.current()

    async def replace(
        self, tx: OrchestrationTx, actor: Actor, policy: RoutingPolicy
    ) -> RoutingPolicy:
        """The next version; the same again makes none. Raises Invalid."""
        actor.need(Scope.PROVIDERS_WRITE)
        standings = await tx.routing.standings(_EVERYTHING, self.providers, at=self.clock.now())
        accounts = {s.account.uuid: s.account for s in standings}
        if wrong := list(mistakes(policy, accounts)):
            raise Invalid(wrong)
        before = await tx.routing_policies.lock()
        after = replace(policy, version=before.version, created_at=before.created_at)
        if after == before:
            return before
        after = replace(after, version=before.version + 1, created_at=self.clock.now())
        await tx.routing_policies.add(after)
        return after

    async def decisions(
        self, tx: OrchestrationTx, actor: Actor, request: PageRequest, *, after: UUID | None
    ) -> Page[KeptDecision]:
        actor.need(Scope.PROVIDERS_READ)
        return await tx.routing.decisions(request, after=after)

    async def decision(self, tx: OrchestrationTx, actor: Actor, uuid: UUID) -> KeptDecision:
        """Raises NotFound."""
        actor.need(Scope.PROVIDERS_READ)
        return await tx.routing.decision(uuid)

    async def health(self, tx: OrchestrationTx, actor: Actor) -> tuple[Standing, ...]:
        """Of every account in use."""
        actor.need(Scope.PROVIDERS_READ)
        return await tx.routing.standings(_EVERYTHING, self.providers, at=self.clock.now())
