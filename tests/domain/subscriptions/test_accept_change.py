"""Accepting a quote: to the cent as quoted, or not at all. Pure; what becomes of the charge is in
test_changes_that_are_paid.py."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from msgspec.structs import replace

from domain.kernel.errors import Conflict, Refused
from domain.ledger.posting import Account
from domain.payments.answers import MandateStatus
from domain.subscriptions.accept_change import accept_change, is_accepted, unschedule
from domain.subscriptions.bill import BillKind, BillStatus
from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.change_quote import VALID_FOR, ChangeMode
from domain.subscriptions.pen import Pen
from domain.subscriptions.renew import next_period
from domain.subscriptions.subscription import SubscriptionStatus
from tests.make import money
from tests.make_changes import (
    IDS,
    LITE,
    NEXT_PERIOD,
    NO_BILL,
    NOW_FULL,
    NOW_PRORATED,
    PRO,
    TEAM,
    TEN_DAYS_IN,
    YEARLY,
    a_running_book,
    a_trial_book,
    accepted,
    plan_now,
    quoted,
)
from tests.make_ledger import a_quote, standing
from tests.make_subscriptions import (
    A_MONTH_ON,
    a_bill,
    a_mandate,
    a_period,
    a_plan,
    a_subscription,
    days_on,
)

S = SubscriptionStatus
LATER: Final = TEN_DAYS_IN + VALID_FOR - timedelta(seconds=1)


def untouched(book: SubscriptionBook, quote: Any, error: type[Exception], why: str, **at: Any):
    """It is refused, and nothing is written, posted, told or charged."""
    pen = Pen(book, IDS, at.get("at", TEN_DAYS_IN))
    with pytest.raises(error, match=why):
        accept_change(pen, quote)
    assert (pen.book, pen.events, pen.postings, pen.history) == (book, [], [], [])
    assert pen.charge is None


def test_it_is_made_as_quoted_however_much_later_it_is_accepted():
    for at in (TEN_DAYS_IN, LATER):
        book = a_running_book()
        quote = quoted(book, TEAM)
        pen = accepted(book, quote, at)
        (bill,) = pen.book.open_bills
        assert (bill.amount, bill.lines, bill.uuid) == (
            a_quote(21_00, 3_99),
            quote.lines,
            quote.uuid,
        )
        assert (bill.kind, bill.period_number, bill.issued_at) == (
            BillKind.CHANGE,
            None,
            TEN_DAYS_IN,
        )
        assert pen.charge is not None and pen.charge.amount == money(24_99)


def test_what_costs_something_changes_nothing_until_it_is_paid():
    book = a_running_book()
    pen = accepted(book, quoted(book, TEAM))
    assert plan_now(pen.book) == plan_now(book)
    assert pen.subscription.current_period == book.subscription.current_period
    assert (pen.subscription.status, pen.subscription.version) == (S.COLLECTING, 1)
    assert standing(*pen.postings)[Account.RECEIVABLE] == 24_99


def test_what_becomes_cheaper_does_so_at_once_and_the_rest_is_credit():
    book = a_running_book(credit=1_00)
    pen = accepted(book, quoted(book, LITE), LATER)
    assert plan_now(pen.book)[0] == LITE.price_uuid
    assert pen.subscription.current_period.amount == LITE.quote(1)
    assert (pen.charge, pen.book.balance) == (None, money(1_00 + 12_49))
    (bill,) = pen.book.bills
    assert (bill.status, bill.amount.total) == (BillStatus.PAID, money(0))
    assert sum(line.total_minor for line in bill.lines) == 0
    assert bill.lines[-1].total_minor == 12_49
    assert standing(*pen.postings) == {
        Account.REVENUE: 10_50,
        Account.TAX: 1_99,
        Account.CUSTOMER_BALANCE: -12_49,
    }


def test_credit_pays_first_and_what_it_pays_for_entirely_needs_no_card():
    book = replace(a_running_book(credit=30_00), mandates=())
    pen = accepted(book, quoted(book, TEAM))
    assert plan_now(pen.book)[0] == TEAM.price_uuid
    assert (pen.charge, pen.book.balance, pen.subscription.status) == (None, money(5_01), S.ACTIVE)
    (bill,) = pen.book.bills
    assert (bill.status, bill.balance_applied) == (BillStatus.PAID, money(24_99))
    assert Account.RECEIVABLE not in standing(*pen.postings)


def test_credit_pays_a_part_and_the_card_the_rest():
    book = a_running_book(credit=10_00)
    pen = accepted(book, quoted(book, TEAM))
    assert pen.charge is not None and pen.charge.amount == money(14_99)
    assert pen.book.balance == money(0)


def test_credit_that_came_after_the_quote_is_left_alone():
    book = a_running_book(credit=10_00)
    quote = quoted(book, TEAM)
    pen = accepted(replace(book, balance=money(90_00)), quote)
    assert pen.charge is not None and pen.charge.amount == money(14_99)
    assert pen.book.balance == money(80_00)


def test_another_tax_rate_within_the_same_price_moves_tax_and_no_money():
    old = a_plan(unit_amount=money(31_00), tax=replace(PRO.tax, inclusive=True))
    new = replace(old, tax_rate_uuid=None, tax=None)
    book = replace(a_running_book(old), plans=(old, new))
    pen = accepted(book, quoted(book, new))
    # 4.95 of 31.00 was tax; of the 21.00 for the days that are left, 3.35.
    assert standing(*pen.postings) == {Account.REVENUE: -3_35, Account.TAX: 3_35}
    assert plan_now(pen.book)[1] is None and pen.charge is None


def test_to_a_longer_interval_the_old_period_ends_and_a_new_calendar_begins():
    book = a_running_book(credit=500_00)
    pen = accepted(book, quoted(book, YEARLY), LATER)
    subscription, period = pen.subscription, pen.subscription.current_period
    before = next(p for p in pen.book.new_periods if p.number == 1)
    assert (before.ends_at, period.number, period.starts_at) == (TEN_DAYS_IN, 2, TEN_DAYS_IN)
    assert period.amount == YEARLY.quote(1)
    assert subscription.paid_through == period.ends_at == days_on(10 + 365)
    assert (subscription.anchor_at, subscription.anchor_number) == (TEN_DAYS_IN, 2)
    assert period.bill_uuid == pen.book.bills[0].uuid


def test_to_a_shorter_interval_what_is_left_of_the_year_becomes_credit():
    year = a_period(ends_at=days_on(365), amount=YEARLY.quote(1))
    book = a_running_book(YEARLY, current_period=year, paid_through=year.ends_at)
    quote = quoted(book, PRO, at=days_on(73))  # a fifth of the year
    assert quote.credit.total == money(368_90 * 4 // 5 - 36_89)
    pen = accepted(book, quote)
    assert pen.subscription.paid_through == pen.subscription.current_period.ends_at
    assert pen.book.balance == quote.credit.total
    assert pen.subscription.current_period.amount == PRO.quote(1)


def test_there_and_back_in_the_same_second_costs_nothing():
    book = a_running_book(credit=100_00)
    there = accepted(book, quoted(book, TEAM)).book
    back = accepted(there, quoted(there, PRO)).book
    assert back.balance == money(100_00)
    assert back.subscription.current_period.amount == book.subscription.current_period.amount


def test_a_change_without_a_bill_is_free_until_the_next_period():
    book = a_running_book()
    pen = accepted(book, quoted(book, TEAM, NO_BILL, quantity=2))
    assert plan_now(pen.book) == (TEAM.price_uuid, TEAM.tax_rate_uuid, 2)
    assert (pen.book.bills, pen.postings, pen.charge) == ((), [], None)
    assert pen.subscription.current_period == book.subscription.current_period
    next_period(pen)
    assert pen.charge is not None and pen.charge.amount == money(147_56)


def test_another_interval_without_a_bill_counts_from_the_end_of_the_period():
    """In the third month: not three years from the first."""
    third = a_period(number=3, starts_at=days_on(61), ends_at=days_on(91), amount=PRO.quote(1))
    book = a_running_book(current_period=third)
    pen = accepted(book, quoted(book, YEARLY, NO_BILL, at=days_on(70)))
    next_period(pen)
    period = pen.subscription.current_period
    assert (period.number, period.starts_at, period.ends_at) == (4, days_on(91), days_on(91 + 365))


@pytest.mark.parametrize("mode", [NOW_PRORATED, NOW_FULL, NO_BILL])
def test_in_a_trial_it_is_made_at_once_and_the_trial_goes_on(mode: ChangeMode):
    book = a_trial_book()
    pen = accepted(book, quoted(book, YEARLY, mode))
    assert plan_now(pen.book)[0] == YEARLY.price_uuid
    assert (pen.subscription.status, pen.charge) == (S.TRIALING, None)
    assert pen.subscription.trial_ends_at == A_MONTH_ON


def test_what_is_scheduled_waits_and_can_be_taken_back():
    book = a_running_book()
    pen = accepted(book, quoted(book, LITE, NEXT_PERIOD))
    assert plan_now(pen.book) == plan_now(book)
    assert pen.subscription.scheduled_change is not None
    assert (pen.postings, pen.charge) == ([], None)
    unschedule(pen)
    assert (pen.subscription.scheduled_change, pen.subscription.version) == (None, 3)
    told = [event.type for event in pen.events]
    assert told == ["subscription.change_scheduled", "subscription.change_unscheduled"]
    unschedule(pen)  # nothing is
    assert len(pen.events) == 2


def test_a_change_at_once_takes_the_place_of_one_that_waits():
    book = a_running_book(scheduled_change=quoted(a_running_book(), TEAM, NEXT_PERIOD).change)
    pen = accepted(book, quoted(book, LITE))
    assert pen.subscription.scheduled_change is None


# Quotes that do not hold any more

SINCE: Final[dict[str, tuple[Callable[[SubscriptionBook], SubscriptionBook], str]]] = {
    "changed": (lambda book: _with(book, version=2), "has changed since"),
    "renewed": (
        lambda book: _with(book, current_period=a_period(number=2, starts_at=A_MONTH_ON)),
        "has changed since",
    ),
    "credit spent": (lambda book: replace(book, balance=money(9_99)), "credit has changed"),
    "past due": (lambda book: _with(book, status=S.PAST_DUE), "is past_due"),
    "paused": (lambda book: _with(book, status=S.PAUSED), "is paused"),
    "canceled": (lambda book: _with(book, status=S.CANCELED), "has ended"),
    "expired": (lambda book: _with(book, status=S.EXPIRED), "has ended"),
    "an end wished for": (lambda book: _with(book, cancel_at=days_on(20)), "uncancel"),
    "an end that has come": (lambda book: _with(book, cancel_at=days_on(9)), "has ended"),
    "another change": (
        lambda book: book.with_bill(a_bill(a_subscription(), kind=BillKind.CHANGE)),
        "another change is being paid",
    ),
}  # fmt: skip


def _with(book: SubscriptionBook, **said: Any) -> SubscriptionBook:
    return replace(book, subscription=replace(book.subscription, **said))


@pytest.mark.parametrize("since", list(SINCE))
def test_what_has_happened_since_the_quote_ends_it_and_nothing_is_changed(since: str):
    happen, why = SINCE[since]
    for plan in (TEAM, LITE):
        book = a_running_book(credit=10_00)
        if since == "credit spent" and plan is LITE:
            continue  # it uses none
        untouched(happen(book), quoted(book, plan), Conflict, why)


def test_an_expired_quote_changes_nothing():
    book = a_running_book()
    for mode in ChangeMode:
        quote = quoted(book, LITE, mode)
        untouched(book, quote, Conflict, "expired", at=TEN_DAYS_IN + VALID_FOR)


@pytest.mark.parametrize("status", [None, MandateStatus.PENDING, MandateStatus.INVALID])
def test_without_a_valid_payment_method_what_costs_something_is_refused(
    status: MandateStatus | None,
):
    mandates = () if status is None else (a_mandate(status),)
    book = replace(a_running_book(), mandates=mandates)
    untouched(book, quoted(book, TEAM), Refused, "payment method")
    accepted(book, quoted(book, LITE))


def test_a_change_that_bills_nothing_knows_that_it_was_made_already():
    for mode in (NEXT_PERIOD, NO_BILL):
        book = a_running_book()
        quote, other = quoted(book, TEAM, mode), quoted(book, LITE, mode)
        pen = accepted(book, quote)
        assert is_accepted(pen, quote) and not is_accepted(pen, other)
        assert not is_accepted(Pen(book, IDS, TEN_DAYS_IN), quote)
        pen.change(version=3)
        assert not is_accepted(pen, quote)
