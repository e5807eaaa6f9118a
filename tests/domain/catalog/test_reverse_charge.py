"""A business in another member state owes the tax itself; everybody else pays it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.quote import Tax, quote
from domain.catalog.reverse_charge import EU, charged_to
from domain.kernel.money import Currency, Money
from domain.kernel.percent import Percent

GERMAN = Tax(Percent(190_000), False, "DE")


@pytest.mark.parametrize(
    ("seller", "buyer", "is_reversed"),
    [
        ("DE", "NL", True),
        ("GR", "DE", True),
        ("DE", "DE", False),
        ("DE", "CH", False),
        ("CH", "DE", False),
        ("GB", "DE", False),
        ("DE", None, False),
        (None, "NL", False),
    ],
)
def test_it_needs_two_member_states(seller: str | None, buyer: str | None, is_reversed: bool):
    charged = charged_to(Tax(Percent(190_000), False, seller), buyer)
    assert charged is not None
    assert charged.is_reverse_charged is is_reversed


def test_without_a_tax_there_is_nothing_to_owe():
    assert charged_to(None, "NL") is None


def test_the_union_has_twenty_seven_members():
    assert len(EU) == 27


@given(
    unit=st.integers(0, 10**12),
    quantity=st.integers(1, 10_000),
    e4=st.integers(0, 1_000_000),
    inclusive=st.booleans(),
    currency=st.sampled_from(["EUR", "JPY", "CHF"]),
)
def test_the_buyer_pays_exactly_what_is_not_tax(
    unit: int, quantity: int, e4: int, inclusive: bool, currency: str
):
    amount = Money(unit, Currency(currency))
    at_home = Tax(Percent(e4), inclusive, "DE")
    usual = quote(amount, quantity, at_home)
    abroad = quote(amount, quantity, charged_to(at_home, "NL"))
    assert usual.subtotal + usual.tax == usual.total
    assert (abroad.subtotal, abroad.tax.minor, abroad.total) == (usual.subtotal, 0, usual.subtotal)
