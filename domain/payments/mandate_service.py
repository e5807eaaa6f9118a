"""Which of a tenant's mandates is charged by default, and the end of one that it wants no more.

A mandate that a living subscription is charged on is kept, unless the app insists: the subscription
would be past due with its next bill.
"""

from dataclasses import dataclass
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict, NotFound, Refused
from domain.kernel.events import Event
from domain.kernel.ids import TenantUuid
from domain.payments.answers import Declined, MandateStatus
from domain.payments.mandate import Mandate
from domain.payments.payment_provider import PaymentProvider, ProviderName
from domain.payments.ports import Providers
from domain.payments.repositories import PaymentsTx


@dataclass(frozen=True, slots=True)
class MandateService:
    providers: Providers
    clock: Clock

    async def of_tenant(self, tx: PaymentsTx, tenant_uuid: TenantUuid, uuid: UUID) -> Mandate:
        """Raises NotFound, also for another tenant's."""
        mandate = await tx.mandates.get(uuid)
        if mandate.tenant_uuid != tenant_uuid:
            raise NotFound("payment method", uuid)
        return mandate

    async def living(
        self, tx: PaymentsTx, tenant_uuid: TenantUuid, name: ProviderName
    ) -> list[tuple[Mandate, PaymentProvider]]:
        """Those that may still be charged at the provider, with their accounts."""
        living = await tx.mandates.living(tenant_uuid)
        uuids = {m.payment_provider_uuid for m in living}
        accounts = {uuid: await tx.payment_providers.get(uuid) for uuid in sorted(uuids)}
        return [
            (m, accounts[m.payment_provider_uuid])
            for m in living
            if accounts[m.payment_provider_uuid].name is name
        ]

    async def make_default(self, tx: PaymentsTx, mandate: Mandate) -> Mandate:
        """Raises Conflict unless it can be charged."""
        if mandate.is_default:
            return mandate
        if not await tx.mandates.make_default(mandate):
            raise Conflict("the payment method is not valid; only what can be charged is a default")
        await tx.outbox.append(self._event("mandate.made_default", mandate))
        return replace(mandate, is_default=True)

    async def need_unused(self, tx: PaymentsTx, mandate: Mandate) -> None:
        """Raises Conflict when a living subscription is charged on it."""
        if mandate.status is MandateStatus.INVALID:
            return
        users = await tx.mandates.living_subscriptions(mandate.uuid)
        if users:
            named = ", ".join(str(uuid) for uuid in users)
            raise Conflict(
                f"the payment method is what these subscriptions are charged on: {named}. "
                "Replace it there first, or repeat with force=true"
            )

    async def revoke(self, account: PaymentProvider, mandate: Mandate) -> None:
        """Tell the provider, with no transaction open. Telling it twice does no harm.

        Raises what the ports raise, and Refused when the provider says no.
        """
        if mandate.status is MandateStatus.INVALID:
            return
        answer = await self.providers[account.name].mandates.revoke(
            account, mandate.customer_ref, mandate.provider_ref
        )
        if isinstance(answer, Declined):
            raise Refused(f"the payment provider keeps the payment method: {answer.reason}")

    async def note_revoked(self, tx: PaymentsTx, mandate: Mandate) -> Mandate:
        if await tx.mandates.end(mandate.uuid, at=self.clock.now()):
            await tx.outbox.append(self._event("mandate.revoked", mandate))
        return await tx.mandates.get(mandate.uuid)

    def _event(self, type: str, mandate: Mandate) -> Event:
        facts = {
            "mandateUuid": str(mandate.uuid),
            "tenantUuid": str(mandate.tenant_uuid),
            "method": mandate.method,
        }
        return Event(type=type, aggregate_uuid=mandate.uuid, at=self.clock.now(), facts=facts)
