"""Proration: every cent of a period is either used or given back."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.catalog.price import UNIT_AMOUNT_MAX
from domain.catalog.quote import QUANTITY_MAX, Quote, Tax, quote
from domain.kernel.money import EXPONENTS, Money, currency
from domain.kernel.percent import HUNDRED, Percent
from domain.subscriptions.proration import remaining, unused
from tests.make import money

START = datetime(2027, 1, 31, 9, 30, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TEN_YEARS = 10 * 365 * 24 * 3600

quotes = st.builds(
    quote,
    st.builds(
        Money,
        st.one_of(st.integers(0, 10_000), st.integers(0, UNIT_AMOUNT_MAX)),
        st.sampled_from(sorted(EXPONENTS)).map(currency),
    ),
    st.one_of(st.just(1), st.integers(1, QUANTITY_MAX)),
    st.one_of(st.none(), st.builds(Tax, st.integers(0, HUNDRED).map(Percent), st.booleans())),
)
lengths = st.one_of(st.integers(1, 100), st.integers(1, TEN_YEARS))
moments = st.fractions(0, 1)


def after(seconds: int) -> datetime:
    return START + seconds * SECOND


def plain(total: int, tax: int = 0, code: str = "EUR") -> Quote:
    return Quote(money(total - tax, code), money(tax, code), money(total, code))


def nearest(exact: Fraction) -> int:
    return int(exact + Fraction(1, 2))  # of what is never negative


@given(quotes, lengths, moments)
@example(quote(money(UNIT_AMOUNT_MAX), QUANTITY_MAX, None), TEN_YEARS, Fraction(1, 3))
def test_what_is_used_and_what_is_given_back_are_the_amount(
    amount: Quote, length: int, moment: Fraction
):
    passed = int(length * moment)

    back = unused(amount, START, after(length), after(passed))

    left = Fraction(length - passed, length)
    assert back.total.minor == nearest(amount.total.minor * left)
    assert back.tax.minor == nearest(amount.tax.minor * left)
    assert back.subtotal + back.tax == back.total
    for part, whole in (
        (back.total, amount.total), (back.tax, amount.tax), (back.subtotal, amount.subtotal)
    ):  # fmt: skip
        used = whole - part
        assert 0 <= part.minor <= whole.minor
        assert used.minor >= 0 and used + part == whole


@given(quotes, lengths, st.tuples(moments, moments))
def test_later_never_gives_back_more(amount: Quote, length: int, both: tuple[Fraction, Fraction]):
    early, late = (
        unused(amount, START, after(length), after(int(length * moment))) for moment in sorted(both)
    )
    assert late.total.minor <= early.total.minor
    assert late.tax.minor <= early.tax.minor


@given(quotes, lengths, moments)
def test_the_same_price_charges_what_it_credits(amount: Quote, length: int, moment: Fraction):
    at = after(int(length * moment))
    assert remaining(amount, START, after(length), at) == unused(amount, START, after(length), at)


@given(quotes, lengths, st.integers(0, TEN_YEARS))
def test_all_of_it_until_the_start_and_nothing_from_the_end_on(
    amount: Quote, length: int, off: int
):
    nothing = Money(0, amount.total.currency)
    assert unused(amount, START, after(length), after(-off)) == amount
    assert unused(amount, START, after(length), after(length + off)) == Quote(
        nothing, nothing, nothing
    )


@pytest.mark.parametrize(
    ("amount", "days", "passed", "back"),
    [
        (plain(30_00), 30, 15, plain(15_00)),
        (plain(9_99), 30, 10, plain(6_66)),
        (plain(10_00), 31, 1, plain(9_68)),  # 9.677...
        (plain(11_89, 1_90), 30, 20, plain(3_96, 63)),  # 3.9633..., of which 0.6333... is tax
        (plain(1), 30, 15, plain(1)),  # half a cent goes up
        (plain(1), 30, 16, plain(0)),
        (plain(999, code="JPY"), 30, 10, plain(666, code="JPY")),
        (plain(1_000, 91, code="JPY"), 365, 73, plain(800, 73, code="JPY")),  # 72.8 of tax
        (plain(0), 30, 15, plain(0)),
    ],
)
def test_examples_to_check_by_hand(amount: Quote, days: int, passed: int, back: Quote):
    a_day = 24 * 3600
    assert unused(amount, START, after(days * a_day), after(passed * a_day)) == back


def test_a_second_counts_once_it_is_over():
    end, hundred = after(100), plain(1_00)
    just_before = timedelta(seconds=1) - timedelta(microseconds=1)
    assert unused(hundred, START, end, START + just_before) == hundred
    assert unused(hundred, START, end, START + SECOND) == plain(99)
    assert unused(hundred, START, end, end - SECOND / 2) == plain(1)


def test_the_cent_that_rounding_leaves_is_in_the_subtotal():
    # 2/3 of 1.01 and of its tax of 0.50 are 0.6733... and 0.3333...
    assert unused(plain(1_01, 50), START, after(3), after(1)) == plain(67, 33)


def test_no_time_at_all_is_not_a_period():
    with pytest.raises(AssertionError):
        unused(plain(1_00), START, START, START)
