"""One payment, and the money that went back from it: refunds, asked for here, and chargebacks."""

from typing import Final
from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.http.caller import bearer_or_key
from app.http.desk import Desk, Tx
from app.http.envelope import Envelope, many, one
from app.http.pages import PageLimit, PageNumber
from app.payments.schemas import (
    ChargebackView,
    PaymentView,
    RefundBody,
    RefundView,
    chargeback_view,
    payment_view,
    refund_view,
)
from app.payments.visible import visible_payment
from domain.kernel.errors import NotFound
from domain.kernel.pages import PageRequest
from domain.payments.cancel_refund import CancelRefund
from domain.payments.request_refund import RequestRefund
from domain.tenancy.caller import Actor, Scope

REFUNDS: Final = "refunds"


class PaymentsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/payments"
    tags = ("Payments",)
    guards = (bearer_or_key,)

    @get("/{uuid:uuid}", operation_id="getPayment")
    async def read(
        self, app_uuid: FromPath[UUID], uuid: FromPath[UUID], desk: NamedDependency[Desk]
    ) -> Envelope[PaymentView]:
        """One payment, as the provider was last heard to hold it."""
        async with desk.read() as (tx, actor):
            found = await visible_payment(tx, actor, uuid)
        return one("payments", payment_view(found))

    @get("/{uuid:uuid}/refunds", operation_id="listRefunds")
    async def refunds(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[RefundView]:
        """Every refund of the payment, also those made at the provider. The newest first."""
        async with desk.read() as (tx, actor):
            await visible_payment(tx, actor, uuid)
            found = await tx.refunds.list(uuid, PageRequest(page, limit))
        return many(REFUNDS, found, refund_view)

    @post("/{uuid:uuid}/refunds", operation_id="requestRefund", status_code=201)
    async def request(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[RefundBody],
        desk: NamedDependency[Desk],
        request_refund: NamedDependency[RequestRefund],
    ) -> Response[Envelope[RefundView]]:
        """Give a payment back, whole or in part. Needs an `Idempotency-Key`.

        It is sent to the provider in a moment. A second refund of the same amount on the same
        payment waits for an hour: before that, the provider would take it for a repetition.
        """

        async def work(tx: Tx, actor: Actor) -> RefundView:
            actor.need(Scope.REFUNDS_WRITE)
            await tx.payments.get(uuid)
            desk.need_key()
            return refund_view(await request_refund(tx, data.wanted(uuid)))

        return await desk.write(work, kind=REFUNDS, status=201)

    @get("/{uuid:uuid}/chargebacks", operation_id="listChargebacks")
    async def chargebacks(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[ChargebackView]:
        """What banks took back of the payment, and gave again. The newest first."""
        async with desk.read() as (tx, actor):
            await visible_payment(tx, actor, uuid)
            found = await tx.chargebacks.list(uuid, PageRequest(page, limit))
        return many("chargebacks", found, chargeback_view)


class RefundsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/refunds"
    tags = ("Payments",)
    guards = (bearer_or_key,)

    @get("/{uuid:uuid}", operation_id="getRefund")
    async def read(
        self, app_uuid: FromPath[UUID], uuid: FromPath[UUID], desk: NamedDependency[Desk]
    ) -> Envelope[RefundView]:
        """One refund."""
        async with desk.read() as (tx, actor):
            found = await tx.refunds.get(uuid)
            try:
                await visible_payment(tx, actor, found.payment_uuid)
            except NotFound:
                raise NotFound("refund", uuid) from None
        return one(REFUNDS, refund_view(found))

    @delete("/{uuid:uuid}", operation_id="cancelRefund", status_code=200)
    async def cancel(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        cancel_refund: NamedDependency[CancelRefund],
    ) -> Response[Envelope[RefundView]]:
        """Call off a refund that has not been sent to the provider yet."""

        async def work(tx: Tx, actor: Actor) -> RefundView:
            actor.need(Scope.REFUNDS_WRITE)
            return refund_view(await cancel_refund(tx, await tx.refunds.get(uuid)))

        return await desk.write(work, kind=REFUNDS)
