"""How fast an account may be called: in a time that only the test moves, to the exact moment."""

import asyncio
from uuid import UUID

import pytest

from domain.kernel.errors import ProviderBusy
from infrastructure.budget import RateBudget
from tests.fakes.ids import FakeIds

IDS = FakeIds(series=5)
ONE, OTHER = IDS.new(), IDS.new()


class Watch:
    """A monotonic clock that moves when somebody waits, or when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.waited: list[float] = []

    def now(self) -> float:
        return self.now_s

    async def pause(self, seconds: float) -> None:
        self.waited.append(round(seconds, 6))
        self.now_s += seconds


def a_budget(calls_per_s: float = 20) -> tuple[RateBudget, Watch]:
    watch = Watch()
    return RateBudget(calls_per_s, now=watch.now, pause=watch.pause), watch


async def spend(budget: RateBudget, calls: int, account: UUID = ONE) -> None:
    for _ in range(calls):
        await budget.take(account)


async def test_a_burst_goes_out_at_once_and_what_follows_at_the_rate():
    budget, watch = a_budget()
    await spend(budget, 20)
    assert watch.waited == []
    assert budget.wait_s(ONE) == pytest.approx(0.05)
    await spend(budget, 3)
    assert watch.waited == [0.05, 0.05, 0.05]


async def test_a_rest_gives_back_one_burst_and_no_more():
    budget, watch = a_budget()
    await spend(budget, 20)
    watch.now_s += 3600
    await spend(budget, 20)
    assert watch.waited == []
    assert budget.wait_s(ONE) > 0


async def test_asking_how_long_to_wait_spends_nothing():
    budget, _ = a_budget(1)
    assert [budget.wait_s(ONE) for _ in range(5)] == [0] * 5
    await spend(budget, 1)
    assert [budget.wait_s(ONE) for _ in range(5)] == [1] * 5


async def test_a_call_that_would_wait_for_more_than_a_second_is_refused_at_once():
    budget, watch = a_budget()
    budget.was_too_much(ONE, retry_after_s=30)
    with pytest.raises(ProviderBusy) as busy:
        await budget.take(ONE)
    assert busy.value.retry_after_s == 30
    assert watch.waited == []

    watch.now_s += 29.5
    await spend(budget, 1)
    assert watch.waited == [0.5]


async def test_those_who_wait_at_the_same_time_go_one_after_the_other():
    """Nobody moves the time here: all of them ask in the same moment."""
    waited: list[float] = []

    async def sleeping(seconds: float) -> None:
        waited.append(seconds)

    budget = RateBudget(4, now=lambda: 0.0, pause=sleeping)
    answers = await asyncio.gather(*(budget.take(ONE) for _ in range(12)), return_exceptions=True)
    assert waited == [0.25, 0.5, 0.75, 1.0]
    assert [type(answer) for answer in answers[8:]] == [ProviderBusy] * 4


async def test_too_much_halves_the_rate_down_to_one_a_second():
    budget, watch = a_budget()
    for rate in (10, 5, 2.5, 1.25, 1, 1):
        budget.was_too_much(ONE, retry_after_s=1)
        watch.now_s += 1
        await spend(budget, 1)  # the one call that was left
        assert budget.wait_s(ONE) == pytest.approx(1 / rate)
        watch.now_s += 60


async def test_what_was_out_when_it_became_too_much_counts_once():
    budget, watch = a_budget()
    for _ in range(20):
        budget.was_too_much(ONE, retry_after_s=2)
    watch.now_s += 2
    await spend(budget, 1)
    assert budget.wait_s(ONE) == pytest.approx(1 / 10)


async def test_one_who_sleeps_when_it_becomes_too_much_does_not_call():
    watch = Watch()

    async def pause(seconds: float) -> None:
        budget.was_too_much(ONE, retry_after_s=5)
        watch.now_s += seconds

    budget = RateBudget(2, now=watch.now, pause=pause)
    await spend(budget, 2)
    with pytest.raises(ProviderBusy) as busy:
        await budget.take(ONE)
    assert busy.value.retry_after_s == 5


async def test_what_goes_well_wins_the_rate_back_step_by_step_and_no_further():
    budget, watch = a_budget()
    budget.was_too_much(ONE, retry_after_s=1)
    budget.went_well(ONE)  # from 10 a second
    watch.now_s += 1
    await spend(budget, 1)
    assert budget.wait_s(ONE) == pytest.approx(1 / 10.05)

    for _ in range(1000):
        budget.went_well(ONE)
    watch.now_s += 60
    await spend(budget, 20)
    assert budget.wait_s(ONE) == pytest.approx(1 / 20)


async def test_one_account_costs_another_nothing():
    budget, watch = a_budget()
    budget.was_too_much(ONE, retry_after_s=3600)
    assert budget.wait_s(ONE) == pytest.approx(3600)
    assert budget.wait_s(OTHER) == 0
    await spend(budget, 20, OTHER)
    assert watch.waited == []
