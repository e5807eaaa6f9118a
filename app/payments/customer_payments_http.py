"""Payments of an app's own amounts, at a tenant's customer of a provider."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.http.caller import bearer_or_key, caller_of
from app.http.desk import KEY_HEADER, fingerprint, given_key
from app.http.envelope import ENCODER, Envelope, one
from app.http.errors import answer_of, respond
from app.payments.customer_payment_schemas import (
    CustomerPaymentBody,
    CustomerPaymentView,
    PayAction,
)
from app.payments.schemas import payment_view
from domain.checkout.book import Book
from domain.checkout.open_session import OpenSession
from domain.checkout.order import Ask
from domain.kernel.errors import DomainError, Invalid, Violation
from domain.kernel.idempotency import Answer
from domain.payments.answers import SequenceType
from domain.payments.payment_provider import provider_named

KIND: Final = "payments"


@dataclass(frozen=True, slots=True)
class RenderPayment:
    """Implements `Render`."""

    def opened(self, book: Book) -> Answer:
        payment = book.payment_of(book.attempts[0])
        assert payment is not None, book.session.uuid
        facts = msgspec.structs.asdict(payment_view(payment))
        url = payment.checkout_url if payment.is_live else None
        view = CustomerPaymentView(**facts, next_action=PayAction(url))
        return Answer(201, ENCODER.encode(one(KIND, view)))

    def refused(self, error: DomainError) -> Answer:
        return answer_of(error)


class CustomerPaymentsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/tenants/{tenant_uuid:uuid}/payment-providers"
    tags = ("Payments",)
    guards = (bearer_or_key,)

    @post("/{provider:str}/payments", operation_id="openCustomerPayment", status_code=201)
    async def open(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        provider: FromPath[str],
        data: JSONBody[CustomerPaymentBody],
        request: Request[Any, Any, Any],
        open_session: NamedDependency[OpenSession],
    ) -> Response[Envelope[CustomerPaymentView]]:
        """Ask a tenant for an amount of your own, or charge one of its mandates with it.

        Send the payer to `nextAction.url`. It is one payment: when it ends, nothing is tried again.
        For prices of the catalogue there are checkout sessions; naming an amount needs the scope
        `billing:write`, which a tenant's users do not have.
        """
        key = given_key(request)
        if data.sequence_type is SequenceType.RECURRING and key is None:
            message = "is required for a recurring payment: one for each thing to be charged"
            raise Invalid([Violation(message, KEY_HEADER)])
        ask = Ask(operation="openCustomerPayment", key=key, fingerprint=await fingerprint(request))
        order = data.order(tenant_uuid, provider_named(provider))
        opened = await open_session(caller_of(request), order, ask, RenderPayment())
        response: Response[Any] = respond(opened.answer)
        if opened.is_replay:
            response.headers["Idempotent-Replayed"] = "true"
        return response
