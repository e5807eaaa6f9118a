"""Makers of checkout's entities, and of what a provider says about a payment."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from domain.catalog.quote import Quote
from domain.checkout.book import Book
from domain.checkout.session import CheckoutSession, Mode, Terms
from domain.payments.answers import (
    MandateStatus,
    PaymentStatus,
    ProviderMandate,
    ProviderPayment,
    ProviderRefund,
    RefundStatus,
    SequenceType,
)
from domain.payments.attempt import PaymentAttempt
from domain.payments.payment import Payment
from domain.payments.sighting import Sighting
from tests.fakes.clock import NOON
from tests.make import APP, TENANT, USER, a_uuid, money

ACCOUNT: Final = a_uuid(51)
SESSION: Final = a_uuid(52)
ATTEMPT: Final = a_uuid(53)
PRICE: Final = a_uuid(54)
PRODUCT: Final = a_uuid(55)
TOTAL: Final = money(11_89)
LEASE: Final = timedelta(seconds=30)
TERMS: Final = Terms(
    payment_method="card",
    description="Pro Plan",
    success_url="https://app.test/{CHECKOUT_SESSION_UUID}/ok",
    cancel_url="https://app.test/{CHECKOUT_SESSION_UUID}/no",
)


def a_session(**said: Any) -> CheckoutSession:
    usual = {
        "uuid": SESSION,
        "app_uuid": APP,
        "tenant_uuid": TENANT,
        "user_uuid": USER,
        "payment_provider_uuid": ACCOUNT,
        "mode": Mode.PAYMENT,
        "price_uuid": PRICE,
        "tax_rate_uuid": None,
        "quantity": 1,
        "amount": Quote(money(9_99), money(1_90), TOTAL),
        "terms": TERMS,
        "link_token": "secret",
        "expires_at": NOON + timedelta(days=1),
        "due_at": NOON + timedelta(days=1),
        "created_at": NOON,
        "updated_at": NOON,
    }
    if said.get("mode") is Mode.SETUP:
        usual["price_uuid"] = None
    return CheckoutSession(**usual | said)


def an_attempt(**said: Any) -> PaymentAttempt:
    usual = {
        "uuid": ATTEMPT,
        "app_uuid": APP,
        "checkout_session_uuid": SESSION,
        "number": 1,
        "payment_provider_uuid": ACCOUNT,
        "tenant_uuid": TENANT,
        "request": b"{}",
        "first_submitted_at": NOON,
        "lease_until": NOON + LEASE,
        "due_at": NOON + LEASE,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return PaymentAttempt(**usual | said)


def a_book(*attempts: PaymentAttempt, **said: Any) -> Book:
    return Book(session=a_session(**said), attempts=attempts or (an_attempt(),))


def a_payment(**said: Any) -> Payment:
    usual = {
        "uuid": a_uuid(61),
        "app_uuid": APP,
        "payment_provider_uuid": ACCOUNT,
        "provider_ref": "tr_1",
        "tenant_uuid": TENANT,
        "attempt_uuid": ATTEMPT,
        "checkout_session_uuid": SESSION,
        "sequence_type": SequenceType.ONEOFF,
        "status": PaymentStatus.OPEN,
        "amount": TOTAL,
        "tax": money(0),
        "refunded": money(0),
        "charged_back": money(0),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Payment(**usual | said)


def said(status: PaymentStatus, **facts: Any) -> ProviderPayment:
    """What the provider says about a payment, by default about `tr_1` of the usual attempt."""
    usual = {
        "ref": "tr_1",
        "status": status,
        "amount": TOTAL,
        "sequence_type": SequenceType.ONEOFF,
        "refunded": money(0),
        "charged_back": money(0),
        "attempt_uuid": ATTEMPT,
        "method": "card",
        "customer_ref": "cst_1",
        "created_at": NOON,
    }
    if status is PaymentStatus.OPEN:
        usual["checkout_url"] = "https://provider.test/tr_1"
    if status is PaymentStatus.PAID:
        usual["paid_at"] = NOON + timedelta(minutes=1)
    return ProviderPayment(**usual | facts)


def a_sighting(payment: ProviderPayment, *, after_s: int = 60, **facts: Any) -> Sighting:
    at = NOON + timedelta(seconds=after_s)
    return Sighting(**{"account_uuid": ACCOUNT, "payment": payment, "at": at} | facts)


def a_seen_mandate(status: MandateStatus, **facts: Any) -> ProviderMandate:
    usual = {"ref": "mdt_1", "customer_ref": "cst_1", "method": "card", "details": {}}
    return ProviderMandate(**usual | {"status": status} | facts)


def a_seen_refund(uuid: UUID, status: RefundStatus, **facts: Any) -> ProviderRefund:
    usual = {
        "ref": "re_1",
        "amount": TOTAL,
        "refund_uuid": uuid,
        "status": status,
        "payment_ref": "tr_1",
        "created_at": NOON,
    }
    return ProviderRefund(**usual | facts)
