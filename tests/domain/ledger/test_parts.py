"""Parts of something taxed: whatever is given back, and taken back, all of it adds up."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.quote import Quote
from domain.kernel.money import Money, currency, half_up
from domain.ledger import rules
from domain.ledger.parts import nothing, part_of, refunded
from domain.ledger.posting import Posting
from tests.fakes.clock import NOON
from tests.make import money
from tests.make_ledger import a_fact, a_quote

EUR = currency("EUR")
minors = st.one_of(st.integers(0, 20), st.integers(0, 10**12))


@st.composite
def wholes(draw: st.DrawFn) -> Quote:
    return a_quote(draw(minors), draw(minors), draw(st.sampled_from(["EUR", "JPY"])))


def shares(whole: Quote, cuts: list[int]) -> list[Money]:
    """The whole in pieces, cut at these places."""
    marks = sorted({0, whole.total.minor, *(cut % (whole.total.minor + 1) for cut in cuts)})
    pieces = (high - low for low, high in pairwise(marks))
    return [Money(piece, whole.total.currency) for piece in pieces]


def plus(one: Quote, other: Quote) -> Quote:
    return Quote(one.subtotal + other.subtotal, one.tax + other.tax, one.total + other.total)


@given(wholes(), st.lists(minors, max_size=8))
def test_all_parts_together_are_the_whole(whole: Quote, cuts: list[int]):
    gone = nothing(whole.total.currency)
    for amount in shares(whole, cuts):
        part = part_of(whole, gone, amount)
        assert part.total == amount == part.subtotal + part.tax
        assert part.subtotal.minor >= 0 and part.tax.minor >= 0
        gone = plus(gone, part)
        nearest = half_up(whole.tax.minor * gone.total.minor, whole.total.minor)
        assert gone.tax.minor == nearest, "never more than half a cent from exact"
    assert gone == whole or not whole.total.minor


@given(wholes(), st.lists(st.tuples(minors, st.booleans()), max_size=12))
def test_refunds_that_fail_in_any_order_leave_no_cent_behind(
    whole: Quote, tries: list[tuple[int, bool]]
):
    code = whole.total.currency
    posted: list[Posting] = []
    standing: list[Posting] = []
    for wanted, one_fails in tries:
        gone = refunded(posted, code)
        left = whole.total - gone.total
        amount = Money(min(wanted, left.minor), code)
        made = rules.refund_made(a_fact(), part_of(whole, gone, amount))
        posted.append(made)
        standing.append(made)
        if one_fails:
            posted.append(rules.refund_failed(standing.pop(0), at=NOON))
        after = refunded(posted, code)
        assert 0 <= after.tax.minor <= whole.tax.minor
        assert 0 <= after.subtotal.minor <= whole.subtotal.minor
    gone = refunded(posted, code)
    last = part_of(whole, gone, whole.total - gone.total)
    assert plus(gone, last) == whole


def test_a_cent_of_tax_is_neither_lost_nor_found():
    whole = a_quote(2, 1)
    taxes, gone = [], nothing(EUR)
    for _ in range(3):
        part = part_of(whole, gone, money(1))
        taxes.append(part.tax.minor)
        gone = plus(gone, part)
    assert taxes == [0, 1, 0]


def test_other_postings_are_not_refunds():
    sold = rules.sale_made(a_fact(), a_quote(999, 190))
    held = rules.held_given_back(a_fact(), money(100))
    assert refunded([sold, held], EUR) == nothing(EUR)
