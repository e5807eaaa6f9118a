"""Periods that follow each other: when, for how much, and what becomes of small or late ones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.catalog.price import Interval, Recurrence
from domain.ledger.posting import Account
from domain.subscriptions.accept_change import unschedule
from domain.subscriptions.bill import PlanChange
from domain.subscriptions.pen import Pen
from domain.subscriptions.policy import MissedPeriods
from tests.domain.subscriptions.tenancy import Tenancy
from tests.fakes.clock import NOON
from tests.make import money

YEAR, WEEK, DAY = (Recurrence(i) for i in (Interval.YEAR, Interval.WEEK, Interval.DAY))


async def pays_for(tenancy: Tenancy, periods: int) -> None:
    """Whatever is charged is paid at once."""
    while len(tenancy.periods) < periods or tenancy.status == "collecting":
        if tenancy.status == "collecting":
            await tenancy.pay()
        else:
            await tenancy.to(tenancy.subscription.current_period.ends_at)


def amounts(tenancy: Tenancy) -> list[int]:
    return [charge.amount.minor for charge in tenancy.charges]


async def test_a_month_is_charged_when_it_begins_and_renews_when_it_is_paid():
    tenancy = await Tenancy().started()
    assert tenancy.status == "active"
    (first,) = tenancy.periods
    assert (first.starts_at, first.ends_at) == (NOON, datetime(2026, 4, 20, 12, tzinfo=UTC))
    await tenancy.to(first.ends_at - timedelta(seconds=1))
    assert len(tenancy.charges) == 1
    await tenancy.to(first.ends_at)
    assert tenancy.status == "collecting"
    assert amounts(tenancy) == [11_90, 11_90]
    assert tenancy.subscription.paid_through == first.ends_at
    await tenancy.wait(2)
    await tenancy.pay()
    assert tenancy.status == "active"
    assert tenancy.subscription.paid_through == datetime(2026, 5, 20, 12, tzinfo=UTC)
    assert [bill.status for bill in tenancy.bills] == ["paid", "paid"]
    assert tenancy.on(Account.REVENUE) == -20_00
    assert tenancy.on(Account.TAX) == -3_80
    assert tenancy.on(Account.CASH) == 23_80
    assert "subscription.renewed" in tenancy.told


async def test_the_31st_becomes_the_last_of_the_month_and_comes_back():
    tenancy = Tenancy()
    tenancy.clock.advance(datetime(2027, 1, 31, 9, tzinfo=UTC) - NOON)
    await tenancy.started()
    await pays_for(tenancy, 4)
    ends = [(period.ends_at.month, period.ends_at.day) for period in tenancy.periods]
    assert ends == [(2, 28), (3, 31), (4, 30), (5, 31)]


async def test_it_renews_at_the_same_hour_of_the_apps_clocks_in_summer_and_winter():
    berlin = ZoneInfo("Europe/Berlin")
    tenancy = await Tenancy(time_zone="Europe/Berlin").started()
    await pays_for(tenancy, 9)
    assert {p.ends_at.astimezone(berlin).hour for p in tenancy.periods} == {13}
    assert {p.ends_at.hour for p in tenancy.periods} == {11, 12}


async def test_a_late_payment_does_not_move_the_calendar():
    tenancy = await Tenancy(retry_days=(20,), grace_days=60).started()
    await tenancy.wait(31)
    await tenancy.fail("card_declined")
    await tenancy.wait(20)
    await tenancy.pay()
    assert tenancy.status == "active"
    assert tenancy.periods[-1].ends_at == datetime(2026, 5, 20, 12, tzinfo=UTC)
    await tenancy.to(tenancy.periods[-1].ends_at)
    assert tenancy.periods[-1].starts_at == datetime(2026, 5, 20, 12, tzinfo=UTC)


async def test_what_costs_nothing_renews_without_a_charge_or_a_payment_method():
    tenancy = await Tenancy(unit_minor=0).start()
    assert tenancy.status == "active"
    await tenancy.wait(100)
    assert (tenancy.status, len(tenancy.periods), tenancy.charges) == ("active", 4, [])
    assert {bill.status for bill in tenancy.bills} == {"paid"}
    assert tenancy.rows.postings == []


async def test_credit_pays_first_and_the_rest_is_charged():
    tenancy = Tenancy(credit_minor=20_00)
    tenancy.give_mandate()
    await tenancy.start()
    assert (tenancy.status, tenancy.charges, tenancy.credit) == ("active", [], 8_10)
    assert tenancy.subscription.paid_through == tenancy.periods[0].ends_at
    await tenancy.wait(31)
    assert (amounts(tenancy), tenancy.credit) == ([3_80], 0)
    await tenancy.pay()
    assert tenancy.status == "active"
    assert [b.balance_applied.minor for b in tenancy.bills] == [11_90, 8_10]
    assert tenancy.on(Account.REVENUE) + tenancy.on(Account.TAX) == -23_80


async def test_credit_for_all_needs_no_payment_method():
    tenancy = Tenancy(credit_minor=11_90)
    await tenancy.start()
    assert (tenancy.status, tenancy.credit, tenancy.charges) == ("active", 0, [])


async def test_too_little_for_a_charge_is_collected_with_what_comes_next():
    tenancy = Tenancy(unit_minor=1_00, minimum_charge_minor=2_50)
    tenancy.give_mandate()
    await tenancy.start()
    assert (tenancy.status, tenancy.charges) == ("active", [])
    assert tenancy.subscription.paid_through == tenancy.periods[0].ends_at
    await tenancy.wait(31)
    assert (tenancy.status, tenancy.charges) == ("active", [])
    assert [bill.status for bill in tenancy.bills] == ["open", "open"]
    await tenancy.wait(30)
    assert (tenancy.status, amounts(tenancy)) == ("collecting", [3_57])
    await tenancy.pay()
    assert (tenancy.status, [b.status for b in tenancy.bills]) == ("active", ["paid"] * 3)
    (payment,) = tenancy.rows.payments.values()
    assert (payment.tax, {b.payment_uuid for b in tenancy.bills}) == (money(57), {payment.uuid})


async def test_a_carried_bill_is_dunned_for_with_the_one_that_was_charged():
    tenancy = Tenancy(unit_minor=1_00, minimum_charge_minor=2_00, retry_days=(3,))
    tenancy.give_mandate()
    await tenancy.start()
    await tenancy.wait(31)
    assert amounts(tenancy) == [2_38]
    await tenancy.fail("card_declined")
    assert tenancy.status == "past_due"
    await tenancy.wait(3)
    assert amounts(tenancy) == [2_38, 2_38]
    await tenancy.fail("card_declined")
    await tenancy.wait(7)
    assert tenancy.status == "canceled"
    assert [bill.status for bill in tenancy.bills] == ["uncollectible"] * 2
    assert tenancy.on(Account.WRITE_OFFS) == 2_38


async def test_months_that_nobody_billed_are_billed_one_after_the_other():
    tenancy = await Tenancy().started()
    await tenancy.sleep(31 + 30 + 31 + 1)
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 2)
    for count in (3, 4):
        await tenancy.pay()
        assert len(tenancy.charges) == count
    await tenancy.pay()
    assert (tenancy.status, len(tenancy.periods)) == ("active", 4)
    assert [p.starts_at.month for p in tenancy.periods] == [3, 4, 5, 6]


async def test_months_that_nobody_billed_can_be_left_out():
    tenancy = await Tenancy(missed_periods=MissedPeriods.SKIP).started()
    await tenancy.sleep(31 + 30 + 31 + 1)
    kinds = [period.kind for period in tenancy.periods]
    assert kinds == ["billed", "skipped", "skipped", "billed"]
    assert (tenancy.status, amounts(tenancy)) == ("collecting", [11_90] * 2)
    await tenancy.pay()
    assert tenancy.subscription.paid_through == datetime(2026, 7, 20, 12, tzinfo=UTC)


async def test_years_of_days_are_caught_up_with():
    tenancy = await Tenancy(recurrence=DAY, missed_periods=MissedPeriods.SKIP).started()
    await tenancy.sleep(3 * 365)
    assert len(tenancy.periods) == 3 * 365 + 1
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 2)
    starts_at = tenancy.periods[-1].starts_at
    assert starts_at <= tenancy.clock.now() < tenancy.periods[-1].ends_at


@pytest.mark.parametrize(
    ("recurrence", "days"), [(DAY, 1), (WEEK, 7), (Recurrence(Interval.MONTH, 3), 92), (YEAR, 365)]
)
async def test_an_interval_is_as_long_as_it_says(recurrence: Recurrence, days: int):
    tenancy = await Tenancy(recurrence=recurrence).started()
    (first,) = tenancy.periods
    assert first.ends_at - first.starts_at == timedelta(days=days)


def schedule(change: PlanChange):
    def scheduled(pen: Pen) -> None:
        pen.change(scheduled_change=change)

    return scheduled


def a_change(tenancy: Tenancy, **price: object) -> PlanChange:
    other = tenancy.add_price(**price)
    return PlanChange(
        price_uuid=other.uuid,
        product_uuid=other.product_uuid,
        tax_rate_uuid=tenancy.vat.uuid,
        quantity=2,
    )


async def test_a_scheduled_change_is_what_the_next_period_costs():
    tenancy = await Tenancy().started()
    change = a_change(tenancy, unit_amount=money(7_00))
    await tenancy.wish(schedule(change))
    await tenancy.wait(31)
    assert amounts(tenancy) == [11_90, 16_66]
    assert tenancy.subscription.scheduled_change is None
    assert (tenancy.subscription.price_uuid, tenancy.subscription.quantity) == (
        change.price_uuid,
        2,
    )
    await tenancy.pay()
    assert tenancy.periods[-1].ends_at == datetime(2026, 5, 20, 12, tzinfo=UTC)


async def test_a_scheduled_change_to_another_interval_counts_from_its_beginning():
    tenancy = await Tenancy().started()
    await tenancy.wish(schedule(a_change(tenancy, unit_amount=money(70_00), recurring=YEAR)))
    await tenancy.wait(31)
    assert amounts(tenancy) == [11_90, 166_60]
    await tenancy.pay()
    assert tenancy.periods[-1].ends_at == datetime(2027, 4, 20, 12, tzinfo=UTC)
    await tenancy.to(tenancy.periods[-1].ends_at)
    assert tenancy.periods[-1].ends_at == datetime(2028, 4, 20, 12, tzinfo=UTC)


async def test_a_change_that_was_called_off_does_not_happen():
    tenancy = await Tenancy().started()
    await tenancy.wish(schedule(a_change(tenancy)))
    await tenancy.wish(unschedule)
    await tenancy.wait(31)
    assert amounts(tenancy) == [11_90, 11_90]
