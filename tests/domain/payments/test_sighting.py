"""How long a payment is followed for its mandate and its refunds, and what ends a mandate."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace

from domain.payments.answers import MandateStatus, PaymentStatus, RefundStatus, SequenceType
from domain.payments.payment import LATER_LOOKS, PATIENCE, Payment
from domain.payments.refund import RefundReason
from domain.payments.sighting import PaymentFile, money_back, planned, take_in
from tests.domain.payments.test_request_refund import a_chargeback
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.make import money
from tests.make_checkout import a_payment, a_seen_mandate, a_sighting, said

IDS = FakeIds(series=32)
PAID = said(PaymentStatus.PAID, mandate_ref="mdt_1", sequence_type=SequenceType.FIRST)
WEBHOOKS_END = timedelta(hours=26)
MANDATES_END = timedelta(hours=72)


def first() -> PaymentFile:
    payment: Payment = a_payment(sequence_type=SequenceType.FIRST, tax=money(0))
    return PaymentFile(payment=payment)


def seen(file: PaymentFile, status: MandateStatus | None, *, at: datetime = NOON) -> PaymentFile:
    """None: the provider says that there is none."""
    sighting = replace(a_sighting(PAID), at=at, mandate_is_gone=status is None)
    if status is not None:
        sighting = replace(sighting, mandate=a_seen_mandate(status))
    after, _ = take_in(file, sighting, ids=IDS)
    return planned(after, at=at)


def test_a_mandate_is_asked_for_as_long_as_banks_take_and_longer_than_webhooks_are_repeated():
    file, looks = seen(first(), MandateStatus.PENDING), []
    while (due_at := file.payment.due_at) is not None:
        looks.append(due_at - NOON)
        file = seen(file, MandateStatus.PENDING, at=due_at)
    late = [look for look in looks if WEBHOOKS_END < look <= MANDATES_END + LATER_LOOKS]
    assert len(late) >= (MANDATES_END - WEBHOOKS_END) / LATER_LOOKS
    assert all(b - a <= LATER_LOOKS for a, b in pairwise(looks))
    assert looks[-1] <= PATIENCE


@pytest.mark.parametrize("status", [MandateStatus.VALID, MandateStatus.INVALID])
def test_one_that_is_decided_is_asked_for_no_more(status: MandateStatus):
    pending = seen(first(), MandateStatus.PENDING)
    decided = seen(pending, status, at=NOON + timedelta(hours=60))
    assert decided.mandate is not None and decided.mandate.status is status
    assert decided.payment.due_at is None


@pytest.mark.parametrize("word", [MandateStatus.INVALID, None])
def test_a_valid_one_ends_with_the_providers_word(word: MandateStatus | None):
    valid = seen(first(), MandateStatus.VALID)
    ended = seen(valid, word, at=NOON + timedelta(days=90))
    assert ended.mandate is not None and ended.mandate.status is MandateStatus.INVALID


def test_a_look_without_a_word_about_it_ends_nothing():
    valid = seen(first(), MandateStatus.VALID)
    after, _ = take_in(valid, a_sighting(PAID, after_s=7200), ids=IDS)
    assert after.mandate == valid.mandate


def test_an_older_look_ends_nothing():
    valid = seen(first(), MandateStatus.VALID, at=NOON + timedelta(hours=1))
    assert seen(valid, None, at=NOON).mandate == valid.mandate


def declined(*, took: int, is_held: bool = True) -> PaymentFile:
    """The provider did not give back the whole of a payment, of which a bank had taken a part."""
    payment = a_payment(status=PaymentStatus.PAID, is_surplus=is_held, tax=money(0))
    whole = money_back(payment, RefundReason.SURPLUS, at=NOON, ids=IDS)
    whole = replace(whole, status=RefundStatus.DECLINED)
    taken = a_chargeback(took) if took else ()
    return PaymentFile(payment=payment, refunds=(whole,), chargebacks=taken and (taken,))


def test_what_a_bank_leaves_of_money_on_its_way_back_goes_back_once():
    before = declined(took=33)
    once = seen(before, None)
    twice = seen(once, None)
    (whole, rest) = twice.refunds
    assert whole.amount - rest.amount == money(33)
    assert rest.reason is RefundReason.SURPLUS and rest.status is RefundStatus.REQUESTED


@pytest.mark.parametrize("rest", [RefundStatus.DECLINED, RefundStatus.FAILED])
def test_the_rest_is_not_asked_for_again(rest: RefundStatus):
    once = seen(declined(took=33), None)
    refused = replace(once, refunds=(once.refunds[0], replace(once.refunds[1], status=rest)))
    assert len(seen(refused, None).refunds) == 2


def test_nothing_more_is_asked_for_where_a_bank_took_nothing_or_all():
    for took in (0, declined(took=0).payment.amount.minor):
        assert len(seen(declined(took=took), None).refunds) == 1


def test_money_that_has_bought_something_stays():
    assert len(seen(declined(took=33, is_held=False), None).refunds) == 1


def test_a_look_from_before_the_refusal_asks_for_nothing():
    file = seen(declined(took=33), None, at=NOON - timedelta(seconds=1))
    assert len(file.refunds) == 1
