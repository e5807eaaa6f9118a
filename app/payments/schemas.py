"""Views of what a tenant has paid, and may be charged with."""

from uuid import UUID

from msgspec import Struct

from app.http.envelope import Timestamp, maybe_stamp, stamp
from domain.payments.mandate import Mandate
from domain.payments.one_time_payment import OneTimePayment
from domain.payments.payment import Payment


class PaymentView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Amounts are integer minor units of `currency`."""

    uuid: UUID
    app_uuid: UUID
    tenant_uuid: UUID
    payment_provider_uuid: UUID
    checkout_session_uuid: UUID
    payment_id: str
    """The provider's reference."""
    status: str
    sequence_type: str
    method: str | None
    currency: str
    amount: int
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
        payment_id=payment.provider_ref,
        status=payment.status,
        sequence_type=payment.sequence_type,
        method=payment.method,
        currency=payment.amount.currency,
        amount=payment.amount.minor,
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
        details=dict(mandate.details),
        created_at=stamp(mandate.created_at),
        updated_at=stamp(mandate.updated_at),
    )
