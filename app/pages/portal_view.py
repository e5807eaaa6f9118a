"""What the billing portal shows, in the customer's language."""

from typing import Any
from zoneinfo import ZoneInfo

from app.pages.languages import Language
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.ports import MandateStatus, PaymentStatus
from domain.subscriptions.portal import Portal
from domain.subscriptions.subscription import Subscription, SubscriptionStatus

_S = SubscriptionStatus
_OWES = frozenset({_S.PAST_DUE, _S.INCOMPLETE})


def portal_values(portal: Portal, language: Language) -> dict[str, Any]:
    return {
        "seller": portal.seller,
        "tenant": portal.tenant.name,
        "subscriptions": [_subscription(s, portal, language) for s in portal.subscriptions],
        "methods": [
            _method(m, language) for m in portal.mandates if m.status is not MandateStatus.INVALID
        ],
        "payments": [
            _payment(p, portal.zone, language) for p in portal.payments if not p.is_verification
        ],
    }


def _subscription(subscription: Subscription, portal: Portal, language: Language) -> dict[str, Any]:
    period = subscription.current_period
    return {
        "uuid": subscription.uuid,
        "name": portal.product_names.get(subscription.product_uuid, ""),
        "quantity": subscription.quantity,
        "status": language.words["subscription_words"][subscription.status],
        "is_bad": subscription.status in _OWES,
        "amount": language.money(period.amount.total),
        "when": _when(subscription, portal.zone, language),
        "can_cancel": not subscription.has_ended and subscription.cancel_at is None,
        "can_keep": not subscription.has_ended and subscription.cancel_at is not None,
        "can_pay": not subscription.has_ended,
        "owes": subscription.status is _S.PAST_DUE,
        "until": language.date(period.ends_at, portal.zone),
    }


def _when(subscription: Subscription, zone: ZoneInfo, language: Language) -> str | None:
    if subscription.has_ended or subscription.status is _S.INCOMPLETE:
        return None
    if subscription.cancel_at is not None:
        return language.say("ends_on", date=language.date(subscription.cancel_at, zone))
    if subscription.status is _S.PAUSED:
        return None
    return language.say("renews_on", date=language.date(subscription.current_period.ends_at, zone))


def _method(mandate: Mandate, language: Language) -> dict[str, Any]:
    details = mandate.details
    number = details.get("cardNumber") or details.get("consumerAccount")
    label = details.get("cardLabel") or language.words["method_words"].get(mandate.method)
    return {
        "name": f"{label or mandate.method} •••• {number}" if number else label or mandate.method,
        "expires": _month(details.get("cardExpiryDate")),
        "is_default": mandate.is_default,
    }


def _payment(payment: Payment, zone: ZoneInfo, language: Language) -> dict[str, Any]:
    back = payment.refunded.minor > 0
    word = "refunded" if back and not payment.refunded < payment.amount else payment.status
    return {
        "date": language.date(payment.paid_at or payment.created_at, zone),
        "amount": language.money(payment.amount),
        "status": language.words["payment_words"][word],
        "is_bad": payment.status is PaymentStatus.FAILED,
        "refunded": language.say("refunded_part", amount=language.money(payment.refunded))
        if back and word != "refunded"
        else None,
    }


def _month(day: str | None) -> str | None:
    """As on the card: 12/2039 for 2039-12-31."""
    return f"{day[5:7]}/{day[:4]}" if day else None
