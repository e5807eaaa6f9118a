"""When asking again has shown that it does not help, and a person must look."""

from datetime import timedelta

import pytest

from domain.kernel.errors import (
    CredentialRefused,
    DomainError,
    ProviderBusy,
    ProviderUnavailable,
    ProviderUnreadable,
)
from domain.payments.recover_attempt import GIVE_UP_AFTER, REVIEW_AFTER, TRIES_MIN, is_hopeless
from tests.make import a_uuid
from tests.make_checkout import an_attempt

AGES = GIVE_UP_AFTER * 30
AWAY, NONSENSE = ProviderUnavailable("away"), ProviderUnreadable("nonsense")
BUSY, SHUT_OUT = ProviderBusy("busy", retry_after_s=7), CredentialRefused("refused")


@pytest.mark.parametrize(
    ("error", "age"), [(AWAY, GIVE_UP_AFTER), (NONSENSE, REVIEW_AFTER), (NONSENSE, AGES)]
)
def test_a_shoppers_attempt_is_given_up_after_many_tries_and_a_long_time(
    error: DomainError, age: timedelta
):
    assert is_hopeless(an_attempt(tries=TRIES_MIN), error, age)
    assert not is_hopeless(an_attempt(tries=TRIES_MIN - 1), error, age)


def test_before_its_time_it_is_not():
    attempt = an_attempt(tries=TRIES_MIN)
    assert not is_hopeless(attempt, AWAY, GIVE_UP_AFTER - timedelta(seconds=1))
    assert not is_hopeless(attempt, NONSENSE, REVIEW_AFTER - timedelta(seconds=1))


@pytest.mark.parametrize("error", [BUSY, SHUT_OUT])
def test_what_will_pass_is_never_hopeless(error: DomainError):
    assert not is_hopeless(an_attempt(tries=500), error, AGES)


@pytest.mark.parametrize("error", [AWAY, NONSENSE, BUSY, SHUT_OUT])
def test_a_subscriptions_charge_is_never_given_up(error: DomainError):
    charge = an_attempt(checkout_session_uuid=None, bill_uuid=a_uuid(9), tries=500)
    assert not is_hopeless(charge, error, AGES)
