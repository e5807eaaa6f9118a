"""Views of what a tenant has paid, and may be charged with."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from app.http.bodies import Body
from app.http.envelope import Timestamp, maybe_stamp, stamp
from app.http.fields import AMOUNT_MAX, check_line
from domain.kernel.errors import Violation
from domain.payments.answers import RefundStatus
from domain.payments.capture import Capture
from domain.payments.chargeback import Chargeback
from domain.payments.mandate import Mandate
from domain.payments.one_time_payment import OneTimePayment
from domain.payments.payment import Payment
from domain.payments.refund import Refund
from domain.payments.request_capture import WantedCapture
from domain.payments.request_refund import WantedRefund

PartOfPayment = Annotated[
    int, Meta(ge=1, le=AMOUNT_MAX, description="In minor units of the payment's currency")
]


class PaymentView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Amounts are integer minor units of `currency`."""

    uuid: UUID
    app_uuid: UUID
    tenant_uuid: UUID
    payment_provider_uuid: UUID
    checkout_session_uuid: UUID | None
    bill_uuid: UUID | None
    """What it was asked for: a checkout session, or a subscription's bill."""
    payment_id: str
    """The provider's reference."""
    status: str
    sequence_type: str
    method: str | None
    currency: str
    amount: int
    """What is asked for; once it is paid, what was captured of that."""
    amount_captured: int | None
    """Null where money is not held first."""
    amount_refunded: int
    amount_charged_back: int
    failure_reason: str | None
    is_surplus: bool
    """Money that bought nothing and is being given back."""
    paid_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp


def payment_view(payment: Payment) -> PaymentView:
    return PaymentView(
        uuid=payment.uuid,
        app_uuid=payment.app_uuid,
        tenant_uuid=payment.tenant_uuid,
        payment_provider_uuid=payment.payment_provider_uuid,
        checkout_session_uuid=payment.checkout_session_uuid,
        bill_uuid=payment.bill_uuid,
        payment_id=payment.provider_ref,
        status=payment.status,
        sequence_type=payment.sequence_type,
        method=payment.method,
        currency=payment.amount.currency,
        amount=payment.amount.minor,
        amount_captured=None if payment.captured is None else payment.captured.minor,
        amount_refunded=payment.refunded.minor,
        amount_charged_back=payment.charged_back.minor,
        failure_reason=payment.failure_reason,
        is_surplus=payment.is_surplus,
        paid_at=maybe_stamp(payment.paid_at),
        created_at=stamp(payment.created_at),
        updated_at=stamp(payment.updated_at),
    )


class OneTimePaymentView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    app_uuid: UUID
    tenant_uuid: UUID
    user_uuid: UUID | None
    payment_provider_uuid: UUID
    checkout_session_uuid: UUID
    payment_uuid: UUID
    product_uuid: UUID
    product_price_uuid: UUID
    tax_rate_uuid: UUID | None
    units: int
    currency: str
    amount_subtotal: int
    amount_tax: int
    amount_total: int
    paid_at: Timestamp
    created_at: Timestamp
    updated_at: Timestamp


def one_time_payment_view(purchase: OneTimePayment) -> OneTimePaymentView:
    return OneTimePaymentView(
        uuid=purchase.uuid,
        app_uuid=purchase.app_uuid,
        tenant_uuid=purchase.tenant_uuid,
        user_uuid=purchase.user_uuid,
        payment_provider_uuid=purchase.payment_provider_uuid,
        checkout_session_uuid=purchase.checkout_session_uuid,
        payment_uuid=purchase.payment_uuid,
        product_uuid=purchase.product_uuid,
        product_price_uuid=purchase.price_uuid,
        tax_rate_uuid=purchase.tax_rate_uuid,
        units=purchase.units,
        currency=purchase.amount.total.currency,
        amount_subtotal=purchase.amount.subtotal.minor,
        amount_tax=purchase.amount.tax.minor,
        amount_total=purchase.amount.total.minor,
        paid_at=stamp(purchase.paid_at),
        created_at=stamp(purchase.created_at),
        updated_at=stamp(purchase.updated_at),
    )


class PaymentMethodView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    app_uuid: UUID
    tenant_uuid: UUID
    payment_provider_uuid: UUID
    customer_id: str
    payment_method_id: str
    """The mandate's reference at the provider."""
    method: str
    status: str
    is_default: bool
    """Whether a subscription without a payment method of its own is charged on it."""
    details: dict[str, str]
    created_at: Timestamp
    updated_at: Timestamp


def payment_method_view(mandate: Mandate) -> PaymentMethodView:
    return PaymentMethodView(
        uuid=mandate.uuid,
        app_uuid=mandate.app_uuid,
        tenant_uuid=mandate.tenant_uuid,
        payment_provider_uuid=mandate.payment_provider_uuid,
        customer_id=mandate.customer_ref,
        payment_method_id=mandate.provider_ref,
        method=mandate.method,
        status=mandate.status,
        is_default=mandate.is_default,
        details=dict(mandate.details),
        created_at=stamp(mandate.created_at),
        updated_at=stamp(mandate.updated_at),
    )


class CaptureBody(Body, frozen=True, kw_only=True):
    """Without `amount`, all that is left is captured."""

    amount: PartOfPayment | None = None
    description: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=255,
                description="What the payer may read",
            ),
        ]
        | None
    ) = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("description"), "description")

    def wanted(self, payment_uuid: UUID) -> WantedCapture:
        return WantedCapture(
            payment_uuid=payment_uuid, amount_minor=self.amount, description=self.description
        )


class CaptureView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    app_uuid: UUID
    payment_uuid: UUID
    payment_provider_uuid: UUID
    capture_id: str | None
    """The provider's reference; null until it has the capture."""
    status: str
    currency: str
    amount: int
    description: str | None
    decline_reason: str | None
    created_at: Timestamp
    updated_at: Timestamp


def capture_view(capture: Capture) -> CaptureView:
    return CaptureView(
        uuid=capture.uuid,
        app_uuid=capture.app_uuid,
        payment_uuid=capture.payment_uuid,
        payment_provider_uuid=capture.payment_provider_uuid,
        capture_id=capture.provider_ref,
        status=capture.status,
        currency=capture.amount.currency,
        amount=capture.amount.minor,
        description=capture.description,
        decline_reason=capture.decline_reason,
        created_at=stamp(capture.created_at),
        updated_at=stamp(capture.updated_at),
    )


class RefundBody(Body, frozen=True, kw_only=True):
    """Without `amount`, all that is left of the payment is given back."""

    amount: PartOfPayment | None = None
    description: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=255,
                description="Why, in your own words. The shopper does not see it",
            ),
        ]
        | None
    ) = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("description"), "description")

    def wanted(self, payment_uuid: UUID) -> WantedRefund:
        return WantedRefund(
            payment_uuid=payment_uuid, amount_minor=self.amount, description=self.description
        )


class RefundView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    app_uuid: UUID
    payment_uuid: UUID
    payment_provider_uuid: UUID
    refund_id: str | None
    """The provider's reference; null until it has the refund."""
    reason: str
    status: str
    currency: str
    amount: int
    description: str | None
    decline_reason: str | None
    scheduled_at: Timestamp | None
    """When it is sent to the provider; null once that has begun."""
    created_at: Timestamp
    updated_at: Timestamp


def refund_view(refund: Refund) -> RefundView:
    waits = refund.status is RefundStatus.REQUESTED and refund.tries == 0
    return RefundView(
        uuid=refund.uuid,
        app_uuid=refund.app_uuid,
        payment_uuid=refund.payment_uuid,
        payment_provider_uuid=refund.payment_provider_uuid,
        refund_id=refund.provider_ref,
        reason=refund.reason,
        status=refund.status,
        currency=refund.amount.currency,
        amount=refund.amount.minor,
        description=refund.description,
        decline_reason=refund.decline_reason,
        scheduled_at=stamp(refund.due_at) if waits else None,
        created_at=stamp(refund.created_at),
        updated_at=stamp(refund.updated_at),
    )


class ChargebackView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    app_uuid: UUID
    payment_uuid: UUID
    payment_provider_uuid: UUID
    chargeback_id: str
    """The provider's reference."""
    currency: str
    amount: int
    reason: str | None
    """The bank's code, where it gives one."""
    received_at: Timestamp
    reversed_at: Timestamp | None
    """When the bank gave the money to us again."""
    created_at: Timestamp
    updated_at: Timestamp


def chargeback_view(chargeback: Chargeback) -> ChargebackView:
    return ChargebackView(
        uuid=chargeback.uuid,
        app_uuid=chargeback.app_uuid,
        payment_uuid=chargeback.payment_uuid,
        payment_provider_uuid=chargeback.payment_provider_uuid,
        chargeback_id=chargeback.provider_ref,
        currency=chargeback.amount.currency,
        amount=chargeback.amount.minor,
        reason=chargeback.reason,
        received_at=stamp(chargeback.received_at),
        reversed_at=maybe_stamp(chargeback.reversed_at),
        created_at=stamp(chargeback.created_at),
        updated_at=stamp(chargeback.updated_at),
    )
