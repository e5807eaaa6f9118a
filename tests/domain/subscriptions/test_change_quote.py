"""What a change would cost: every mode with every kind of change, worked out by hand."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from msgspec.structs import replace

from domain.kernel.errors import Conflict, Refused
from domain.subscriptions.book import Plan
from domain.subscriptions.change_quote import VALID_FOR, ChangeMode, ChangeQuote
from domain.subscriptions.subscription import PeriodKind, SubscriptionStatus
from tests.fakes.clock import NOON
from tests.make import a_uuid, money
from tests.make_changes import (
    FREE,
    LITE,
    NEXT_PERIOD,
    NO_BILL,
    NOW_FULL,
    NOW_PRORATED,
    PLANS,
    PRO,
    PRO_REDUCED,
    TEAM,
    TEN_DAYS_IN,
    YEARLY,
    a_running_book,
    a_trial_book,
    accepted,
    quoted,
)
from tests.make_ledger import a_quote
from tests.make_subscriptions import A_MONTH_ON, a_period, a_plan, days_on

S = SubscriptionStatus
NOTHING: Final = a_quote(0, 0)
AT_ONCE: Final = (NOW_PRORATED, NOW_FULL, NO_BILL)


def billed(quote: ChangeQuote) -> tuple[int, int, int]:
    """Net, tax, and all; below zero when it is credit."""
    amount, credit = quote.amount, quote.credit
    return (
        amount.subtotal.minor - credit.subtotal.minor,
        amount.tax.minor - credit.tax.minor,
        amount.total.minor - credit.total.minor,
    )


# 21 of 31 days are left, for which 21.00 and 3.99 tax were paid.
@pytest.mark.parametrize(
    ("plan", "quantity", "expected"),
    [
        pytest.param(TEAM, 1, (42_00 - 21_00, 7_98 - 3_99, 49_98 - 24_99), id="upgrade"),
        pytest.param(LITE, 1, (10_50 - 21_00, 2_00 - 3_99, 12_50 - 24_99), id="downgrade"),
        pytest.param(PRO, 3, (63_00 - 21_00, 11_97 - 3_99, 74_97 - 24_99), id="quantity up"),
        pytest.param(FREE, 1, (-21_00, -3_99, -24_99), id="to a free price"),
        pytest.param(PRO_REDUCED, 1, (0, 1_47 - 3_99, 22_47 - 24_99), id="lower tax"),
        pytest.param(YEARLY, 1, (310_00 - 21_00, 58_90 - 3_99, 368_90 - 24_99), id="yearly"),
    ],
)
def test_the_rest_of_the_period_is_credited_at_the_old_price_and_charged_at_the_new(
    plan: Plan, quantity: int, expected: tuple[int, int, int]
):
    quote = quoted(a_running_book(), plan, quantity=quantity)
    assert billed(quote) == expected
    assert min(quote.amount.total.minor, quote.credit.total.minor) == 0
    credit, charge = quote.lines
    assert (credit.subtotal_minor, credit.tax_minor, credit.total_minor) == (-2100, -399, -2499)
    assert (credit.starts_at, credit.ends_at) == (TEN_DAYS_IN, A_MONTH_ON)
    assert (charge.starts_at, charge.quantity) == (TEN_DAYS_IN, quantity)
    assert (quote.at, quote.takes_effect_at) == (TEN_DAYS_IN, TEN_DAYS_IN)


def test_fewer_seats_give_credit_for_those_that_are_left():
    quote = quoted(a_running_book(quantity=3), PRO, quantity=1)
    assert quote.credit == a_quote(42_00, 7_98) and quote.amount == NOTHING


def test_a_higher_tax_rate_is_charged_from_now_on_and_not_for_the_days_before():
    quote = quoted(a_running_book(PRO_REDUCED), PRO)
    assert quote.amount == a_quote(0, 3_99 - 1_47)


def test_from_a_free_price_the_rest_is_charged_and_nothing_is_credited():
    quote = quoted(a_running_book(FREE), PRO)
    assert quote.amount == a_quote(21_00, 3_99)
    assert quote.lines[0].total_minor == 0


@pytest.mark.parametrize("plan", PLANS[1:], ids=lambda plan: plan.product_name)
def test_in_full_a_new_period_is_charged_whole_and_nothing_is_credited(plan: Plan):
    quote = quoted(a_running_book(), plan, NOW_FULL)
    assert (quote.amount, quote.credit) == (plan.quote(1), NOTHING)
    assert quote.change.restarts_at == TEN_DAYS_IN
    (line,) = quote.lines
    end = datetime(2027 if plan is YEARLY else 2026, 3 if plan is YEARLY else 4, 30, 12, tzinfo=UTC)
    assert (line.starts_at, line.ends_at) == (TEN_DAYS_IN, end)


@pytest.mark.parametrize("mode", [NEXT_PERIOD, NO_BILL])
@pytest.mark.parametrize("plan", PLANS[1:], ids=lambda plan: plan.product_name)
def test_a_change_that_is_not_billed_costs_nothing(plan: Plan, mode: ChangeMode):
    quote = quoted(a_running_book(credit=5_00), plan, mode, quantity=7)
    assert (quote.lines, quote.amount, quote.credit, quote.due) == ((), NOTHING, NOTHING, money(0))
    assert quote.takes_effect_at == (A_MONTH_ON if mode is NEXT_PERIOD else TEN_DAYS_IN)
    assert quote.change.restarts_at is None and not quote.change.is_settled


def test_another_interval_begins_a_period_and_the_same_one_does_not():
    assert quoted(a_running_book(), YEARLY).change.restarts_at == TEN_DAYS_IN
    assert quoted(a_running_book(), TEAM).change.restarts_at is None


@pytest.mark.parametrize("mode", list(ChangeMode))
def test_in_a_trial_every_change_is_free(mode: ChangeMode):
    for plan in PLANS[1:]:
        quote = quoted(a_trial_book(), plan, mode)
        assert (quote.lines, quote.amount, quote.credit) == ((), NOTHING, NOTHING)


def test_nothing_is_credited_for_a_period_that_was_not_billed():
    skipped = a_period(kind=PeriodKind.SKIPPED, amount=NOTHING)
    quote = quoted(a_running_book(current_period=skipped), TEAM)
    assert quote.amount == a_quote(42_00, 7_98) and len(quote.lines) == 1


def test_what_is_credited_is_what_was_paid_and_not_what_a_free_change_made_of_it():
    """Pro was paid, and Team given for nothing: the way back to Pro is worth nothing."""
    book = a_running_book(TEAM, current_period=a_period(amount=PRO.quote(1)))
    assert billed(quoted(book, PRO)) == (0, 0, 0)


def test_a_month_is_not_prorated_as_if_it_were_a_year():
    """The plan is yearly already, from the next period on; the month that runs was paid monthly."""
    waiting = {"anchor_at": A_MONTH_ON, "anchor_number": 2}
    book = a_running_book(YEARLY, current_period=a_period(amount=PRO.quote(1)), **waiting)
    quote = quoted(book, YEARLY, quantity=2)
    assert quote.change.restarts_at == TEN_DAYS_IN
    assert quote.amount == a_quote(2 * 310_00 - 21_00, 2 * 58_90 - 3_99)


def test_who_changes_in_the_second_that_the_period_began_gets_it_all_back():
    """And has had a period of a second: none is shorter."""
    book = a_running_book(credit=500_00)
    for day in (NOON, NOON - timedelta(milliseconds=1)):
        quote = quoted(book, YEARLY, at=day)
        assert quote.amount == a_quote(310_00 - 31_00, 58_90 - 5_89)
        assert (quote.at, quote.change.restarts_at) == (NOON, NOON + timedelta(seconds=1))
    again = accepted(book, quote).book
    assert quoted(again, PRO, at=NOON).change.restarts_at == NOON + timedelta(seconds=2)


def test_it_counts_to_the_second():
    last_second = A_MONTH_ON - timedelta(seconds=1)
    dear = replace(TEAM, unit_amount=money(26_784_00 * 2), tax=None)  # a cent a second, and two
    paid = a_plan(price_uuid=a_uuid(96), unit_amount=money(26_784_00), tax=None)
    book = a_running_book(paid)
    assert quoted(book, dear, at=last_second).amount == a_quote(1, 0)
    assert quoted(book, dear, at=last_second - timedelta(seconds=1)).amount == a_quote(2, 0)
    almost = last_second + timedelta(microseconds=999_999)
    assert quoted(book, dear, at=almost).amount == a_quote(1, 0)


def test_yen_have_no_cents_to_lose():
    yen = {"tax": None, "tax_rate_uuid": None}
    old = a_plan(price_uuid=a_uuid(96), unit_amount=money(1000, "JPY"), **yen)
    new = a_plan(price_uuid=a_uuid(97), unit_amount=money(2500, "JPY"), **yen)
    book = replace(a_running_book(old), balance=money(0, "JPY"))
    quote = quoted(book, new)
    # 1000 * 21/31 = 677.4, 2500 * 21/31 = 1693.5: each is rounded, half up.
    assert [line.total_minor for line in quote.lines] == [-677, 1694]
    assert quote.amount == a_quote(1017, 0, "JPY")


def test_the_tenants_credit_pays_first_as_far_as_it_goes():
    for credit, applied in ((0, 0), (10_00, 10_00), (99_00, 24_99)):
        quote = quoted(a_running_book(credit=credit), TEAM)
        assert (quote.balance_applied, quote.due) == (money(applied), money(24_99 - applied))


def test_a_quote_says_what_it_was_worked_out_from_and_how_long_it_holds():
    book = a_running_book(version=4)
    quote = quoted(book, TEAM)
    assert (quote.version, quote.period_number) == (4, 1)
    assert quote.expires_at == TEN_DAYS_IN + VALID_FOR


def test_on_a_test_clock_it_counts_in_business_time_and_expires_in_real_time():
    book = replace(a_running_book(), clock_now=TEN_DAYS_IN)
    quote = quoted(book, TEAM, at=NOON - timedelta(days=400))
    assert (quote.at, quote.amount) == (TEN_DAYS_IN, a_quote(21_00, 3_99))
    assert quote.expires_at == NOON - timedelta(days=400) + VALID_FOR


@pytest.mark.parametrize("status", list(S))
@pytest.mark.parametrize("mode", list(ChangeMode))
def test_its_state_says_when_a_subscription_can_be_changed(status: S, mode: ChangeMode):
    book = a_running_book(status=status)
    at_once = {S.ACTIVE, S.TRIALING}
    later = at_once | {S.COLLECTING, S.PAST_DUE, S.PAUSED}
    if status in (later if mode is NEXT_PERIOD else at_once):
        quoted(book, TEAM, mode)
    else:
        with pytest.raises(Conflict):
            quoted(book, TEAM, mode)


def test_who_is_in_another_currency_is_told_which_field_is_wrong():
    dollars = replace(TEAM, unit_amount=money(62_00, "USD"))
    for mode in ChangeMode:
        with pytest.raises(Refused) as refusal:
            quoted(a_running_book(), dollars, mode)
        assert refusal.value.field == "productPriceUuid"


def test_what_is_so_already_is_no_change():
    with pytest.raises(Refused, match="like that already"):
        quoted(a_running_book(), PRO)


def test_a_period_that_is_over_is_renewed_before_it_can_be_changed():
    with pytest.raises(Conflict, match="in a moment"):
        quoted(a_running_book(), TEAM, at=A_MONTH_ON)
    assert quoted(a_running_book(), TEAM, NEXT_PERIOD, at=days_on(40)).takes_effect_at == days_on(
        40
    )


@pytest.mark.parametrize("mode", AT_ONCE)
def test_nobody_pays_for_what_comes_after_an_end_that_is_wished_for(mode: ChangeMode):
    book = a_running_book(cancel_at=A_MONTH_ON)
    quoted(book, TEAM, NOW_PRORATED)  # up to the end, and no further
    if mode is NO_BILL:
        quoted(book, YEARLY, mode)
    else:
        with pytest.raises(Conflict, match="uncancel"):
            quoted(book, YEARLY, mode)


def test_an_end_that_has_come_is_an_end_whoever_was_late_to_write_it_down():
    with pytest.raises(Conflict, match="ended"):
        quoted(a_running_book(cancel_at=days_on(9)), TEAM, NEXT_PERIOD)
