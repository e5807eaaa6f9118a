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
from domain.checkout.session import SessionStatus
from domain.kernel.errors import Conflict, Refused
from domain.kernel.ids import AppUuid
from domain.kernel.pages import PageRequest
from domain.payments.answers import CaptureStatus
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
            await _need_wanted(tx, uuid)
            desk.need_key()
            capture = await request_capture(tx, data.wanted(uuid))
            return capture.uuid, lambda: submit(capture.uuid)

        async def submit(uuid: UUID) -> None:
            await submit_capture(AppUuid(app_uuid), uuid)
            async with desk.unit_of_work.begin(desk.caller.app_uuid) as tx:
                made = await tx.captures.get(uuid)
            if made.status is CaptureStatus.DECLINED:
                raise Refused(f"the payment provider refused it: {made.decline_reason}")

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

        async def intend(tx: Tx, actor: Actor) -> tuple[UUID, Call | None]:
            actor.need(Scope.BILLING_WRITE)
            await tx.payments.get(uuid)
            return uuid, lambda: cancel_payment(AppUuid(app_uuid), uuid)

        async def tell(tx: Tx, payment_uuid: UUID) -> PaymentView:
            return payment_view(await tx.payments.get(payment_uuid))

        return await desk.carry_out(intend, tell, kind="payments", is_repeatable=True)


async def _need_wanted(tx: Tx, uuid: UUID) -> None:
    """Raises NotFound, Conflict where what is captured would only go back."""
    session_uuid = (await tx.payments.get(uuid)).checkout_session_uuid
    if session_uuid is None:
        return
    session = (await tx.checkout.get(session_uuid)).session
    if session.status in (SessionStatus.EXPIRED, SessionStatus.FAILED):
        raise Conflict("its checkout session is over: what is held is let go of")
