"""Dunning: what a failure's reason says, and when it is tried again."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.subscriptions.dunning import (
    VERDICTS,
    Verdict,
    gives_up_at,
    next_try,
    planned_tries,
    verdict,
)
from domain.subscriptions.policy import BillingPolicy
from tests.fakes.clock import NOON
from tests.make import APP

BERLIN = ZoneInfo("Europe/Berlin")
RETRY, WAIT, NEW_METHOD, STOP = Verdict.RETRY, Verdict.WAIT, Verdict.NEW_METHOD, Verdict.STOP

# What Mollie's payments API documents for cards; nothing of it may be left to chance.
CARD_REASONS = [
    "authentication_abandoned",
    "authentication_failed",
    "authentication_required",
    "authentication_unavailable_acs",
    "card_declined",
    "card_expired",
    "inactive_card",
    "insufficient_funds",
    "invalid_cvv",
    "invalid_card_holder_name",
    "invalid_card_number",
    "invalid_card_type",
    "possible_fraud",
    "refused_by_issuer",
    "unknown_reason",
]


def a_policy(*retry_days: int, grace: int = 7, zone: str = "Europe/Berlin") -> BillingPolicy:
    return BillingPolicy(
        app_uuid=APP,
        time_zone=zone,
        retry_days=retry_days,
        grace_days=grace,
        created_at=NOON,
        updated_at=NOON,
    )


def at(text: str) -> datetime:
    """By the clocks of Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def tries(policy: BillingPolicy, failed: str, said: Verdict) -> list[datetime]:
    """All of them, asked for one by one."""
    found: list[datetime] = []
    while (one := next_try(policy, at(failed), len(found) + 1, said, BERLIN)) is not None:
        found.append(one)
    return found


@pytest.mark.parametrize("reason", CARD_REASONS)
def test_every_documented_card_reason_has_a_verdict(reason: str):
    assert reason in VERDICTS


@pytest.mark.parametrize(
    ("said", "reasons"),
    [
        (
            RETRY,
            "card_declined refused_by_issuer unknown_reason authentication_unavailable_acs "
            "do_not_honor MS03 AG02 FF01",
        ),
        (WAIT, "insufficient_funds AM04"),
        (
            NEW_METHOD,
            "authentication_required authentication_failed authentication_abandoned card_expired "
            "inactive_card invalid_cvv invalid_card_holder_name invalid_card_number "
            "invalid_card_type possible_fraud expired_card lost_card stolen_card "
            "additional_customer_authentication_required AC01 AC04 AC06 AC13 AG01 RC01 DNOR RR04 "
            "MD01 MD02 BE05 SL01",
        ),
        (STOP, "revocation_of_authorization revocation_of_all_authorizations AM05 MS02 MD06 MD07"),
    ],
)
def test_the_whole_table(said: Verdict, reasons: str):
    assert {reason for reason, known in VERDICTS.items() if known is said} == set(reasons.split())
    assert {verdict(reason) for reason in reasons.split()} == {said}


@pytest.mark.parametrize("reason", [None, "", "XX99", "am04", "a reason of tomorrow"])
def test_what_nobody_has_heard_of_is_tried_again(reason: str | None):
    assert verdict(reason) is RETRY


def test_retries_follow_the_policy_at_the_hour_of_the_first_failure():
    # Summer time begins on 28 March.
    assert tries(a_policy(1, 3, 7), "2027-03-26T09:15", RETRY) == [
        at("2027-03-27T09:15"), at("2027-03-29T09:15"), at("2027-04-02T09:15"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "failed", "expected"),
    [
        # The next payday is within the retry days: the 15th.
        ((3, 5, 7), "2027-04-10T09:15", ["2027-04-15T09:15", "2027-04-17T09:15"]),
        # None of the retry days is near a payday: as for any other reason.
        ((3, 5, 7), "2027-04-04T09:15", ["2027-04-07T09:15", "2027-04-09T09:15",
                                         "2027-04-11T09:15"]),
        # The last day that the policy allows is the payday itself.
        ((3, 5, 7), "2027-04-08T09:15", ["2027-04-15T09:15"]),
        # And a day too late.
        ((3, 5, 7), "2027-04-07T09:15", ["2027-04-10T09:15", "2027-04-12T09:15",
                                         "2027-04-14T09:15"]),
        # A retry day that is a payday stays where it is; the month's end is no obstacle.
        ((2, 4), "2027-04-29T23:30", ["2027-05-01T23:30", "2027-05-03T23:30"]),
        # Each waits for a payday of its own.
        ((5, 20), "2027-04-12T09:15", ["2027-05-01T09:15", "2027-05-02T09:15"]),
        ((1, 10, 25), "2027-04-10T09:15", ["2027-04-15T09:15", "2027-05-01T09:15",
                                           "2027-05-05T09:15"]),
        ((), "2027-04-10T09:15", []),
    ],
)  # fmt: skip
def test_who_had_too_little_money_is_asked_again_on_a_payday(
    days: tuple[int, ...], failed: str, expected: list[str]
):
    assert tries(a_policy(*days), failed, WAIT) == [at(text) for text in expected]


def test_a_payday_is_one_in_the_zone_of_the_app():
    # 00:30 on 12 April in Berlin is still 11 April in UTC.
    failed = at("2027-04-12T00:30")
    assert next_try(a_policy(3), failed, 1, WAIT, BERLIN) == at("2027-04-15T00:30")
    utc = ZoneInfo("UTC")
    assert next_try(a_policy(3, 4, zone="UTC"), failed, 1, WAIT, utc) == failed + timedelta(days=4)


@pytest.mark.parametrize("said", [NEW_METHOD, STOP])
def test_what_cannot_help_is_not_tried(said: Verdict):
    assert tries(a_policy(3, 5, 7), "2027-04-10T09:15", said) == []


def test_after_the_last_retry_day_there_is_none():
    policy = a_policy(3, 5)
    assert next_try(policy, NOON, 2, RETRY, BERLIN) is not None
    assert next_try(policy, NOON, 3, RETRY, BERLIN) is None
    assert next_try(a_policy(), NOON, 1, RETRY, BERLIN) is None


def test_a_first_failure_is_the_first_try():
    with pytest.raises(AssertionError):
        next_try(a_policy(3), NOON, 0, RETRY, BERLIN)


@given(
    st.sets(st.integers(1, 60), max_size=10).map(sorted),
    st.integers(0, 366 * 24 * 60),
    st.sampled_from(Verdict),
)
def test_tries_are_ordered_and_within_the_policy(days: list[int], minute: int, said: Verdict):
    policy, failed = a_policy(*days), NOON + timedelta(minutes=minute)

    plan = planned_tries(policy, failed, said, BERLIN)

    assert len(plan) <= len(days)
    assert list(plan) == sorted(set(plan))
    if plan:
        local = [one.astimezone(BERLIN).date() for one in plan]
        begun = failed.astimezone(BERLIN).date()
        assert begun + timedelta(days=days[0]) <= local[0]
        assert local[-1] <= begun + timedelta(days=days[-1])
        assert gives_up_at(policy, failed, failed) >= plan[-1]
    if said is RETRY:
        assert len(plan) == len(days)
    if said is WAIT and days:
        # The last retry day is a try in any case, unless a payday before it took its place.
        assert local[-1] == begun + timedelta(days=days[-1]) or local[-1].day in (1, 15)


@pytest.mark.parametrize(
    ("days", "grace", "unpaid", "failed", "expected"),
    [
        ((3, 5, 7), 7, "2027-03-26T09:00", "2027-03-26T09:05", "2027-04-02T09:05"),
        ((3, 5), 14, "2027-03-26T09:00", "2027-03-26T09:05", "2027-04-09T09:00"),
        # A direct debit that came back ten days after the period began.
        ((3, 5, 7), 7, "2027-03-26T09:00", "2027-04-05T11:00", "2027-04-12T11:00"),
        ((), 7, "2027-03-26T09:00", "2027-03-26T09:05", "2027-04-02T09:00"),
        ((), 0, "2027-03-26T09:00", "2027-03-26T09:05", "2027-03-26T09:05"),
        ((1,), 0, "2027-03-27T02:30", "2027-03-27T02:30", "2027-03-28T03:00"),
    ],
)
def test_giving_up_waits_for_grace_and_for_the_last_retry(
    days: tuple[int, ...], grace: int, unpaid: str, failed: str, expected: str
):
    assert gives_up_at(a_policy(*days, grace=grace), at(unpaid), at(failed)) == at(expected)
