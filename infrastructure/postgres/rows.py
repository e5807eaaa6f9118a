"""Rows of checkout and payments, to entities and back. No SQL is run here."""

from typing import Any, Final

import msgspec

from domain.catalog.quote import Quote
from domain.checkout.collection import Collected
from domain.checkout.session import (
    CheckoutSession,
    Mode,
    SessionPaymentStatus,
    SessionStatus,
    Terms,
)
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.money import Currency, Money
from domain.payments.answers import (
    CaptureStatus,
    MandateStatus,
    PaymentStatus,
    RefundStatus,
    SequenceType,
)
from domain.payments.attempt import AttemptStatus, PaymentAttempt
from domain.payments.capture import Capture
from domain.payments.chargeback import Chargeback
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.refund import Refund, RefundReason

SESSION: Final = """app_uuid, uuid, id, tenant_uuid, user_uuid, payment_provider_uuid, mode,
    status, payment_status, price_uuid, tax_rate_uuid, quantity, trial_days, subscription_uuid,
    bill_uuids, currency, subtotal_minor, tax_minor, total_minor, terms, link_token,
    collected, provider_ref, next_action_url, expires_at, due_at, created_at, updated_at"""

ATTEMPT: Final = """app_uuid, uuid, checkout_session_uuid, bill_uuid, number,
    payment_provider_uuid, tenant_uuid, status, request, decline_reason, first_submitted_at,
    tries, lease_until, due_at, created_at, updated_at"""

PAYMENT: Final = """app_uuid, uuid, payment_provider_uuid, provider_ref, tenant_uuid,
    attempt_uuid, checkout_session_uuid, bill_uuid, is_surplus, is_verification, sequence_type,
    status, method, currency, amount_minor, captured_minor, tax_minor, refunded_minor,
    charged_back_minor,
    failure_reason, checkout_url, customer_ref, mandate_ref, paid_at, due_at, created_at,
    updated_at"""

REFUND: Final = """app_uuid, uuid, payment_provider_uuid, payment_uuid, reason, status,
    provider_ref, currency, amount_minor, description, decline_reason, first_submitted_at,
    tries, lease_until, due_at, created_at, updated_at"""

CAPTURE: Final = """app_uuid, uuid, payment_provider_uuid, payment_uuid, status, provider_ref,
    currency, amount_minor, description, decline_reason, first_submitted_at, tries, lease_until,
    due_at, created_at, updated_at"""

CHARGEBACK: Final = """app_uuid, uuid, payment_provider_uuid, payment_uuid, provider_ref,
    currency, amount_minor, reason, received_at, reversed_at, created_at, updated_at"""

MANDATE: Final = """app_uuid, uuid, payment_provider_uuid, tenant_uuid, customer_ref,
    provider_ref, method, status, is_default, details, created_at, updated_at"""


def quoted(row: Any) -> Quote:
    currency = Currency(row["currency"])
    return Quote(
        Money(row["subtotal_minor"], currency),
        Money(row["tax_minor"], currency),
        Money(row["total_minor"], currency),
    )


def session_of(row: Any) -> CheckoutSession:
    return CheckoutSession(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        id=row["id"],
        tenant_uuid=TenantUuid(row["tenant_uuid"]),
        user_uuid=row["user_uuid"],
        payment_provider_uuid=row["payment_provider_uuid"],
        mode=Mode(row["mode"]),
        status=SessionStatus(row["status"]),
        payment_status=SessionPaymentStatus(row["payment_status"]),
        price_uuid=row["price_uuid"],
        tax_rate_uuid=row["tax_rate_uuid"],
        quantity=row["quantity"],
        trial_days=row["trial_days"],
        subscription_uuid=row["subscription_uuid"],
        bill_uuids=tuple(row["bill_uuids"]),
        amount=quoted(row),
        terms=msgspec.convert(row["terms"], Terms),
        link_token=row["link_token"],
        collected=_collected(row["collected"]),
        provider_ref=row["provider_ref"],
        next_action_url=row["next_action_url"],
        expires_at=row["expires_at"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _collected(stored: Any) -> Collected | None:
    return None if stored is None else msgspec.convert(stored, Collected)


def attempt_of(row: Any) -> PaymentAttempt:
    return PaymentAttempt(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        checkout_session_uuid=row["checkout_session_uuid"],
        bill_uuid=row["bill_uuid"],
        number=row["number"],
        payment_provider_uuid=row["payment_provider_uuid"],
        tenant_uuid=TenantUuid(row["tenant_uuid"]),
        status=AttemptStatus(row["status"]),
        request=row["request"],
        decline_reason=row["decline_reason"],
        first_submitted_at=row["first_submitted_at"],
        tries=row["tries"],
        lease_until=row["lease_until"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def payment_of(row: Any) -> Payment:
    currency, captured = Currency(row["currency"]), row["captured_minor"]
    return Payment(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        payment_provider_uuid=row["payment_provider_uuid"],
        provider_ref=row["provider_ref"],
        tenant_uuid=TenantUuid(row["tenant_uuid"]),
        attempt_uuid=row["attempt_uuid"],
        checkout_session_uuid=row["checkout_session_uuid"],
        bill_uuid=row["bill_uuid"],
        is_surplus=row["is_surplus"],
        is_verification=row["is_verification"],
        sequence_type=SequenceType(row["sequence_type"]),
        status=PaymentStatus(row["status"]),
        method=row["method"],
        amount=Money(row["amount_minor"], currency),
        captured=None if captured is None else Money(captured, currency),
        tax=Money(row["tax_minor"], currency),
        refunded=Money(row["refunded_minor"], currency),
        charged_back=Money(row["charged_back_minor"], currency),
        failure_reason=row["failure_reason"],
        checkout_url=row["checkout_url"],
        customer_ref=row["customer_ref"],
        mandate_ref=row["mandate_ref"],
        paid_at=row["paid_at"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def refund_of(row: Any) -> Refund:
    return Refund(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        payment_provider_uuid=row["payment_provider_uuid"],
        payment_uuid=row["payment_uuid"],
        reason=RefundReason(row["reason"]),
        status=RefundStatus(row["status"]),
        provider_ref=row["provider_ref"],
        amount=Money(row["amount_minor"], Currency(row["currency"])),
        description=row["description"],
        decline_reason=row["decline_reason"],
        first_submitted_at=row["first_submitted_at"],
        tries=row["tries"],
        lease_until=row["lease_until"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def capture_of(row: Any) -> Capture:
    return Capture(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        payment_provider_uuid=row["payment_provider_uuid"],
        payment_uuid=row["payment_uuid"],
        status=CaptureStatus(row["status"]),
        provider_ref=row["provider_ref"],
        amount=Money(row["amount_minor"], Currency(row["currency"])),
        description=row["description"],
        decline_reason=row["decline_reason"],
        first_submitted_at=row["first_submitted_at"],
        tries=row["tries"],
        lease_until=row["lease_until"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def chargeback_of(row: Any) -> Chargeback:
    return Chargeback(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        payment_provider_uuid=row["payment_provider_uuid"],
        payment_uuid=row["payment_uuid"],
        provider_ref=row["provider_ref"],
        amount=Money(row["amount_minor"], Currency(row["currency"])),
        reason=row["reason"],
        received_at=row["received_at"],
        reversed_at=row["reversed_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def mandate_of(row: Any) -> Mandate:
    return Mandate(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        payment_provider_uuid=row["payment_provider_uuid"],
        tenant_uuid=TenantUuid(row["tenant_uuid"]),
        customer_ref=row["customer_ref"],
        provider_ref=row["provider_ref"],
        method=row["method"],
        status=MandateStatus(row["status"]),
        is_default=row["is_default"],
        details=row["details"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
