"""The posting rules: each balances for every amount, and a whole life ends where it must."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.quote import Quote
from domain.kernel.money import EXPONENTS, CurrencyMismatch, Money, currency
from domain.ledger import rules
from domain.ledger.parts import nothing, part_of, refunded
from domain.ledger.posting import Account, Posting, PostingKind
from tests.fakes.clock import NOON
from tests.make import TENANT, a_uuid, money
from tests.make_ledger import SOLD, a_fact, a_quote, standing

A, K = Account, PostingKind
FACT = a_fact()
LATER = NOON + timedelta(days=30)

codes = st.sampled_from(sorted(EXPONENTS)).map(currency)
minors = st.one_of(st.integers(0, 3), st.integers(0, 10**14))


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    return a_quote(draw(minors), draw(minors), draw(codes))


@st.composite
def quotes_and_rests(draw: st.DrawFn) -> tuple[Quote, Money]:
    amount = draw(quotes())
    return amount, Money(draw(st.integers(0, amount.total.minor)), amount.total.currency)


WHOLE: dict[K, Callable[[rules.Fact, Quote], Posting]] = {
    K.BILL_ISSUED: rules.bill_issued,
    K.SALE_MADE: rules.sale_made,
    K.BALANCE_GRANTED: rules.balance_granted,
    K.REFUND_MADE: rules.refund_made,
}
AMOUNT: dict[K, Callable[[rules.Fact, Money], Posting]] = {
    K.BILL_WRITTEN_OFF: rules.bill_written_off,
    K.BILL_REOPENED: rules.bill_reopened,
    K.BALANCE_APPLIED: rules.balance_applied,
    K.CHARGEBACK_RECEIVED: rules.chargeback_received,
}


@given(quotes_and_rests())
def test_every_rule_balances_for_every_amount(some: tuple[Quote, Money]):
    quote, part = some
    rest = quote.total - part
    made = rules.refund_made(FACT, quote)
    postings = {
        **{kind: rule(FACT, quote) for kind, rule in WHOLE.items()},
        **{kind: rule(FACT, part) for kind, rule in AMOUNT.items()},
        K.PAYMENT_RECEIVED: rules.payment_received(FACT, settles=part, held=rest),
        K.BILL_VOIDED: rules.bill_voided(FACT, quote, part, credit_back=rest),
        K.REFUND_FAILED: rules.refund_failed(made, at=LATER),
        K.CHARGEBACK_REVERSED: rules.chargeback_reversed(FACT, quote.total, settles=part),
    }
    assert set(postings) == set(PostingKind)
    for kind, posting in postings.items():
        assert posting.kind is kind
        assert posting.currency == quote.total.currency
        assert sum(posting.amounts.values()) == 0
        assert 0 not in posting.amounts.values()
    held = rules.held_given_back(FACT, part)
    assert (held.kind, sum(held.amounts.values())) == (K.REFUND_MADE, 0)


def test_what_does_not_add_up_cannot_be_made():
    with pytest.raises(AssertionError):
        Posting(
            kind=K.SALE_MADE,
            source_uuid=a_uuid(1),
            tenant_uuid=TENANT,
            currency=currency("EUR"),
            amounts={A.CASH: 1},
            happened_at=NOON,
        )


def test_currencies_do_not_mix():
    with pytest.raises(CurrencyMismatch):
        rules.payment_received(FACT, settles=money(1), held=money(1, "JPY"))


def test_each_rule_moves_its_accounts_debit_positive():
    assert rules.bill_issued(FACT, SOLD).amounts == {
        A.RECEIVABLE: 1189,
        A.REVENUE: -999,
        A.TAX: -190,
    }
    assert rules.sale_made(FACT, SOLD).amounts == rules.bill_issued(FACT, SOLD).amounts
    received = rules.payment_received(FACT, settles=money(1000), held=money(189))
    assert received.amounts == {A.CASH: 1189, A.RECEIVABLE: -1000, A.HELD: -189}
    written_off = rules.bill_written_off(FACT, money(500))
    assert written_off.amounts == {A.WRITE_OFFS: 500, A.RECEIVABLE: -500}
    granted = rules.balance_granted(FACT, SOLD)
    assert granted.amounts == {A.REVENUE: 999, A.TAX: 190, A.CUSTOMER_BALANCE: -1189}
    applied = rules.balance_applied(FACT, money(189))
    assert applied.amounts == {A.CUSTOMER_BALANCE: 189, A.RECEIVABLE: -189}
    refund = rules.refund_made(FACT, SOLD)
    assert refund.amounts == {A.REFUNDS: 999, A.TAX: 190, A.CASH: -1189}
    assert rules.held_given_back(FACT, money(100)).amounts == {A.HELD: 100, A.CASH: -100}
    chargeback = rules.chargeback_received(FACT, money(1189))
    assert chargeback.amounts == {A.CHARGEBACKS: 1189, A.CASH: -1189}
    reopened = rules.bill_reopened(FACT, money(1189))
    assert reopened.amounts == {A.RECEIVABLE: 1189, A.CHARGEBACKS: -1189}


def test_a_posting_carries_its_fact():
    fact = a_fact(a_uuid(5), facts={"paymentUuid": "p"})
    posting = rules.sale_made(fact, SOLD)
    assert (posting.source_uuid, posting.tenant_uuid, posting.happened_at, posting.facts) == (
        a_uuid(5),
        TENANT,
        NOON,
        {"paymentUuid": "p"},
    )


def test_a_bill_of_nothing_moves_nothing():
    assert rules.bill_issued(FACT, nothing(currency("EUR"))).amounts == {}


@given(quotes_and_rests())
def test_a_voided_bill_leaves_what_was_paid_of_it_and_no_more(some: tuple[Quote, Money]):
    bill, rest = some
    paid = bill.total - rest
    left = standing(
        rules.bill_issued(FACT, bill),
        rules.payment_received(FACT, settles=paid, held=money(0, paid.currency)),
        rules.bill_voided(FACT, bill, rest, credit_back=money(0, paid.currency)),
    )
    part = part_of(bill, nothing(paid.currency), paid)
    wanted = {A.CASH: paid.minor, A.REVENUE: -part.subtotal.minor, A.TAX: -part.tax.minor}
    assert left == {account: amount for account, amount in wanted.items() if amount}


@given(quotes_and_rests())
def test_a_voided_bill_gives_the_credit_back_that_had_paid_for_a_part(some: tuple[Quote, Money]):
    bill, rest = some
    credit = bill.total - rest
    left = standing(
        rules.bill_issued(FACT, bill),
        rules.balance_applied(FACT, credit),
        rules.bill_voided(FACT, bill, rest, credit_back=credit),
    )
    assert left == {}


def test_a_failed_refund_undoes_what_was_posted_to_the_cent():
    made = rules.refund_made(FACT, a_quote(33, 7))
    failed = rules.refund_failed(made, at=LATER)
    assert standing(made, failed) == {}
    assert (failed.kind, failed.happened_at, failed.source_uuid) == (
        K.REFUND_FAILED,
        LATER,
        made.source_uuid,
    )


@given(quotes(), st.lists(minors, max_size=5))
def test_a_whole_life_ends_where_it_must(bill: Quote, refunds: list[int]):
    """Issued, paid, given back in parts, charged back, and the bank changes its mind."""
    zero = money(0, bill.total.currency)
    life = [
        rules.bill_issued(FACT, bill),
        rules.payment_received(FACT, settles=bill.total, held=zero),
    ]
    left = bill.total
    for wanted in refunds:
        amount = min(Money(wanted, zero.currency), left, key=lambda m: m.minor)
        part = part_of(bill, refunded(life, zero.currency), amount)
        life.append(rules.refund_made(FACT, part))
        left -= amount
    kept = standing(*life)
    assert kept.get(A.RECEIVABLE, 0) == 0
    assert kept.get(A.CASH, 0) == left.minor

    life.append(rules.chargeback_received(FACT, left))
    assert standing(*life).get(A.CASH, 0) == 0
    assert standing(*life).get(A.CHARGEBACKS, 0) == left.minor
    life.append(rules.chargeback_reversed(FACT, left, settles=zero))
    assert standing(*life) == kept

    life.append(rules.refund_made(FACT, part_of(bill, refunded(life, zero.currency), left)))
    gone = standing(*life)
    assert gone.get(A.REFUNDS, 0) == -gone.get(A.REVENUE, 0) == bill.subtotal.minor
    assert set(gone) <= {A.REFUNDS, A.REVENUE}


def test_a_bill_that_was_opened_again_is_settled_by_the_reversal():
    amount = money(1189)
    life = [
        rules.bill_issued(FACT, SOLD),
        rules.payment_received(FACT, settles=amount, held=money(0)),
        rules.chargeback_received(FACT, amount),
        rules.bill_reopened(FACT, amount),
        rules.chargeback_reversed(FACT, amount, settles=amount),
    ]
    assert standing(*life) == {A.CASH: 1189, A.REVENUE: -999, A.TAX: -190}


def test_a_credit_pays_for_the_next_bill():
    life = [
        rules.balance_granted(FACT, SOLD),
        rules.bill_issued(FACT, a_quote(1999, 380)),
        rules.balance_applied(FACT, money(1189)),
        rules.payment_received(FACT, settles=money(1190), held=money(0)),
    ]
    assert standing(*life) == {A.CASH: 1190, A.REVENUE: -1000, A.TAX: -190}
