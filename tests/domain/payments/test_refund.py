"""A refund: our intent, then what the provider made of it."""

from datetime import timedelta

import pytest

from domain.payments.answers import Declined, RefundStatus
from domain.payments.refund import Refund, RefundReason, conclude
from tests.fakes.clock import NOON
from tests.make import APP, a_uuid
from tests.make_checkout import ACCOUNT, TOTAL, a_seen_refund

LATER = NOON + timedelta(minutes=1)
REFUND = Refund(
    uuid=a_uuid(71),
    app_uuid=APP,
    payment_provider_uuid=ACCOUNT,
    payment_uuid=a_uuid(61),
    reason=RefundReason.SURPLUS,
    amount=TOTAL,
    first_submitted_at=NOON,
    lease_until=NOON,
    due_at=NOON,
    created_at=NOON,
    updated_at=NOON,
)


@pytest.mark.parametrize("status", list(RefundStatus))
def test_it_is_settled_when_nothing_more_can_happen(status: RefundStatus):
    after = conclude(REFUND, a_seen_refund(REFUND.uuid, status), at=LATER)
    assert after.is_settled == (status in ("refunded", "failed", "canceled", "declined"))
    assert (after.provider_ref, after.updated_at) == ("re_1", LATER)


def test_seeing_it_twice_changes_nothing():
    once = conclude(REFUND, a_seen_refund(REFUND.uuid, RefundStatus.PENDING), at=LATER)
    again = a_seen_refund(REFUND.uuid, RefundStatus.PENDING)
    assert conclude(once, again, at=LATER + timedelta(days=1)) == once


def test_a_no_is_kept_with_its_reason():
    after = conclude(REFUND, Declined("the balance is too low"), at=LATER)
    assert after.status is RefundStatus.DECLINED
    assert after.decline_reason == "the balance is too low"
    assert after.provider_ref is None
