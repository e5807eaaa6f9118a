"""Any life that a subscription can have: what wishes, banks and time do, in every order."""

from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.payments.answers import MandateStatus, PaymentStatus
from domain.payments.attempt import AttemptStatus
from domain.subscriptions.policy import (
    BillingPolicy,
    ChargebackAction,
    FinalAction,
    MissedPeriods,
)
from domain.subscriptions.subscription import MOVES, IllegalSubscriptionMove, SubscriptionStatus
from tests.domain.subscriptions.life import FINISHED, Life, a_policy, happenings
from tests.fakes.clock import NOON
from tests.make import APP

S = SubscriptionStatus

policies = st.builds(
    BillingPolicy,
    app_uuid=st.just(APP),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    retry_days=st.sampled_from([(), (1,), (3, 5, 7), (10, 40)]),
    grace_days=st.sampled_from([0, 7, 60]),
    final_action=st.sampled_from(FinalAction),
    missed_periods=st.sampled_from(MissedPeriods),
    chargeback_action=st.sampled_from(ChargebackAction),
    minimum_charge_minor=st.sampled_from([0, 0, 20_00]),
    created_at=st.just(NOON),
    updated_at=st.just(NOON),
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["paid", "trial", "charged"]),
    policies,
    st.sampled_from([MandateStatus.VALID, MandateStatus.VALID, *MandateStatus, None]),
    st.lists(happenings, max_size=25),
)
@example(start="charged", policy=a_policy(), mandate=MandateStatus.PENDING, story=[])
@example(
    start="paid",
    policy=a_policy(final_action=FinalAction.PAUSE),
    mandate=None,
    story=[("wait", 70), ("wish", "resume")],
)
@example(  # one charge for two bills, taken back and given again
    start="paid",
    policy=a_policy(chargeback_action=ChargebackAction.RECOLLECT, minimum_charge_minor=20_00),
    mandate=MandateStatus.VALID,
    story=[
        ("wait", 70),
        ("bank_says", 0, PaymentStatus.PAID, None),
        ("bank_takes_back", 0),
        ("bank_gives_again", 0),
    ],
)
def test_whatever_happens_the_books_agree_and_wishes_stand(
    start: str,
    policy: BillingPolicy,
    mandate: MandateStatus | None,
    story: list[tuple[object, ...]],
):
    life = Life(start, policy, mandate)
    for what, *how in story:
        getattr(life, str(what))(*how)


@pytest.mark.parametrize(("old", "new"), list(product(S, repeat=2)))
def test_only_listed_moves_are_possible(old: SubscriptionStatus, new: SubscriptionStatus):
    pen = Life("trial", a_policy(), MandateStatus.VALID).pen()
    pen.change(status=old)
    if new is old or new in MOVES[old]:
        pen.move(new, "tested", at=NOON)
        assert pen.subscription.status is new
        assert len(pen.history) == (new is not old)
    else:
        with pytest.raises(IllegalSubscriptionMove):
            pen.move(new, "tested", at=NOON)
        assert (pen.subscription.status, pen.history) == (old, [])


def test_every_state_can_be_reached_and_only_the_end_is_final():
    assert set(MOVES) == set(S)
    assert {status for status, moves in MOVES.items() if not moves} == FINISHED
    reached = {S.INCOMPLETE, S.TRIALING}  # how it begins
    for _ in S:
        reached |= {new for status in reached for new in MOVES[status]}
    assert reached == set(S)
    # From wherever it is, a customer can end it, and nobody can make it begin again.
    assert all(S.CANCELED in moves for status, moves in MOVES.items() if status not in FINISHED)
    assert not any({S.INCOMPLETE, S.TRIALING} & moves for moves in MOVES.values())


def test_a_charge_is_never_made_without_an_attempt_that_says_so():
    life = Life("charged", a_policy(), MandateStatus.VALID)
    (attempt,) = life.book.attempts
    assert attempt.status is AttemptStatus.SUBMITTING
    assert life.status is S.INCOMPLETE
