"""Payment sessions over HTTP. The app is the token's audience, and answers have no envelope."""

from typing import Any, cast
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.http.caller import bearer_of_app, caller_of
from app.http.desk import Desk, Tx, fingerprint, given_key
from app.http.errors import exact, respond
from app.orchestration.amounts import check_amount, money_of
from app.orchestration.schemas import LEAST_AMOUNT, PaymentSessionBody
from app.orchestration.views import (
    OpenedPaymentSessionView,
    PaymentSessionView,
    RenderSession,
    SessionRefundBody,
    SessionRefundView,
    session_refund_view,
    session_view,
)
from domain.checkout.order import Ask
from domain.kernel.errors import Invalid, NotFound
from domain.kernel.money import Money
from domain.orchestration.open_payment_session import OpenPaymentSession
from domain.orchestration.payment_session import PaymentSession
from domain.orchestration.refund_session import RefundSession
from domain.tenancy.caller import Actor, Scope


class PaymentSessionsController(Controller):
    path = "/api/v1/sessions"
    tags = ("Payment sessions",)
    guards = (bearer_of_app,)

    @post("/", operation_id="openPaymentSession", status_code=200)
    async def open(
        self,
        data: JSONBody[PaymentSessionBody],
        request: Request[Any, Any, Any],
        open_payment_session: NamedDependency[OpenPaymentSession],
    ) -> Response[OpenedPaymentSessionView]:
        """Have an order paid, at the account that suits it best. Send the shopper to
        `checkoutUrl`.

        Needs an `Idempotency-Key`, and a token with the scope `billing:write`: the amounts are
        yours. Items, shipping and tax add up to the total, to the cent. When an account does not
        answer, another is tried before you are told of any; 503 and 502 mean that a retry with the
        same key is safe.
        """
        ask = Ask(
            operation="openPaymentSession",
            key=given_key(request),
            fingerprint=await fingerprint(request),
        )
        wanted = data.wanted()
        opened = await open_payment_session(caller_of(request), wanted, ask, RenderSession())
        response = respond(opened.answer, is_replay=opened.is_replay)
        return cast(Response[OpenedPaymentSessionView], response)

    @get("/{uuid:uuid}", operation_id="getPaymentSession")
    async def read(
        self, uuid: FromPath[UUID], desk: NamedDependency[Desk]
    ) -> Response[PaymentSessionView]:
        """A session as it stands now."""
        async with desk.read() as (tx, actor):
            told = await tx.payment_sessions.get(uuid)
            try:
                actor.need_tenant(told.session.tenant_uuid, Scope.BILLING_READ)
            except NotFound:
                raise NotFound("session", uuid) from None
        return exact(session_view(told, at=desk.clock.now()))

    @post("/{uuid:uuid}/refunds", operation_id="refundPaymentSession", status_code=201)
    async def refund(
        self,
        uuid: FromPath[UUID],
        data: JSONBody[SessionRefundBody],
        desk: NamedDependency[Desk],
        refund_session: NamedDependency[RefundSession],
    ) -> Response[SessionRefundView]:
        """Give a session's money back, whole or in part. Needs an `Idempotency-Key`.

        It goes to the account that took the money, in a moment.
        """

        def amount(session: PaymentSession) -> Money | None:
            currency = session.amount.total.currency
            if data.amount is None:
                return None
            if wrong := list(check_amount(data.amount, currency, "amount", least=LEAST_AMOUNT)):
                raise Invalid(wrong)
            return money_of(data.amount, currency)

        async def work(tx: Tx, actor: Actor) -> SessionRefundView:
            actor.need(Scope.REFUNDS_WRITE)
            told = await tx.payment_sessions.get(uuid)
            desk.need_key()
            refund = await refund_session(tx, told, amount, data.reason)
            return session_refund_view(refund, uuid)

        return await desk.write_bare(work, status=201)
