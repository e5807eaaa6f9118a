"""How much of a payment may be given back, and when the provider will not take it for another."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.kernel.errors import Conflict, Refused
from domain.payments.answers import PaymentStatus, RefundStatus
from domain.payments.chargeback import Chargeback
from domain.payments.refund import FELL_THROUGH, Refund, RefundReason
from domain.payments.request_refund import WantedRefund, intended
from domain.payments.sighting import PaymentFile
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.make import APP, a_uuid, money
from tests.make_checkout import ACCOUNT, a_payment

IDS = FakeIds(series=31)
PAID = 11_89
REPEATABLE_AFTER = timedelta(minutes=61)


def a_file(*refunds: Refund, chargebacks: tuple[Chargeback, ...] = ()) -> PaymentFile:
    payment = a_payment(status=PaymentStatus.PAID, tax=money(1_90))
    return PaymentFile(payment=payment, refunds=refunds, chargebacks=chargebacks)


def a_refund(minor: int, **said: Any) -> Refund:
    usual = {
        "uuid": IDS.new(),
        "app_uuid": APP,
        "payment_provider_uuid": ACCOUNT,
        "payment_uuid": a_uuid(61),
        "reason": RefundReason.REQUESTED,
        "amount": money(minor),
        "first_submitted_at": NOON,
        "lease_until": NOON,
        "due_at": NOON,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Refund(**usual | said)


def a_chargeback(minor: int, **said: Any) -> Chargeback:
    usual = {
        "uuid": IDS.new(),
        "app_uuid": APP,
        "payment_provider_uuid": ACCOUNT,
        "payment_uuid": a_uuid(61),
        "provider_ref": str(IDS.new()),
        "amount": money(minor),
        "received_at": NOON,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Chargeback(**usual | said)


def asked(
    file: PaymentFile, minor: int | None = None, after: timedelta = REPEATABLE_AFTER
) -> Refund:
    wanted = WantedRefund(payment_uuid=file.payment.uuid, amount_minor=minor, description="why")
    return intended(file, wanted, repeatable_after=after, at=NOON, ids=IDS)


def test_without_an_amount_it_is_all_that_is_left():
    refund = asked(a_file(a_refund(1_00)))
    assert (refund.amount, refund.reason) == (money(10_89), RefundReason.REQUESTED)
    assert (refund.status, refund.description) == (RefundStatus.REQUESTED, "why")
    assert refund.due_at == refund.lease_until == NOON


@pytest.mark.parametrize("status", sorted(set(RefundStatus)))
def test_what_may_still_go_back_is_not_left(status: RefundStatus):
    left = a_file(a_refund(5_00, status=status)).left
    assert left == money(11_89 if status in FELL_THROUGH else 6_89)


def test_what_a_bank_took_is_not_left_until_it_gives_it_again():
    taken = a_chargeback(11_89)
    assert a_file(chargebacks=(taken,)).left == money(0)
    assert a_file(chargebacks=(replace(taken, reversed_at=NOON),)).left == money(PAID)


def test_more_than_was_paid_gone_leaves_nothing():
    file = a_file(a_refund(11_89), chargebacks=(a_chargeback(11_89),))
    assert file.left == money(0)


@given(parts=st.lists(st.integers(min_value=1, max_value=5_00), max_size=8))
def test_parts_never_add_up_to_more_than_was_paid(parts: list[int]):
    file = a_file()
    for part in parts:
        left = file.left.minor
        if part > left:
            with pytest.raises(Refused) as refused:
                asked(file, part)
            assert refused.value.field == "amount"
            assert f"{left} EUR" in str(refused.value)
        else:
            file = replace(file, refunds=(*file.refunds, asked(file, part)))
    assert sum(refund.amount.minor for refund in file.refunds) + file.left.minor == PAID


@pytest.mark.parametrize("status", sorted(set(PaymentStatus) - {PaymentStatus.PAID}))
def test_only_what_is_paid_is_given_back(status: PaymentStatus):
    with pytest.raises(Conflict):
        asked(PaymentFile(payment=a_payment(status=status)), 1)


def test_one_of_the_same_amount_waits_behind_each_before_it():
    sent = a_refund(1_00, due_at=NOON - timedelta(minutes=20), tries=1)
    second = asked(a_file(sent), 1_00)
    assert second.due_at == sent.due_at + REPEATABLE_AFTER
    third = asked(a_file(sent, second), 1_00)
    assert third.due_at == second.due_at + REPEATABLE_AFTER
    assert asked(a_file(sent, second), 1_01).due_at == NOON


def test_nobody_waits_where_nothing_is_taken_for_a_repetition():
    sent = a_refund(1_00, due_at=NOON - timedelta(minutes=1), tries=1)
    assert asked(a_file(sent), 1_00, timedelta(0)).due_at == NOON


def test_one_that_came_to_nothing_or_is_long_ago_keeps_nobody_waiting():
    canceled = a_refund(1_00, status=RefundStatus.CANCELED)
    long_ago = a_refund(1_00, due_at=NOON - REPEATABLE_AFTER)
    assert asked(a_file(canceled, long_ago), 1_00).due_at == NOON
