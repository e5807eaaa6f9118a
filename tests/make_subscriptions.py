"""Makers of plans, mandates, bills and whole subscriptions."""

from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from domain.catalog.price import Interval, Recurrence
from domain.catalog.quote import Quote
from domain.kernel.money import Money
from domain.payments.answers import MandateStatus
from domain.payments.chargeback import Chargeback
from domain.payments.mandate import Mandate
from domain.subscriptions.bill import Bill, BillKind, Line
from domain.subscriptions.book import Plan, SubscriptionBook
from domain.subscriptions.policy import BillingPolicy
from domain.subscriptions.subscription import Period, Subscription, SubscriptionStatus
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.make import APP, TENANT, USER, a_uuid, money
from tests.make_checkout import ACCOUNT, PRICE, PRODUCT
from tests.make_ledger import VAT, a_quote

_ids: Final = FakeIds(series=17)

SUBSCRIPTION: Final = a_uuid(81)
MANDATE: Final = a_uuid(82)
MONTH: Final = Recurrence(Interval.MONTH)
A_MONTH_ON: Final = NOON + timedelta(days=31)
"""20 March to 20 April."""
AMOUNT: Final = a_quote(10_00, 1_90)


def a_plan(**said: Any) -> Plan:
    usual = {
        "price_uuid": PRICE,
        "product_uuid": PRODUCT,
        "product_name": "Pro Plan",
        "unit_amount": money(10_00),
        "recurrence": MONTH,
        "tax_rate_uuid": a_uuid(83),
        "tax": VAT,
    }
    return Plan(**usual | said)


def a_policy(**said: Any) -> BillingPolicy:
    usual = {"app_uuid": APP, "created_at": NOON, "updated_at": NOON}
    return BillingPolicy(**usual | said)


def a_mandate(status: MandateStatus = MandateStatus.VALID, **said: Any) -> Mandate:
    usual = {
        "uuid": MANDATE,
        "app_uuid": APP,
        "payment_provider_uuid": ACCOUNT,
        "tenant_uuid": TENANT,
        "customer_ref": "cst_1",
        "provider_ref": "mdt_1",
        "method": "card",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Mandate(**usual | {"status": status} | said)


def a_period(**said: Any) -> Period:
    usual = {"number": 1, "starts_at": NOON, "ends_at": A_MONTH_ON, "amount": AMOUNT}
    return Period(**usual | said)


def a_subscription(**said: Any) -> Subscription:
    usual = {
        "uuid": SUBSCRIPTION,
        "app_uuid": APP,
        "tenant_uuid": TENANT,
        "user_uuid": USER,
        "payment_provider_uuid": ACCOUNT,
        "product_uuid": PRODUCT,
        "price_uuid": PRICE,
        "tax_rate_uuid": None,
        "quantity": 1,
        "status": SubscriptionStatus.ACTIVE,
        "anchor_at": NOON,
        "current_period": a_period(),
        "due_at": A_MONTH_ON,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Subscription(**usual | said)


def a_line(**said: Any) -> Line:
    usual = {
        "description": "Pro Plan",
        "quantity": 1,
        "subtotal_minor": AMOUNT.subtotal.minor,
        "tax_minor": AMOUNT.tax.minor,
        "total_minor": AMOUNT.total.minor,
        "starts_at": NOON,
        "ends_at": A_MONTH_ON,
    }
    return Line(**usual | said)


def a_bill(subscription: Subscription, **said: Any) -> Bill:
    """An open one, of the first period."""
    amount: Quote = said.get("amount", AMOUNT)
    usual = {
        "uuid": _ids.new(),
        "app_uuid": subscription.app_uuid,
        "subscription_uuid": subscription.uuid,
        "tenant_uuid": subscription.tenant_uuid,
        "payment_provider_uuid": subscription.payment_provider_uuid,
        "kind": BillKind.PERIOD,
        "period_number": 1,
        "lines": (a_line(),),
        "amount": amount,
        "balance_applied": amount.total - amount.total,
        "open": amount.total,
        "issued_at": NOON,
        "created_at": NOON,
        "updated_at": NOON,
    }
    if said.get("kind") is BillKind.CHANGE:
        usual["period_number"] = None
    return Bill(**usual | said)


def a_chargeback(**said: Any) -> Chargeback:
    usual = {
        "uuid": _ids.new(),
        "app_uuid": APP,
        "payment_provider_uuid": ACCOUNT,
        "provider_ref": "chb_1",
        "amount": AMOUNT.total,
        "received_at": NOON,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Chargeback(**usual | said)


def a_subscription_book(
    subscription: Subscription | None = None, balance: Money | None = None, **said: Any
) -> SubscriptionBook:
    """A new one's: its period is still to be written."""
    subscription = subscription or a_subscription()
    book = SubscriptionBook(
        subscription=subscription,
        plans=(a_plan(price_uuid=subscription.price_uuid, tax_rate_uuid=None, tax=None),),
        policy=a_policy(),
        balance=balance or money(0),
    )
    book = book.with_period(subscription.current_period)
    return replace(book, **said)


def days_on(days: float) -> datetime:
    return NOON + timedelta(days=days)
