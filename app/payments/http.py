"""What a tenant has paid, and may be charged with, over HTTP."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.http.caller import bearer_or_key
from app.http.desk import Desk
from app.http.envelope import Envelope, many
from app.http.pages import After, PageLimit, PageNumber
from app.payments.schemas import (
    OneTimePaymentView,
    PaymentMethodView,
    PaymentView,
    one_time_payment_view,
    payment_method_view,
    payment_view,
)
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import PageRequest
from domain.tenancy.caller import Scope


class TenantPaymentsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/tenants/{tenant_uuid:uuid}"
    tags = ("Payments",)
    guards = [bearer_or_key]

    @get("/payments", operation_id="listPayments")
    async def payments(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        page: PageNumber = 0,
        limit: PageLimit = 10,
        after: After = None,
    ) -> Envelope[PaymentView]:
        """Every payment at the provider, the newest first, with what was given back."""
        async with desk.tenant(tenant_uuid, Scope.BILLING_READ) as tx:
            found = await tx.payments.list(
                TenantUuid(tenant_uuid), PageRequest(page, limit), after=after
            )
        return many("payments", found, payment_view)

    @get("/one-time-payments", operation_id="listOneTimePayments")
    async def one_time_payments(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[OneTimePaymentView]:
        """What the tenant has bought once, the newest first."""
        async with desk.tenant(tenant_uuid, Scope.BILLING_READ) as tx:
            found = await tx.one_time_payments.list(
                TenantUuid(tenant_uuid), PageRequest(page, limit)
            )
        return many("oneTimePayments", found, one_time_payment_view)

    @get("/payment-methods", operation_id="listPaymentMethods")
    async def payment_methods(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[PaymentMethodView]:
        """The mandates to charge the tenant with, the newest first."""
        async with desk.tenant(tenant_uuid, Scope.BILLING_READ) as tx:
            found = await tx.mandates.list(TenantUuid(tenant_uuid), PageRequest(page, limit))
        return many("paymentMethods", found, payment_method_view)
