"""A tenant's payment methods, changed over HTTP: which one is the default, and the end of one."""

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller, Response, delete, put
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from app.http.caller import bearer_or_key
from app.http.desk import Desk, Tx
from app.http.envelope import Envelope
from app.payments.schemas import PaymentMethodView, payment_method_view
from domain.kernel.errors import Refused
from domain.kernel.ids import TenantUuid
from domain.payments.mandate import Mandate
from domain.payments.mandate_service import MandateService
from domain.payments.payment_provider import provider_named
from domain.tenancy.caller import Actor, Scope

KIND: Final = "paymentMethods"

Force = Annotated[
    bool, QueryParameter(description="also when a living subscription is charged on it")
]


class PaymentMethodsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/tenants/{tenant_uuid:uuid}/payment-methods/{uuid:uuid}"
    tags = ("Payments",)
    guards = (bearer_or_key,)

    @put("/default", operation_id="makePaymentMethodDefault")
    async def make_default(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        mandates: NamedDependency[MandateService],
    ) -> Response[Envelope[PaymentMethodView]]:
        """Charge the tenant on this one from now on, in the other's place.

        Subscriptions that have a payment method of their own keep it.
        """

        async def work(tx: Tx, actor: Actor) -> PaymentMethodView:
            mandate = await _theirs(mandates, tx, actor, tenant_uuid, uuid)
            return payment_method_view(await mandates.make_default(tx, mandate))

        return await desk.write(work, kind=KIND)

    @delete("/", operation_id="revokePaymentMethod", status_code=200)
    async def revoke(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        mandates: NamedDependency[MandateService],
        force: Force = False,
    ) -> Response[Envelope[PaymentMethodView]]:
        """Give a payment method up, here and at the provider. It stays in the list, as invalid."""
        async with desk.read() as (tx, actor):
            mandate = await _theirs(mandates, tx, actor, tenant_uuid, uuid)
            if not force:
                await mandates.need_unused(tx, mandate)
            account = await tx.payment_providers.get(mandate.payment_provider_uuid)
        await mandates.revoke(account, mandate)

        async def work(tx: Tx, actor: Actor) -> PaymentMethodView:
            known = await _theirs(mandates, tx, actor, tenant_uuid, uuid)
            return payment_method_view(await mandates.note_revoked(tx, known))

        return await desk.write(work, kind=KIND)


class TenantPaymentMethodsController(Controller):
    path = (
        "/api/v1/apps/{app_uuid:uuid}/tenants/{tenant_uuid:uuid}/payment-providers/{provider:str}"
        "/payment-methods"
    )
    tags = ("Payments",)
    guards = (bearer_or_key,)

    @delete("/", operation_id="revokePaymentMethods", status_code=200)
    async def revoke_all(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        provider: FromPath[str],
        desk: NamedDependency[Desk],
        mandates: NamedDependency[MandateService],
        force: Force = False,
    ) -> Envelope[PaymentMethodView]:
        """Give up all that the tenant has at a provider, there and here. Answers with those.

        When the provider is away in the middle, those that are gone are gone, and a repeat goes on.
        What it refuses to let go is told when the others are gone.
        """
        tenant, name = TenantUuid(tenant_uuid), provider_named(provider)
        async with desk.tenant(tenant_uuid, Scope.BILLING_WRITE) as tx:
            living = await mandates.living(tx, tenant, name)
            for mandate, _ in living if not force else ():
                await mandates.need_unused(tx, mandate)
        revoked: list[PaymentMethodView] = []
        refusal: Refused | None = None
        for mandate, account in living:
            try:
                await mandates.revoke(account, mandate)
            except Refused as no:
                refusal = no
                continue
            async with desk.tenant(tenant_uuid, Scope.BILLING_WRITE) as tx:
                revoked.append(payment_method_view(await mandates.note_revoked(tx, mandate)))
        if refusal is not None:
            raise refusal
        return Envelope(KIND, len(revoked), len(revoked), revoked)


async def _theirs(
    mandates: MandateService, tx: Tx, actor: Actor, tenant_uuid: UUID, uuid: UUID
) -> Mandate:
    actor.need_tenant(TenantUuid(tenant_uuid), Scope.BILLING_WRITE)
    return await mandates.of_tenant(tx, TenantUuid(tenant_uuid), uuid)
