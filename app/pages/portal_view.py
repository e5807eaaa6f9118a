"""What the billing portal shows, in the customer's language."""

from typing import Any
from zoneinfo import ZoneInfo

from app.pages.languages import Language
from domain.payments.answers import MandateStatus, PaymentStatus
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.subscriptions.portal import Holding, Portal
from domain.subscriptions.subscription import Subscription, SubscriptionStatus

_S = SubscriptionStatus


def portal_values(portal: Portal, language: Language) -> dict[str, Any]:
    return {
        "seller": portal.seller,
        "tenant": portal.tenant.name,
        "subscriptions": [_subscription(h, portal, language) for h in portal.holdings],
        "methods": [
            _method(m, language) for m in portal.mandates if m.status is not MandateStatus.INVALID
        ],
        "payments": [
            _payment(p, portal.zone, language) for p in portal.payments if not p.is_verification
        ],
    }


def _subscription(holding: Holding, portal: Portal, language: Language) -> dict[str, Any]:
    subscription, owes = holding.subscription, holding.open.minor > 0
    is_living = not subscription.has_ended
    open_shown = language.money(holding.open)
    return {
        "uuid": subscription.uuid,
        "name": holding.product_name,
        "quantity": subscription.quantity,
        "status": language.words["subscription_words"][subscription.status],
        "is_bad": owes,
        "amount": language.money(holding.price),
        "when": _when(subscription, portal.zone, language),
        "owes": language.say("owes", amount=open_shown) if owes and is_living else None,
        "can_cancel": is_living and subscription.cancel_at is None,
        "can_keep": is_living and subscription.cancel_at is not None,
        "can_pay": is_living,
        "pay": language.say("pay_open", amount=open_shown) if owes else None,
        "sure": _sure(holding, portal, language) if is_living else None,
    }


def _sure(holding: Holding, portal: Portal, language: Language) -> str:
    """What canceling means, as things stand."""
    ends_at = holding.subscription.current_period.ends_at
    if ends_at <= portal.now and holding.subscription.test_clock_uuid is None:
        return language.say("cancel_ends_now")
    until = min(holding.access_until or ends_at, ends_at)
    word = "cancel_owing" if holding.open.minor else "cancel_sure"
    return language.say(word, date=language.date(until, portal.zone))


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
