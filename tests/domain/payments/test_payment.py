"""A payment as it is seen: every pair of states, repeated and overtaken looks, planned looks."""

from datetime import timedelta
from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.payments.answers import PaymentStatus
from domain.payments.payment import ENDED, LATER_LOOKS, PATIENCE, look_again, observe
from tests.fakes.clock import NOON
from tests.make import money
from tests.make_checkout import TOTAL, a_payment, said

LATER: Final = NOON + timedelta(minutes=1)
MINUTE: Final = timedelta(minutes=1)
S = PaymentStatus
LEGAL: Final = {
    S.OPEN: {S.PENDING, S.AUTHORIZED, S.PAID, S.FAILED, S.CANCELED, S.EXPIRED},
    S.PENDING: {S.AUTHORIZED, S.PAID, S.FAILED, S.CANCELED, S.EXPIRED},
    S.AUTHORIZED: {S.PAID, S.FAILED, S.CANCELED, S.EXPIRED},
    S.FAILED: {S.PAID},
    S.CANCELED: {S.PAID},
    S.EXPIRED: {S.PAID},
    S.PAID: set(),
}


@pytest.mark.parametrize(("old", "new"), list(product(PaymentStatus, repeat=2)))
def test_every_pair_of_states_is_decided(old: PaymentStatus, new: PaymentStatus):
    before, _ = observe(a_payment(), said(old), at=NOON)
    after, events = observe(before, said(new), at=LATER)
    if new in LEGAL[old]:
        assert after.status is new
        assert after.updated_at == LATER
        assert [event.type for event in events] == [f"payment.{new}"]
    else:
        assert (after, events) == (before, ())


@pytest.mark.parametrize("status", list(PaymentStatus))
def test_seeing_it_twice_says_nothing_the_second_time(status: PaymentStatus):
    once, _ = observe(a_payment(), said(status), at=LATER)
    assert observe(once, said(status), at=LATER + MINUTE) == (once, ())


def test_money_back_is_an_amount_and_no_status():
    paid, _ = observe(a_payment(), said(S.PAID), at=NOON)
    half, events = observe(paid, said(S.PAID, refunded=money(5_00)), at=LATER)
    assert half.status is S.PAID
    assert half.refunded == money(5_00)
    assert [event.type for event in events] == ["payment.refunded_amount_changed"]
    lost, events = observe(half, said(S.PAID, refunded=money(5_00), charged_back=TOTAL), at=LATER)
    assert lost.charged_back == TOTAL
    assert [event.type for event in events] == ["payment.charged_back_amount_changed"]


def test_a_refund_that_failed_gives_the_amount_back():
    paid, _ = observe(a_payment(), said(S.PAID, refunded=TOTAL), at=NOON)
    after, _ = observe(paid, said(S.PAID), at=LATER)
    assert after.refunded == money(0)


def test_a_look_that_was_overtaken_changes_nothing():
    paid, _ = observe(a_payment(), said(S.PAID), at=NOON)
    refunded, _ = observe(paid, said(S.PAID, refunded=TOTAL), at=LATER)
    assert observe(refunded, said(S.PAID), at=LATER - timedelta(seconds=1)) == (refunded, ())


def test_money_that_arrived_counts_however_late_we_hear_of_it():
    expired, _ = observe(a_payment(), said(S.EXPIRED), at=LATER)
    paid, _ = observe(expired, said(S.PAID), at=LATER - timedelta(seconds=1))
    assert paid.status is S.PAID


def test_what_was_known_is_not_forgotten():
    failed, _ = observe(a_payment(), said(S.FAILED, failure_reason="card_declined"), at=NOON)
    again, _ = observe(failed, said(S.FAILED, method=None, customer_ref=None), at=LATER)
    assert (again.failure_reason, again.method, again.customer_ref) == (
        "card_declined",
        "card",
        "cst_1",
    )


def test_the_instant_of_payment_is_the_providers():
    paid, _ = observe(a_payment(), said(S.PAID), at=NOON + timedelta(days=3))
    assert paid.paid_at == NOON + MINUTE
    unsaid, _ = observe(a_payment(), said(S.PAID, paid_at=None), at=LATER)
    assert unsaid.paid_at == LATER


def test_looks_come_after_two_minutes_ten_an_hour_and_then_every_six_hours():
    payment, looks = look_again(a_payment(), unfinished_since=None, at=NOON), []
    for _ in range(6):
        assert payment.due_at is not None
        looks.append((payment.due_at - NOON) / MINUTE)
        payment = look_again(payment, unfinished_since=None, at=payment.due_at)
    assert looks == [2, 10, 60, 360, 720, 1080]


@given(age=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=60)))
def test_the_next_look_is_always_ahead_and_never_further_than_six_hours(age: timedelta):
    due_at = look_again(a_payment(), unfinished_since=None, at=NOON + age).due_at
    assert due_at is not None
    assert timedelta(0) < due_at - (NOON + age) <= LATER_LOOKS


@pytest.mark.parametrize("status", [*sorted(ENDED), S.PAID])
def test_looks_end_with_the_payment(status: PaymentStatus):
    ended = replace(a_payment(status=status), due_at=NOON)
    assert look_again(ended, unfinished_since=None, at=LATER).due_at is None
    assert look_again(ended, unfinished_since=NOON, at=LATER).due_at is not None
    assert look_again(ended, unfinished_since=NOON, at=NOON + PATIENCE).due_at is None


def test_a_refund_of_an_old_payment_is_followed_like_one_of_a_new_payment():
    asked_at = NOON + timedelta(days=300)
    old = look_again(a_payment(status=S.PAID), unfinished_since=asked_at, at=asked_at)
    assert old.due_at == asked_at + 2 * MINUTE
