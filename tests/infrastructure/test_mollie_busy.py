"""When Mollie says that it is too much: what is believed of it, and who has to wait."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from domain.kernel.errors import ProviderBusy, ProviderUnavailable, RefundTooSoon
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Provider
from infrastructure.budget import RateBudget
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.provider import connect
from tests.contract.stages import an_account
from tests.fakes.vault import FakeVault
from tests.infrastructure.mollie_setting import IDS, ORDER, payment, problem


@dataclass
class Counter:
    """Mollie's, and the time: `answers` by API key, then payments."""

    provider: Provider
    account: PaymentProvider
    other: PaymentProvider
    now_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    answers: dict[str, list[httpx.Response]] = field(default_factory=dict)

    def serve(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        self.asked.append(key)
        waiting = self.answers.get(key)
        return waiting.pop(0) if waiting else httpx.Response(200, content=payment())

    async def get(self, account: PaymentProvider) -> None:
        assert await self.provider.payments.get(account, "tr_1") is not None

    async def refusal(self) -> ProviderBusy:
        with pytest.raises(ProviderBusy) as busy:
            await self.get(self.account)
        return busy.value


@asynccontextmanager
async def a_counter(*answers: httpx.Response) -> AsyncIterator[Counter]:
    vault = FakeVault()

    async def pause(seconds: float) -> None:
        counter.now_s += seconds

    client = MollieClient(
        "https://mollie.test",
        vault,
        5,
        httpx.MockTransport(lambda request: counter.serve(request)),
        budget=RateBudget(20, now=lambda: counter.now_s, pause=pause),
    )
    accounts = [an_account(IDS, vault, key) for key in ("test_one", "test_other")]
    counter = Counter(connect(client), *accounts, answers={"test_one": list(answers)})
    async with client.open():
        yield counter


def too_much(retry_after: str | None = None) -> httpx.Response:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return httpx.Response(429, content=problem(429), headers=headers)


@pytest.mark.parametrize(
    ("header", "believed"),
    [
        ("7", 7),
        ("0", 1),
        ("3600", 3600),
        ("86400", 3600),
        ("9" * 400, 1),
        ("-7", 1),
        ("7.5", 1),
        ("²", 1),
        ("soon", 1),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 1),
    ],
)
async def test_a_wait_is_believed_when_it_is_sane(header: str, believed: int):
    answer = too_much()
    answer.headers = httpx.Headers([(b"Retry-After", header.encode("latin-1"))])
    async with a_counter(answer) as counter:
        assert (await counter.refusal()).retry_after_s == believed


async def test_without_a_word_about_it_the_wait_is_a_second():
    async with a_counter(too_much()) as counter:
        assert (await counter.refusal()).retry_after_s == 1
        await counter.get(counter.account)
    assert counter.now_s == 1


async def test_an_account_that_is_told_to_wait_is_not_called_until_then():
    async with a_counter(too_much("30")) as counter:
        await counter.refusal()
        assert counter.provider.budget.wait_s(counter.account.uuid) == 30
        counter.now_s += 10
        assert (await counter.refusal()).retry_after_s == 20
        assert counter.asked == ["test_one"]
        counter.now_s += 20
        await counter.get(counter.account)


async def test_one_account_that_is_told_to_wait_slows_down_no_other():
    async with a_counter(too_much("3600")) as counter:
        await counter.refusal()
        for _ in range(20):
            await counter.get(counter.other)
        assert counter.provider.budget.wait_s(counter.account.uuid) == 3600
    assert counter.now_s == 0
    assert counter.asked == ["test_one"] + ["test_other"] * 20


async def test_every_kind_of_call_is_paid_for_from_the_same_budget():
    async with a_counter(too_much("60")) as counter:
        await counter.refusal()
        account, provider = counter.account, counter.provider
        request = provider.payments.render(ORDER)
        calls = [
            provider.payments.create(account, request, key=ORDER.attempt_uuid),
            provider.payments.cancel(account, "tr_1"),
            provider.mandates.revoke(account, "cst_1", "mdt_1"),
            provider.refunds.list(account, "tr_1"),
            provider.chargebacks.list(account, "tr_1"),
            provider.customers.find(account, IDS.new(), since=account.created_at),
            anext(aiter(provider.payments.since(account, account.created_at))),
        ]
        for call in calls:
            with pytest.raises(ProviderBusy):
                await call
    assert counter.asked == ["test_one"]


async def test_a_reference_that_cannot_be_one_costs_nothing():
    async with a_counter(too_much("60")) as counter:
        await counter.refusal()
        assert await counter.provider.payments.get(counter.account, "../x") is None


async def test_trouble_of_another_kind_wins_no_speed_back():
    broken = [httpx.Response(503, content=b"{}") for _ in range(50)]
    async with a_counter(too_much("1"), *broken) as counter:
        await counter.refusal()
        counter.now_s += 60
        for _ in range(10):
            with pytest.raises(ProviderUnavailable):
                await counter.get(counter.account)
        assert counter.provider.budget.wait_s(counter.account.uuid) == pytest.approx(1 / 10)


async def test_a_repeated_refund_comes_too_soon_and_other_repetitions_are_only_early():
    async with a_counter(*(httpx.Response(409, content=problem(409)) for _ in range(2))) as counter:
        with pytest.raises(RefundTooSoon):
            await counter.provider.refunds.create(
                counter.account, "tr_1", ORDER.amount, refund_uuid=IDS.new()
            )
        with pytest.raises(ProviderUnavailable) as early:
            request = counter.provider.payments.render(ORDER)
            await counter.provider.payments.create(counter.account, request, key=IDS.new())
    assert type(early.value) is ProviderUnavailable
