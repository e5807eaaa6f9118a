"""Rows of subscriptions, periods and bills, to entities and back. No SQL is run here."""

from typing import Any, Final

import msgspec

from domain.catalog.price import Interval, Recurrence
from domain.catalog.quote import Tax
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.money import Currency, Money
from domain.kernel.percent import Percent
from domain.subscriptions.bill import Bill, BillKind, BillStatus, Line, PlanChange
from domain.subscriptions.book import Plan
from domain.subscriptions.subscription import (
    HistoryRow,
    PauseReason,
    Period,
    PeriodKind,
    Subscription,
    SubscriptionStatus,
)
from infrastructure.postgres.rows import quoted

SUBSCRIPTION: Final = """s.app_uuid, s.uuid, s.tenant_uuid, s.user_uuid, s.payment_provider_uuid,
    s.checkout_session_uuid, s.mandate_uuid, s.product_uuid, s.price_uuid, s.tax_rate_uuid,
    coalesce(s.tax_id_country, (
        select cs.collected ->> 'taxed_in' from checkout_sessions cs
         where cs.app_uuid = s.app_uuid and cs.uuid = s.checkout_session_uuid)) as tax_id_country,
    s.quantity, s.status, s.anchor_at, s.anchor_number, s.trial_ends_at,
    s.paid_through, s.cancel_at, s.cancel_reason, s.canceled_at, s.paused_at, s.pause_reason,
    s.resumes_at, s.scheduled_change, s.test_clock_uuid, s.version, s.due_at,
    s.created_at, s.updated_at"""

PERIOD: Final = """number, kind, starts_at, ends_at, bill_uuid, payment_uuid, currency,
    subtotal_minor, tax_minor, total_minor"""

CURRENT_PERIOD: Final = """
    join lateral (
        select number, kind, starts_at, ends_at, bill_uuid, payment_uuid, currency,
               subtotal_minor, tax_minor, total_minor
          from subscription_periods
         where app_uuid = s.app_uuid and subscription_uuid = s.uuid
         order by number desc limit 1) p on true"""

BILL: Final = """app_uuid, uuid, subscription_uuid, tenant_uuid, payment_provider_uuid, kind,
    period_number, status, lines, currency, subtotal_minor, tax_minor, total_minor,
    balance_applied_minor, open_minor, change, tries, first_failed_at, next_try_at,
    failure_reason, payment_uuid, chargeback_uuid, issued_at, closed_at, created_at, updated_at"""

TERMS: Final = """po.name as product_name, pr.currency as plan_currency, pr.unit_amount_minor,
    pr.recurring_interval, pr.recurring_interval_count, tr.percentage_e4, tr.inclusive,
    (select c.alpha2 from countries c where c.uuid = tr.country_uuid) as tax_country"""
"""Of a plan whose price, product and tax rate are named beside it."""

PLAN: Final = f"""
    select pr.uuid as price_uuid, pr.product_uuid, tr.uuid as tax_rate_uuid, {TERMS},
           pr.trial_days
      from prices pr
      join products po on po.app_uuid = pr.app_uuid and po.uuid = pr.product_uuid
"""


def subscription_of(row: Any) -> Subscription:
    """From SUBSCRIPTION and the columns of CURRENT_PERIOD."""
    change = row["scheduled_change"]
    return Subscription(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        tenant_uuid=TenantUuid(row["tenant_uuid"]),
        user_uuid=row["user_uuid"],
        payment_provider_uuid=row["payment_provider_uuid"],
        checkout_session_uuid=row["checkout_session_uuid"],
        mandate_uuid=row["mandate_uuid"],
        product_uuid=row["product_uuid"],
        price_uuid=row["price_uuid"],
        tax_rate_uuid=row["tax_rate_uuid"],
        tax_id_country=row["tax_id_country"],
        quantity=row["quantity"],
        status=SubscriptionStatus(row["status"]),
        anchor_at=row["anchor_at"],
        anchor_number=row["anchor_number"],
        current_period=period_of(row),
        trial_ends_at=row["trial_ends_at"],
        paid_through=row["paid_through"],
        cancel_at=row["cancel_at"],
        cancel_reason=row["cancel_reason"],
        canceled_at=row["canceled_at"],
        paused_at=row["paused_at"],
        pause_reason=None if row["pause_reason"] is None else PauseReason(row["pause_reason"]),
        resumes_at=row["resumes_at"],
        scheduled_change=None if change is None else msgspec.convert(change, PlanChange),
        test_clock_uuid=row["test_clock_uuid"],
        version=row["version"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def period_of(row: Any) -> Period:
    return Period(
        number=row["number"],
        kind=PeriodKind(row["kind"]),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        bill_uuid=row["bill_uuid"],
        payment_uuid=row["payment_uuid"],
        amount=quoted(row),
    )


def plan_of(row: Any) -> Plan:
    """From TERMS, price_uuid, product_uuid and tax_rate_uuid."""
    tax = None
    if row["percentage_e4"] is not None:
        tax = Tax(Percent(row["percentage_e4"]), row["inclusive"], row["tax_country"])
    return Plan(
        price_uuid=row["price_uuid"],
        product_uuid=row["product_uuid"],
        product_name=row["product_name"],
        unit_amount=Money(row["unit_amount_minor"], Currency(row["plan_currency"])),
        recurrence=Recurrence(Interval(row["recurring_interval"]), row["recurring_interval_count"]),
        tax_rate_uuid=row["tax_rate_uuid"],
        tax=tax,
    )


def bill_of(row: Any) -> Bill:
    currency = Currency(row["currency"])
    change = row["change"]
    return Bill(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        subscription_uuid=row["subscription_uuid"],
        tenant_uuid=TenantUuid(row["tenant_uuid"]),
        payment_provider_uuid=row["payment_provider_uuid"],
        kind=BillKind(row["kind"]),
        period_number=row["period_number"],
        status=BillStatus(row["status"]),
        lines=msgspec.convert(row["lines"], tuple[Line, ...]),
        amount=quoted(row),
        balance_applied=Money(row["balance_applied_minor"], currency),
        open=Money(row["open_minor"], currency),
        change=None if change is None else msgspec.convert(change, PlanChange),
        tries=row["tries"],
        first_failed_at=row["first_failed_at"],
        next_try_at=row["next_try_at"],
        failure_reason=row["failure_reason"],
        payment_uuid=row["payment_uuid"],
        chargeback_uuid=row["chargeback_uuid"],
        issued_at=row["issued_at"],
        closed_at=row["closed_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def history_of(row: Any) -> HistoryRow:
    old = row["old_status"]
    return HistoryRow(
        old_status=None if old is None else SubscriptionStatus(old),
        new_status=SubscriptionStatus(row["new_status"]),
        reason=row["reason"],
        at=row["at"],
    )
