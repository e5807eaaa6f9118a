"""Pricing: what units cost with their tax, checked against exact fractions."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.catalog.price import UNIT_AMOUNT_MAX
from domain.catalog.quote import QUANTITY_MAX, Quote, Tax, quote
from domain.kernel.money import EXPONENTS, Money, currency
from domain.kernel.percent import HUNDRED, Percent
from tests.make import money

BIGINT_MAX = 2**63 - 1

unit_amounts = st.builds(
    Money,
    st.one_of(st.integers(0, 10_000), st.integers(0, UNIT_AMOUNT_MAX)),
    st.sampled_from(sorted(EXPONENTS)).map(currency),
)
quantities = st.one_of(st.integers(1, 10), st.integers(1, QUANTITY_MAX))
percents = st.one_of(
    st.integers(0, 100).map(lambda whole: whole * 10_000), st.integers(0, HUNDRED)
).map(Percent)


def nearest(exact: Fraction) -> int:
    """Half away from zero, by another road than the one under test: with a remainder."""
    whole, rest = divmod(abs(exact.numerator), exact.denominator)
    up = 2 * rest >= exact.denominator
    return (whole + up) * (1 if exact >= 0 else -1)


def oracle(line: int, tax: Tax) -> int:
    share = Fraction(tax.percentage.decimal()) / 100
    return nearest(line * share / (1 + share)) if tax.inclusive else nearest(line * share)


@given(unit_amounts, quantities, st.builds(Tax, percents, st.booleans()))
@example(Money(UNIT_AMOUNT_MAX, currency("EUR")), QUANTITY_MAX, Tax(Percent(HUNDRED), False))
@example(Money(UNIT_AMOUNT_MAX, currency("EUR")), QUANTITY_MAX, Tax(Percent(HUNDRED), True))
def test_a_quote_is_exact_and_adds_up_to_the_cent(unit: Money, quantity: int, tax: Tax):
    line = unit.minor * quantity

    q = quote(unit, quantity, tax)

    assert q.total == q.subtotal + q.tax
    assert q.tax.minor == oracle(line, tax)
    assert (q.total if tax.inclusive else q.subtotal).minor == line
    assert q.subtotal.minor >= 0 and q.tax.minor >= 0
    assert q.total.minor <= BIGINT_MAX
    assert {q.subtotal.currency, q.tax.currency, q.total.currency} == {unit.currency}


@given(unit_amounts, quantities)
def test_without_a_tax_rate_there_is_no_tax(unit: Money, quantity: int):
    line = unit.times(quantity)
    assert quote(unit, quantity, None) == Quote(line, Money(0, unit.currency), line)


@given(unit_amounts, quantities, st.booleans())
def test_a_rate_of_zero_is_as_good_as_none(unit: Money, quantity: int, inclusive: bool):
    assert quote(unit, quantity, Tax(Percent(0), inclusive)) == quote(unit, quantity, None)


@given(unit_amounts, quantities)
def test_a_rate_of_a_hundred_doubles_a_net_price_and_halves_a_gross_one(unit: Money, quantity: int):
    line = unit.minor * quantity
    assert quote(unit, quantity, Tax(Percent(HUNDRED), False)).total.minor == 2 * line
    assert quote(unit, quantity, Tax(Percent(HUNDRED), True)).tax.minor == (line + 1) // 2


@given(unit_amounts, quantities, st.tuples(percents, percents), st.booleans())
def test_a_higher_rate_never_means_less_tax(
    unit: Money, quantity: int, rates: tuple[Percent, Percent], inclusive: bool
):
    low, high = sorted(rates, key=lambda rate: rate.e4)
    lower = quote(unit, quantity, Tax(low, inclusive))
    higher = quote(unit, quantity, Tax(high, inclusive))
    assert lower.tax.minor <= higher.tax.minor


@given(
    st.tuples(st.integers(0, UNIT_AMOUNT_MAX), st.integers(0, UNIT_AMOUNT_MAX)),
    st.tuples(quantities, quantities),
    st.builds(Tax, percents, st.booleans()),
)
def test_more_never_costs_less(units: tuple[int, int], counts: tuple[int, int], tax: Tax):
    less = quote(money(min(units)), min(counts), tax)
    more = quote(money(max(units)), max(counts), tax)
    assert less.subtotal.minor <= more.subtotal.minor
    assert less.tax.minor <= more.tax.minor
    assert less.total.minor <= more.total.minor


# Gross line, rate, and the VAT that Mollie expects to the cent.
MOLLIE = [
    ("EUR", 100_00, "25", 20_00),
    ("EUR", 19_99, "21", 3_47),
    ("EUR", 39_98, "21", 6_94),
    ("EUR", -3_90, "21", -68),
    ("EUR", 698_00, "21", 121_14),
    ("EUR", 329_99, "21", 57_27),
    ("EUR", 49_94, "26.50", 10_46),
    ("EUR", 11_00, "19", 1_76),
    ("EUR", -3_95, "16", -54),
    ("EUR", -36_50, "20", -6_08),
    ("EUR", 31_20, "21", 5_41),
    ("EUR", 3_95, "9", 33),
    ("PLN", 678_00, "23", 126_78),
    ("EUR", 299_00, "21", 51_89),
    ("EUR", 5_14, "0.00", 0),
]


@pytest.mark.parametrize(("code", "gross", "rate", "vat"), MOLLIE)
def test_gross_lines_carry_the_vat_that_mollie_checks_for(
    code: str, gross: int, rate: str, vat: int
):
    percent = Percent(int(Fraction(rate) * 10_000))
    assert quote(money(gross, code), 1, Tax(percent, True)).tax == money(vat, code)


def test_a_yen_has_no_cents_to_round_to():
    q = quote(money(999, "JPY"), 1, Tax(Percent(100_000), False))
    assert q == Quote(money(999, "JPY"), money(100, "JPY"), money(1099, "JPY"))


def test_an_exact_half_goes_up():
    assert quote(money(10), 1, Tax(Percent(50_000), False)).tax == money(1)  # 0.5
    assert quote(money(3), 1, Tax(Percent(200_000), True)).tax == money(1)  # 0.5


def test_the_rounding_is_per_line_not_per_unit():
    tax = Tax(Percent(190_000), False)
    assert quote(money(9_99), 3, tax).tax == money(5_69)  # 5.6943
    assert quote(money(9_99), 1, tax).tax.times(3) == money(5_70)


def test_nobody_buys_nothing():
    with pytest.raises(AssertionError):
        quote(money(9_99), 0, None)
