"""A process that was frozen comes back while another has carried its payment session on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from app.parts import Parts
from app.settings import Settings
from domain.kernel.errors import ProviderUnreadable, StillRunning
from domain.payments.payment_provider import ProviderName
from tests.http.crossing import Crossing, crossing
from tests.http.test_fail_over import LOST
from tests.http.test_fail_over_crashes import Merchant, is_told_of_one_page

__all__ = ["crossing"]


class Frozen:
    """Does what it stands for, and stops before or after the first time."""

    def __init__(self, inner: Any, *, after: bool) -> None:
        self._inner, self._after = inner, after
        self.is_there, self.thaw = asyncio.Event(), asyncio.Event()

    async def create(self, *said: Any, **named: Any) -> Any:
        return await self._slowly(self._inner.create, said, named)

    async def __call__(self, *said: Any, **named: Any) -> Any:
        return await self._slowly(self._inner, said, named)

    async def _slowly(self, deed: Any, said: Any, named: Any) -> Any:
        is_first = not self.is_there.is_set()
        if is_first and not self._after:
            self.is_there.set()
            await self.thaw.wait()
        done = await deed(*said, **named)
        if is_first and self._after:
            self.is_there.set()
            await self.thaw.wait()
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
async def frozen_parts(settings: Settings) -> AsyncIterator[Parts]:
    parts = Parts(settings)
    async with parts.open():
        yield parts


@pytest.fixture(params=["mollie", "komoju"])
async def first(request: Any, crossing: Crossing) -> str:
    order = [crossing.mollie, crossing.komoju]
    await crossing.policy(
        rules=[{"name": "order", "accounts": order if request.param == "mollie" else order[::-1]}]
    )
    return str(request.param)


async def carried_on_by_another(crossing: Crossing, first: str, merchant: Merchant) -> None:
    """While the first stands still, its leases lapse; its account then fails the next process."""
    await merchant.lapse()
    await crossing.breaks(first)
    row = await merchant.asks()
    await crossing.mends(first)
    assert row["routing"]["selectedProvider"] != first
    await is_told_of_one_page(crossing, row)


async def test_what_was_frozen_before_it_began_leads_nobody_anywhere(
    crossing: Crossing, first: str, frozen_parts: Parts
):
    opening = frozen_parts.open_payment_session()
    frozen = Frozen(opening.open_session, after=False)
    slow = Merchant(crossing, replace(opening, open_session=frozen), "k")  # type: ignore[arg-type]
    running = asyncio.create_task(slow.asks())
    await frozen.is_there.wait()
    await carried_on_by_another(crossing, first, Merchant(crossing, opening, "k"))
    frozen.thaw.set()
    with pytest.raises(StillRunning):
        await running
    assert await crossing.is_called_off(await only_orphan(crossing), first)


async def test_what_was_frozen_before_anything_was_written_never_begins(
    crossing: Crossing, frozen_parts: Parts
):
    await crossing.policy(rules=[{"name": "x", "accounts": [crossing.mollie, crossing.komoju]}])
    opening = frozen_parts.open_payment_session()
    frozen = Frozen(opening.open_session, after=False)
    slow = Merchant(crossing, replace(opening, open_session=frozen), "k")  # type: ignore[arg-type]
    running = asyncio.create_task(slow.asks())
    await frozen.is_there.wait()
    another = Merchant(crossing, opening, "k")
    await another.lapse()
    fault = {"operation": "createCustomer", "kind": "status", "status": 503, "times": 1}
    await crossing.sandbox.post("/_control/faults", json=fault)
    assert (await another.asks())["routing"]["selectedProvider"] == "komoju"
    frozen.thaw.set()
    with pytest.raises(StillRunning):
        await running
    assert await crossing.pages_made("mollie") == 0
    assert await crossing.house.count("checkout_sessions") == 1


async def only_orphan(crossing: Crossing) -> str:
    (row,) = await crossing.rows("select uuid from checkout_sessions where status = 'expired'")
    return str(row["uuid"])


async def test_a_page_that_comes_too_late_is_told_to_nobody_and_called_off(
    crossing: Crossing, first: str, frozen_parts: Parts
):
    name = ProviderName(first)
    provider = frozen_parts.providers[name]
    frozen = Frozen(provider.payments, after=True)
    frozen_parts.providers[name] = replace(provider, payments=frozen)  # type: ignore[arg-type]
    slow = Merchant(crossing, frozen_parts.open_payment_session(), "k")
    running = asyncio.create_task(slow.asks())
    await frozen.is_there.wait()
    assert await crossing.pages_made(first) == 1
    another = Merchant(crossing, crossing.parts.open_payment_session(), "k")
    await carried_on_by_another(crossing, first, another)
    frozen.thaw.set()
    with pytest.raises(StillRunning):
        await running
    assert await crossing.is_called_off(await only_orphan(crossing), first)
    assert await another.asks() == await another.asks()
    assert await crossing.shop.has_right_books()


async def test_what_a_worker_has_learned_in_the_meantime_is_not_given_up(
    crossing: Crossing, first: str, frozen_parts: Parts
):
    """The answer was lost on us; before another account is asked, a worker has found the page."""
    opening = frozen_parts.open_payment_session()

    async def overtaken(*said: Any) -> Any:
        try:
            return await opening.open_session(*said)
        except ProviderUnreadable:
            await crossing.recovers()
            raise

    await crossing.breaks(first, **LOST | {"times": 1})
    slow = replace(opening, open_session=overtaken)  # type: ignore[arg-type]
    merchant = Merchant(crossing, slow, "k")
    with pytest.raises(ProviderUnreadable):
        await merchant.asks()
    row = await merchant.asks()
    assert row["routing"]["selectedProvider"] == first
    assert await crossing.tries(row) == [(first, "live")]
    assert await crossing.pages_made(first) == 1
    await is_told_of_one_page(crossing, row)
