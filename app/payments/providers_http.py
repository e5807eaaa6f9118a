"""The routes of payment provider accounts. A credential is written here and never read."""

from typing import Final
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.http.caller import bearer_or_key
from app.http.desk import Desk
from app.http.envelope import Envelope, many, one
from app.http.pages import PageLimit, PageNumber
from app.payments.providers_schemas import CreateProviderBody, ProviderView, UpdateProviderBody
from domain.kernel.pages import PageRequest
from domain.payments.accounts import AccountsTx
from domain.payments.provider_service import ProviderService
from domain.tenancy.caller import Actor

KIND: Final = "paymentProviders"


class PaymentProvidersController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/payment-providers"
    tags = ("Payment providers",)
    guards = (bearer_or_key,)

    @get("/", operation_id="listPaymentProviders")
    async def page(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        payment_providers: NamedDependency[ProviderService],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[ProviderView]:
        """The accounts in use, newest first."""
        async with desk.read() as (tx, actor):
            found = await payment_providers.page(tx, actor, PageRequest(page, limit))
        return many(KIND, found, ProviderView.of)

    @post("/", operation_id="createPaymentProvider", status_code=201)
    async def create(
        self,
        app_uuid: FromPath[UUID],
        data: JSONBody[CreateProviderBody],
        desk: NamedDependency[Desk],
        payment_providers: NamedDependency[ProviderService],
    ) -> Response[Envelope[ProviderView]]:
        """Connect an account. The first of a name becomes the default for it."""

        async def work(tx: AccountsTx, actor: Actor) -> ProviderView:
            return ProviderView.of(await payment_providers.create(tx, actor, data.new()))

        return await desk.write(work, kind=KIND, status=201)

    @get("/{uuid:uuid}", operation_id="getPaymentProvider")
    async def read(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        payment_providers: NamedDependency[ProviderService],
    ) -> Envelope[ProviderView]:
        """One account, deleted or not."""
        async with desk.read() as (tx, actor):
            found = await payment_providers.get(tx, actor, uuid)
        return one(KIND, ProviderView.of(found))

    @put("/{uuid:uuid}", operation_id="updatePaymentProvider")
    async def update(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[UpdateProviderBody],
        desk: NamedDependency[Desk],
        payment_providers: NamedDependency[ProviderService],
    ) -> Response[Envelope[ProviderView]]:
        """Rotate the credential, rename, or make it the default in the other's place."""

        async def work(tx: AccountsTx, actor: Actor) -> ProviderView:
            return ProviderView.of(await payment_providers.update(tx, actor, uuid, data.change()))

        return await desk.write(work, kind=KIND)

    @delete("/{uuid:uuid}", operation_id="deletePaymentProvider", status_code=200)
    async def disconnect(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        payment_providers: NamedDependency[ProviderService],
    ) -> Response[Envelope[ProviderView]]:
        """Disconnect an account: no new payments through it. Old ones can still be read."""

        async def work(tx: AccountsTx, actor: Actor) -> ProviderView:
            return ProviderView.of(await payment_providers.delete(tx, actor, uuid))

        return await desk.write(work, kind=KIND)
