"""How a subscription begins: paid at a checkout, on trial, or charged on a stored mandate. Pure."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.kernel.ids import AppUuid, Ids, TenantUuid, UserUuid
from domain.kernel.money import Money
from domain.payments.mandate import Mandate
from domain.subscriptions.bill import BillKind, Line
from domain.subscriptions.book import Plan, SubscriptionBook
from domain.subscriptions.collect import settle_bill
from domain.subscriptions.pen import Pen
from domain.subscriptions.period import boundary
from domain.subscriptions.policy import BillingPolicy
from domain.subscriptions.renew import begin_period, new_bill
from domain.subscriptions.subscription import (
    HistoryRow,
    Period,
    PeriodKind,
    Subscription,
    SubscriptionStatus,
)
from domain.subscriptions.trial import trial_end

_S = SubscriptionStatus


class Grounds(Struct, frozen=True, kw_only=True):
    """What a new subscription stands on."""

    plan: Plan
    trial_days: int
    """Of its price."""
    policy: BillingPolicy
    clock: tuple[UUID, datetime] | None
    """The tenant's test clock and what it shows."""
    mandates: tuple[Mandate, ...]
    balance: Money
    tax_id_country: str | None = None
    """Of the tax id that the tenant has given last, on a page of ours."""


class Wanted(Struct, frozen=True, kw_only=True):
    app_uuid: AppUuid
    tenant_uuid: TenantUuid
    user_uuid: UserUuid | None
    payment_provider_uuid: UUID
    checkout_session_uuid: UUID | None = None
    mandate_uuid: UUID | None = None
    tax_id_country: str | None = None
    quantity: int


def begin(
    wanted: Wanted, grounds: Grounds, *, paid_at: datetime | None, real_now: datetime, ids: Ids
) -> Pen:
    """A book with a subscription that has not begun: one of the functions below begins it.

    `paid_at`: the instant that the calendar counts from; now, if nothing was paid. A tenant on a
    test clock begins at what that shows.
    """
    clock_uuid, clock_now = grounds.clock or (None, None)
    at = clock_now or paid_at or real_now
    nothing = Money(0, grounds.plan.unit_amount.currency)
    blank = Period(number=0, starts_at=at, ends_at=at, amount=Quote(nothing, nothing, nothing))
    subscription = Subscription(
        uuid=ids.new(),
        app_uuid=wanted.app_uuid,
        tenant_uuid=wanted.tenant_uuid,
        user_uuid=wanted.user_uuid,
        payment_provider_uuid=wanted.payment_provider_uuid,
        checkout_session_uuid=wanted.checkout_session_uuid,
        mandate_uuid=wanted.mandate_uuid,
        product_uuid=grounds.plan.product_uuid,
        price_uuid=grounds.plan.price_uuid,
        tax_rate_uuid=grounds.plan.tax_rate_uuid,
        tax_id_country=wanted.tax_id_country,
        quantity=wanted.quantity,
        status=_S.INCOMPLETE,
        anchor_at=at,
        current_period=blank,
        test_clock_uuid=clock_uuid,
        created_at=real_now,
        updated_at=real_now,
    )
    book = SubscriptionBook(
        subscription=subscription,
        plans=(grounds.plan,),
        policy=grounds.policy,
        clock_now=clock_now,
        mandates=grounds.mandates,
        balance=grounds.balance,
    )
    return Pen(book, ids, real_now)


def start_paid(pen: Pen, payment_uuid: UUID, amount: Quote) -> None:
    """The first period is paid already."""
    subscription, plan = pen.subscription, pen.book.plan
    starts_at = subscription.anchor_at
    ends_at = boundary(starts_at, plan.recurrence, 1, pen.book.zone)
    line = Line(
        description=plan.product_name,
        sold=plan.sold,
        quantity=subscription.quantity,
        subtotal_minor=amount.subtotal.minor,
        tax_minor=amount.tax.minor,
        total_minor=amount.total.minor,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    _begin(pen, _S.ACTIVE, "checked_out")
    bill = replace(new_bill(pen, BillKind.PERIOD, (line,), amount, at=starts_at), period_number=1)
    bill = pen.write_bill(bill)
    period = Period(
        number=1,
        starts_at=starts_at,
        ends_at=ends_at,
        bill_uuid=bill.uuid,
        amount=amount,
    )
    pen.book = pen.book.with_period(period)
    settle_bill(pen, bill, payment_uuid, at=starts_at)


def start_trial(pen: Pen, days: int) -> None:
    starts_at = pen.subscription.anchor_at
    ends_at = trial_end(starts_at, days, pen.book.zone)
    period = replace(pen.subscription.current_period, kind=PeriodKind.TRIAL, ends_at=ends_at)
    pen.book = pen.book.with_period(period)
    pen.change(trial_ends_at=ends_at)
    _begin(pen, _S.TRIALING, "trial")
    pen.say("trial_started", at=starts_at, trialEndsAt=ends_at.isoformat())


def start_charged(pen: Pen) -> None:
    """The first period is charged on a mandate; until that is paid, there is no access."""
    _begin(pen, _S.INCOMPLETE, "created")
    begin_period(pen, 1, pen.subscription.anchor_at)


def refuse_trial(pen: Pen) -> None:
    """The product was tried out before: nothing begins, and nothing is charged."""
    starts_at = pen.subscription.anchor_at
    ends_at = starts_at + timedelta(seconds=1)  # the shortest period that there can be
    blank = pen.subscription.current_period
    pen.book = pen.book.with_period(replace(blank, kind=PeriodKind.TRIAL, ends_at=ends_at))
    _begin(pen, _S.EXPIRED, "trial_used_before")
    pen.say("expired", at=starts_at, reason="trial_used_before")


def _begin(pen: Pen, status: SubscriptionStatus, reason: str) -> None:
    at = pen.subscription.anchor_at
    pen.change(status=status)
    pen.history.append(HistoryRow(old_status=None, new_status=status, reason=reason, at=at))
    pen.say("started", at=at)
