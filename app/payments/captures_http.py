"""Payments that hold money: capture it, or call the payment off."""

from typing import Final
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.http.caller import bearer_or_key
from app.http.desk import Call, Desk, Tx
from app.http.envelope import Envelope, many
from app.http.pages import PageLimit, PageNumber
from app.payments.schemas import (
    CaptureBody,
    CaptureView,
    PaymentView,
    capture_view,
    payment_view,
)
from app.payments.visible import visible_payment
from domain.kernel.ids import AppUuid
from domain.kernel.pages import PageRequest
from domain.payments.cancel_payment import CancelPayment
from domain.payments.request_capture import RequestCapture
from domain.payments.submit_capture import SubmitCapture
from domain.tenancy.caller import Actor, Scope

CAPTURES: Final = "captures"


class HeldPaymentsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/payments/{uuid:uuid}"
    tags = ("Payments",)
    guards = (bearer_or_key,)

    @get("/captures", operation_id="listCaptures")
    async def captures(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[CaptureView]:
        """Every capture of the payment, also those made at the provider. The newest first."""
        async with desk.read() as (tx, actor):
            await visible_payment(tx, actor, uuid)
            found = await tx.captures.list(uuid, PageRequest(page, limit))
        return many(CAPTURES, found, capture_view)

    @post("/captures", operation_id="requestCapture", status_code=201)
    async def capture(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[CaptureBody],
        desk: NamedDependency[Desk],
        request_capture: NamedDependency[RequestCapture],
        submit_capture: NamedDependency[SubmitCapture],
    ) -> Response[Envelope[CaptureView]]:
        """Take held money, all of it or a part. Needs an `Idempotency-Key`.

        One capture of a card ends its hold, whatever is left of it; other methods take several.
        """

        async def intend(tx: Tx, actor: Actor) -> tuple[UUID, Call | None]:
            actor.need(Scope.BILLING_WRITE)
            await tx.payments.get(uuid)
            desk.need_key()
            capture = await request_capture(tx, data.wanted(uuid))
            return capture.uuid, lambda: submit_capture(AppUuid(app_uuid), capture.uuid)

        async def tell(tx: Tx, capture_uuid: UUID) -> CaptureView:
            return capture_view(await tx.captures.get(capture_uuid))

        return await desk.carry_out(intend, tell, kind=CAPTURES, status=201)

    @post("/cancel", operation_id="cancelPayment", status_code=200)
    async def cancel(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        cancel_payment: NamedDependency[CancelPayment],
    ) -> Response[Envelope[PaymentView]]:
        """Call off a payment that is not paid, or let go of what it holds and was not captured.

        Most methods cannot be canceled once the payer has begun; then the answer is 422. The
        payment may stay `authorized` for a moment while the provider lets go.
        """
        async with desk.read() as (tx, actor):
            await _may_cancel(tx, actor, uuid)
        await cancel_payment(AppUuid(app_uuid), uuid)

        async def work(tx: Tx, actor: Actor) -> PaymentView:
            await _may_cancel(tx, actor, uuid)
            return payment_view(await tx.payments.get(uuid))

        return await desk.write(work, kind="payments")


async def _may_cancel(tx: Tx, actor: Actor, uuid: UUID) -> None:
    actor.need(Scope.BILLING_WRITE)
    await tx.payments.get(uuid)
