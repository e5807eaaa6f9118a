"""How payment sessions look: bare objects, as this one family of routes gives them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from app.http.bodies import Body
from app.http.envelope import ENCODER, Timestamp, stamp
from app.http.errors import answer_of
from app.orchestration.amounts import Amount, decimal_of
from domain.kernel.errors import DomainError
from domain.kernel.idempotency import Answer
from domain.kernel.money import Money
from domain.orchestration.decision import Strategy
from domain.orchestration.payment_session import Status, Told, status_of
from domain.payments.answers import RefundStatus
from domain.payments.refund import FELL_THROUGH, Refund

OfScore = Annotated[
    Decimal,
    Meta(
        description="Of the account that was selected, from 0 to 100, when the session was opened; "
        "null where none was worked out. It is no probability that a shopper pays",
        extra_json_schema={"examples": [84.9]},
    ),
]


class RoutingChoiceView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the shopper is led, and why."""

    selected_provider: str
    score: OfScore | None
    strategy: Strategy
    decision_id: UUID


class OpenedPaymentSessionView(Struct, frozen=True, kw_only=True, rename="camel"):
    session_id: UUID
    checkout_url: str | None
    """Null when there is nothing left to do."""
    status: Status
    routing: RoutingChoiceView
    expires_at: Timestamp
    created_at: Timestamp


class SessionAmountView(Struct, frozen=True, kw_only=True, rename="camel"):
    total: Amount
    shipping: Amount
    tax: Amount


class PaymentSessionView(OpenedPaymentSessionView, frozen=True, kw_only=True, rename="camel"):
    tenant_uuid: UUID
    order_reference: str
    currency: str
    amount: SessionAmountView
    refunded: Amount
    checkout_session_uuid: UUID | None
    payment_uuid: UUID | None
    email: str | None
    phone: str | None
    shipping: dict[str, Any] | None
    additional_information: dict[str, Any]


class RenderSession:
    """Implements `Render`: the bytes that are sent, and kept for repeats."""

    def opened(self, told: Told) -> Answer:
        view = OpenedPaymentSessionView(**_facts(told, told.session.created_at))
        return Answer(200, ENCODER.encode(view))

    def refused(self, error: DomainError) -> Answer:
        return answer_of(error)


def session_view(told: Told, *, at: datetime) -> PaymentSessionView:
    session, outcome = told.session, told.outcome
    total, notes = session.amount.total, session.notes
    refunded = Money(outcome.refunded_minor, total.currency)
    return PaymentSessionView(
        **_facts(told, at),
        tenant_uuid=session.tenant_uuid,
        order_reference=session.order_reference,
        currency=total.currency,
        amount=SessionAmountView(
            total=decimal_of(total),
            shipping=decimal_of(session.shipping),
            tax=decimal_of(session.amount.tax),
        ),
        refunded=decimal_of(refunded),
        checkout_session_uuid=outcome.checkout_uuid,
        payment_uuid=outcome.payment_uuid,
        email=notes["email"],
        phone=notes["phone"],
        shipping=notes["shipping"],
        additional_information=notes["additionalInformation"],
    )


def _facts(told: Told, at: datetime) -> dict[str, Any]:
    decision, session = told.decision, told.session
    status = status_of(session, told.outcome, at=at)
    is_payable = status is Status.PENDING
    return {
        "session_id": session.uuid,
        "checkout_url": told.outcome.checkout_url if is_payable else None,
        "status": status,
        "routing": RoutingChoiceView(
            selected_provider=decision.candidate(told.account_uuid).provider,
            score=decision.score_of(told.account_uuid),
            strategy=decision.strategy,
            decision_id=decision.uuid,
        ),
        "expires_at": stamp(session.expires_at),
        "created_at": stamp(session.created_at),
    }


class SessionRefundBody(Body, frozen=True, kw_only=True):
    """Without `amount`, all that is left is given back."""

    amount: Amount | None = None
    reason: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=255,
                pattern=r"^[^\x00-\x1f\x7f]+$",
                description="Why, in your own words. The shopper does not see it",
                examples=["REQUESTED_BY_CUSTOMER"],
            ),
        ]
        | None
    ) = None
    line_items: (
        Annotated[
            list[dict[str, Any]],
            Meta(
                max_length=100,
                description="What goes back, in your own words: neither checked nor kept",
                examples=[[{"sku": "WH-100", "quantity": 1}]],
            ),
        ]
        | None
    ) = None


class SessionRefundView(Struct, frozen=True, kw_only=True, rename="camel"):
    refund_id: UUID
    session_id: UUID
    status: Annotated[str, Meta(description="`PENDING`, `COMPLETED` or `FAILED`")]
    amount: Amount
    currency: str
    reason: str | None
    created_at: Timestamp


def session_refund_view(refund: Refund, session_uuid: UUID) -> SessionRefundView:
    status = "COMPLETED" if refund.status is RefundStatus.REFUNDED else "PENDING"
    return SessionRefundView(
        refund_id=refund.uuid,
        session_id=session_uuid,
        status="FAILED" if refund.status in FELL_THROUGH else status,
        amount=decimal_of(refund.amount),
        currency=refund.amount.currency,
        reason=refund.description,
        created_at=stamp(refund.created_at),
    )
