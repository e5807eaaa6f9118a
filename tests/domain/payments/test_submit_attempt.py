"""Asking the provider for a payment: when to ask, when to look, and when to do neither."""

from datetime import timedelta
from typing import Any, Final

import pytest
from msgspec.structs import replace

from domain.kernel.errors import ProviderUnavailable
from domain.payments.answers import ProviderPayment, SequenceType
from domain.payments.attempt import BACKOFF_MAX, PaymentAttempt, backoff
from domain.payments.payment_provider import ProviderName
from domain.payments.ports import NewCustomer, NewPayment
from domain.payments.submit_attempt import LOST, SubmitAttempt
from tests.fakes.clock import FakeClock
from tests.fakes.provider import KEY_WINDOW_S, FakeProvider, Fault
from tests.make import TENANT, a_uuid, an_account
from tests.make_checkout import ATTEMPT, LEASE, SESSION, TOTAL, an_attempt

WINDOW: Final = timedelta(seconds=KEY_WINDOW_S)
SECOND: Final = timedelta(seconds=1)


class Desk:
    """A provider that knows the customer, and an attempt to submit to it."""

    def __init__(self) -> None:
        self.clock, self.account = FakeClock(), an_account()
        self.provider = FakeProvider(self.clock)
        self.submit = SubmitAttempt(
            {ProviderName.MOLLIE: self.provider.provider}, self.clock, LEASE
        )

    async def attempt(self, **said: Any) -> PaymentAttempt:
        new = NewCustomer(uuid=a_uuid(9), tenant_uuid=TENANT, name="Bakery", email=None)
        customer = await self.provider.provider.customers.create(self.account, new)
        assert isinstance(customer, str)
        request = self.provider.provider.payments.render(
            NewPayment(
                attempt_uuid=ATTEMPT,
                app_uuid=self.account.app_uuid,
                checkout_session_uuid=SESSION,
                amount=TOTAL,
                description="Pro Plan",
                sequence_type=SequenceType.ONEOFF,
                customer_ref=customer,
                payment_method="card",
                return_url="https://kontor.test/return",
                webhook_url="https://kontor.test/webhook",
                locale=None,
            )
        )
        return an_attempt(request=request, **said)

    def asked(self) -> list[str]:
        return [call.operation for call in self.provider.calls if "payment" in call.operation]

    def taken_up_again(self, attempt: PaymentAttempt) -> PaymentAttempt:
        return replace(attempt, lease_until=self.clock.now() + LEASE)


async def test_a_fresh_attempt_is_posted_under_its_own_key():
    desk = Desk()
    answer = await desk.submit(desk.account, await desk.attempt())
    assert isinstance(answer, ProviderPayment)
    assert answer.attempt_uuid == ATTEMPT
    assert [made.key for made in desk.provider.made("payment")] == [ATTEMPT]


async def test_a_lost_answer_is_asked_for_again_and_makes_one_payment():
    desk = Desk()
    attempt = await desk.attempt()
    desk.provider.fail_next("create_payment", Fault.LOST_ANSWER)
    with pytest.raises(ProviderUnavailable):
        await desk.submit(desk.account, attempt)
    desk.clock.advance(WINDOW - SECOND)
    again = await desk.submit(desk.account, desk.taken_up_again(attempt))
    assert isinstance(again, ProviderPayment)
    assert len(desk.provider.made("payment")) == 1
    assert desk.asked() == ["create_payment", "create_payment"]


async def test_past_the_window_nothing_is_posted_and_what_is_found_is_taken():
    desk = Desk()
    attempt = await desk.attempt()
    desk.provider.fail_next("create_payment", Fault.LOST_ANSWER)
    with pytest.raises(ProviderUnavailable):
        await desk.submit(desk.account, attempt)
    desk.clock.advance(WINDOW)
    found = await desk.submit(desk.account, desk.taken_up_again(attempt))
    assert isinstance(found, ProviderPayment)
    assert found.ref == desk.provider.made("payment")[0].ref
    assert desk.asked() == ["create_payment", "find_payment"]


@pytest.mark.parametrize("age", [WINDOW, timedelta(hours=2), timedelta(days=30)])
async def test_what_the_provider_never_had_is_lost_for_good(age: timedelta):
    desk = Desk()
    attempt = await desk.attempt()
    desk.clock.advance(age)
    assert await desk.submit(desk.account, desk.taken_up_again(attempt)) is LOST
    assert desk.provider.made("payment") == []


async def test_a_look_that_fails_decides_nothing():
    desk = Desk()
    attempt = await desk.attempt()
    desk.clock.advance(WINDOW)
    desk.provider.fail_next("find_payment", Fault.UNAVAILABLE)
    with pytest.raises(ProviderUnavailable):
        await desk.submit(desk.account, desk.taken_up_again(attempt))


async def test_who_stood_still_for_half_the_lease_does_not_send():
    desk = Desk()
    attempt = await desk.attempt()
    desk.clock.advance(LEASE / 2 + timedelta(milliseconds=1))
    with pytest.raises(ProviderUnavailable, match="lease"):
        await desk.submit(desk.account, attempt)
    assert desk.asked() == []


async def test_up_to_half_the_lease_one_may_send():
    desk = Desk()
    attempt = await desk.attempt()
    desk.clock.advance(LEASE / 2)
    assert isinstance(await desk.submit(desk.account, attempt), ProviderPayment)


def test_the_wait_doubles_from_ten_seconds_to_ten_minutes():
    waits = [backoff(tries).total_seconds() for tries in range(1, 9)]
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600]
    assert backoff(0) == backoff(1)
    assert backoff(10_000) == BACKOFF_MAX
