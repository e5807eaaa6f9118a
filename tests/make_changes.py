"""Plans to change between, and a subscription in the middle of a paid month.

The month has 31 days and Pro costs 31.00 and 19 %: a day is 1.00, and 1.19 with tax. Ten days in,
21 are left.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from domain.catalog.price import Interval, Recurrence
from domain.catalog.quote import Tax
from domain.kernel.percent import Percent
from domain.subscriptions.accept_change import accept_change
from domain.subscriptions.book import Plan, SubscriptionBook
from domain.subscriptions.change_quote import ChangeMode, ChangeQuote, Wish, quote_change
from domain.subscriptions.pen import Pen
from domain.subscriptions.subscription import PeriodKind, SubscriptionStatus
from tests.fakes.ids import FakeIds
from tests.make import a_uuid, money
from tests.make_subscriptions import (
    a_mandate,
    a_period,
    a_plan,
    a_subscription,
    a_subscription_book,
    days_on,
)

IDS: Final = FakeIds(series=18)
YEAR: Final = Recurrence(Interval.YEAR)
REDUCED: Final = Tax(Percent(70_000), inclusive=False)
TEN_DAYS_IN: Final = days_on(10)

PRO: Final = a_plan(unit_amount=money(31_00))
TEAM: Final = a_plan(price_uuid=a_uuid(91), product_name="Team", unit_amount=money(62_00))
LITE: Final = a_plan(price_uuid=a_uuid(92), product_name="Lite", unit_amount=money(15_50))
FREE: Final = a_plan(price_uuid=a_uuid(93), product_name="Free", unit_amount=money(0))
YEARLY: Final = a_plan(
    price_uuid=a_uuid(94), product_name="Pro", unit_amount=money(310_00), recurrence=YEAR
)
PRO_REDUCED: Final = replace(PRO, tax_rate_uuid=a_uuid(95), tax=REDUCED)
PLANS: Final = (PRO, TEAM, LITE, FREE, YEARLY, PRO_REDUCED)

NOW_PRORATED, NOW_FULL = ChangeMode.NOW_PRORATED, ChangeMode.NOW_FULL
NEXT_PERIOD, NO_BILL = ChangeMode.NEXT_PERIOD, ChangeMode.NO_BILL


def a_running_book(
    plan: Plan = PRO, quantity: int = 1, credit: int = 0, **said: Any
) -> SubscriptionBook:
    """Active, with its month paid and a card to charge. `said`: of the subscription."""
    period = a_period(amount=plan.quote(quantity))
    usual = {
        "price_uuid": plan.price_uuid,
        "product_uuid": plan.product_uuid,
        "tax_rate_uuid": plan.tax_rate_uuid,
        "quantity": quantity,
        "current_period": period,
        "paid_through": period.ends_at,
    }
    book = a_subscription_book(a_subscription(**usual | said), money(credit))
    return replace(book, plans=(plan, *PLANS), mandates=(a_mandate(),))


def a_trial_book(plan: Plan = PRO) -> SubscriptionBook:
    """A month to try it out."""
    trial = a_period(number=0, kind=PeriodKind.TRIAL, amount=FREE.quote(1))
    return a_running_book(
        plan,
        status=SubscriptionStatus.TRIALING,
        current_period=trial,
        trial_ends_at=trial.ends_at,
        paid_through=None,
    )


def quoted(
    book: SubscriptionBook,
    plan: Plan,
    mode: ChangeMode = NOW_PRORATED,
    *,
    quantity: int = 1,
    at: datetime = TEN_DAYS_IN,
) -> ChangeQuote:
    wish = Wish(plan=plan, quantity=quantity, mode=mode)
    return quote_change(book, wish, uuid=IDS.new(), real_now=at)


def accepted(book: SubscriptionBook, quote: ChangeQuote, at: datetime | None = None) -> Pen:
    """With all that was written."""
    pen = Pen(book, IDS, at or quote.at)
    accept_change(pen, quote)
    return pen


def plan_now(book: SubscriptionBook) -> tuple[UUID, UUID | None, int]:
    subscription = book.subscription
    return subscription.price_uuid, subscription.tax_rate_uuid, subscription.quantity
