"""Sixteen ways in which billing engines lose or take money, and what ours does instead.

Each is named by the letter that it has in the list of them. Here are those that the rules alone can
prove; c, d, e, f, g, i and o, which are about commits, webhooks and HTTP, stand in
tests/http/test_sixteen_defects.py.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from domain.catalog.quote import Tax, quote
from domain.kernel.percent import Percent
from domain.ledger.posting import Account
from domain.payments.answers import PaymentStatus
from domain.subscriptions.bill import BillStatus
from domain.subscriptions.change_service import Outcome
from domain.subscriptions.proration import remaining
from domain.subscriptions.wishes import When, cancel, pause
from tests.domain.subscriptions.changing import Changing
from tests.domain.subscriptions.tenancy import Tenancy
from tests.fakes.clock import NOON
from tests.make import money
from tests.make_changes import NEXT_PERIOD
from tests.make_subscriptions import A_MONTH_ON

BERLIN: Final = ZoneInfo("Europe/Berlin")
PAID, FAILED = PaymentStatus.PAID, PaymentStatus.FAILED


async def charged() -> Tenancy:
    """Its second month has begun, and the charge for it is under way."""
    tenancy = await Tenancy().started()
    await tenancy.wait(31)
    assert tenancy.status == "collecting"
    return tenancy


async def begun(**how: Any) -> Tenancy:
    """With a mandate, and whatever comes of that."""
    tenancy = Tenancy(**how)
    tenancy.give_mandate()
    return await tenancy.start()


# a


async def test_a_paid_charge_never_takes_back_a_cancellation_nor_bills_the_past():
    tenancy = await charged()
    await tenancy.wish(lambda pen: cancel(pen, When.NOW, "too_expensive"))
    before, bills, charges = tenancy.subscription, len(tenancy.bills), len(tenancy.charges)
    await tenancy.pay()
    await tenancy.wait(100)
    after = tenancy.subscription
    assert (after.status, after.canceled_at) == (before.status, before.canceled_at)
    assert (after.cancel_reason, after.due_at) == ("too_expensive", None)
    assert (len(tenancy.bills), len(tenancy.charges)) == (bills, charges)


async def test_a_paid_charge_leaves_an_end_that_is_wished_for_where_it_was():
    tenancy = await charged()
    await tenancy.wish(lambda pen: cancel(pen, When.PERIOD_END))
    cancel_at = tenancy.subscription.cancel_at
    await tenancy.pay()
    assert (tenancy.status, tenancy.subscription.cancel_at) == ("active", cancel_at)
    await tenancy.wait(31)
    assert (tenancy.status, tenancy.subscription.canceled_at) == ("canceled", cancel_at)
    assert len(tenancy.charges) == 2


async def test_a_paid_charge_does_not_end_a_pause_that_was_wished_for():
    tenancy = await charged()
    await tenancy.wish(pause)
    await tenancy.pay()
    assert tenancy.status == "paused"


# b


async def test_b_a_retry_that_succeeds_leaves_the_calendar_where_it_was():
    tenancy = await charged()
    await tenancy.fail()
    await tenancy.wait(12)  # to the payday
    await tenancy.pay()
    await tenancy.wait(19)
    starts = [period.starts_at for period in tenancy.periods]
    assert starts == [NOON, NOON.replace(month=4), NOON.replace(month=5)]


# h


@pytest.mark.parametrize("status", list(PaymentStatus))
async def test_h_every_status_of_a_charge_means_something(status: PaymentStatus):
    """A charge that somebody canceled, or that lapsed, is one that failed: it is tried again."""
    tenancy = await charged()
    ref = tenancy.live_charge()
    facts = {"paid_at": tenancy.clock.now()} if status is PAID else {}
    tenancy.provider.settle(ref, status, **facts)
    await tenancy.hear(ref)
    bill = tenancy.bills[-1]
    if status is PAID:
        assert (tenancy.status, bill.status) == ("active", BillStatus.PAID)
    elif status in (FAILED, PaymentStatus.CANCELED, PaymentStatus.EXPIRED):
        assert (tenancy.status, bill.status, bill.tries) == ("past_due", BillStatus.OPEN, 1)
        assert bill.next_try_at is not None
    else:
        assert (tenancy.status, bill.status, bill.tries) == ("collecting", BillStatus.OPEN, 0)


# j


async def test_j_an_upgrade_that_is_not_paid_changes_nothing_and_holds_no_credit_back():
    life = Changing()
    await life.started()
    await life.wait(10)
    await life.change(life.lite)
    credit, before = life.credit, life.subscription
    assert await life.change(life.team) is Outcome.COLLECTING
    await life.fail()
    after = life.subscription
    assert credit == life.credit == 12_49
    assert (after.price_uuid, after.current_period) == (before.price_uuid, before.current_period)
    assert (life.status, after.due_at) == ("active", before.due_at)


# k: the tenant's credit stands where others have coupons


async def test_k_credit_that_a_bill_used_is_there_again_when_nobody_pays_the_bill():
    tenancy = await Tenancy(credit_minor=5_00).started()
    assert (tenancy.credit, tenancy.charges[0].amount) == (0, money(6_90))
    tenancy = await begun(credit_minor=5_00)
    await tenancy.fail()
    assert (tenancy.credit, tenancy.status) == (5_00, "expired")
    assert tenancy.on(Account.REVENUE) == tenancy.on(Account.TAX) == 0


async def test_k_what_credit_pays_for_is_taxed_like_everything_else():
    tenancy = await begun(credit_minor=11_90)
    assert (tenancy.credit, tenancy.charges) == (0, [])
    assert (tenancy.on(Account.REVENUE), tenancy.on(Account.TAX)) == (-10_00, -1_90)


# l


async def test_l_a_debt_too_small_to_charge_stands_open_until_the_next_bill():
    tenancy = await begun(minimum_charge_minor=20_00)
    assert (tenancy.status, tenancy.charges) == ("active", [])
    (bill,) = tenancy.bills
    assert (bill.status, bill.open) == (BillStatus.OPEN, money(11_90))
    assert (tenancy.on(Account.RECEIVABLE), tenancy.credit) == (11_90, 0)
    assert "bill.carried" in tenancy.told
    await tenancy.wait(31)
    await tenancy.pay()
    assert tenancy.charges[0].amount == money(2 * 11_90)
    assert [bill.status for bill in tenancy.bills] == [BillStatus.PAID] * 2


# m


@pytest.mark.parametrize(
    ("unit", "quantity", "percent"),
    [(1_15, 1, "50"), (99_999_999_99, 10_000, "19.0001"), (1, 3, "33.3333"), (2_675, 1, "0.2")],
)
def test_m_tax_and_proration_are_exact_where_floats_are_not(unit: int, quantity: int, percent: str):
    rate = Fraction(percent) / 100
    tax = Tax(Percent(int(Fraction(percent) * 10_000)), inclusive=False)
    priced = quote(money(unit), quantity, tax)
    assert priced.tax.minor == half_up(unit * quantity * rate)
    at = NOON + timedelta(seconds=1_000_003)
    left = Fraction((A_MONTH_ON - at) // timedelta(seconds=1), 31 * 86_400)
    rest = remaining(priced, NOON, A_MONTH_ON, at)
    assert rest.total.minor == half_up(priced.total.minor * left)
    assert rest.subtotal + rest.tax == rest.total


def test_m_a_float_would_have_been_a_cent_away():
    assert round(1.15 * 0.5, 2) == 0.57
    assert quote(money(1_15), 1, Tax(Percent(500_000), inclusive=False)).tax == money(58)


def half_up(exact: Fraction) -> int:
    return int(exact + Fraction(1, 2))


# n


async def test_n_a_bill_keeps_the_tax_that_it_was_issued_with():
    """Whatever becomes of the subscription's rate, and of the row that it came from."""
    life = Changing()
    await life.started()
    first = life.bills[0]
    stored = life.rows.tax_rates[life.vat.uuid]
    life.rows.tax_rates[life.vat.uuid] = replace(stored, percentage=Percent(70_000))
    await life.change(mode=NEXT_PERIOD, tax_rate_uuid=None)
    await life.wait(31)
    kept, second = life.bills
    assert (kept.amount, kept.lines) == (first.amount, first.lines)
    assert (kept.amount.tax, second.amount.tax) == (money(5_89), money(0))
    assert life.on(Account.TAX) == -5_89


# p


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own clock stands in New Zealand."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def test_p_days_are_counted_on_the_apps_calendar_wherever_the_process_runs(elsewhere: None):
    """Begun at 13:00 in Berlin in winter: 13:00 in summer, too, for renewals and for retries."""
    tenancy = await Tenancy(time_zone="Europe/Berlin").started()
    await tenancy.wait(32)
    await tenancy.fail("card_declined")
    (_, april) = tenancy.periods
    assert april.starts_at == datetime(2026, 4, 20, 11, 0, tzinfo=UTC)
    assert april.starts_at.astimezone(BERLIN).hour == NOON.astimezone(BERLIN).hour == 13
    retry_at = tenancy.bills[-1].next_try_at
    assert retry_at is not None and retry_at.tzinfo is UTC


async def test_p_a_retry_keeps_its_hour_when_the_clocks_change():
    tenancy = Tenancy(time_zone="Europe/Berlin")
    await tenancy.wait(188)
    await tenancy.started()
    await tenancy.wait(30)  # 24 October; in the next night summer time ends
    await tenancy.fail("card_declined")
    retry_at = tenancy.bills[-1].next_try_at
    assert retry_at == tenancy.clock.now() + timedelta(days=3, hours=1)
    hours = {moment.astimezone(BERLIN).hour for moment in (tenancy.clock.now(), retry_at)}
    assert hours == {14}
