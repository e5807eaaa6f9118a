"""A provider behind a bad network: calls take time, and chance decides what becomes of them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Any, Final, Protocol, TypeVar

from domain.kernel.errors import ProviderUnavailable
from tests.fakes.checkout import FakeCheckout
from tests.fakes.clock import FakeClock
from tests.fakes.provider import Asked, FakeProvider, Fault

CALL_WITHIN: Final = timedelta(seconds=10)
T = TypeVar("T")


class Around(Protocol):
    """The world that it is in."""

    random: Random
    clock: FakeClock
    database: FakeCheckout

    def happens(self, percent: int) -> bool: ...
    async def wait(self) -> None: ...
    async def stop_at(self, what: str) -> None: ...


class FlakyProvider(FakeProvider):
    """Calls take time, and the world decides what becomes of them."""

    def __init__(self, world: Around) -> None:
        super().__init__(world.clock, busy=world.database.is_busy)
        self._around = world

    async def look(self, asked: Asked, find: Callable[[], T]) -> T:
        async def call() -> T:
            self._maybe_fail(asked, can_refuse=False)
            return await FakeProvider.look(self, asked, find)

        return await self._over_the_network(call)

    async def act(self, account: Any, asked: Asked, request: bytes, do: Callable[[], Any]) -> Any:
        async def call() -> Any:
            # It does not say no to what it has done, and has no reason to refuse a refund.
            is_known = asked.key in self.world(account).remembered
            can_refuse = not is_known and asked.operation != "create_refund"
            self._maybe_fail(asked, can_refuse=can_refuse)
            return await FakeProvider.act(self, account, asked, request, do)

        return await self._over_the_network(call)

    def _maybe_fail(self, asked: Asked, *, can_refuse: bool) -> None:
        world = self._around
        if not world.happens(15):
            return
        fault = world.random.choice(list(Fault))
        if can_refuse or fault is not Fault.DECLINED:
            self.fail_next(asked.operation, fault)

    async def _over_the_network(self, call: Callable[[], Awaitable[T]]) -> T:
        """A call that has not come through within its time never does; nor does its answer."""
        started_at = self.clock.now()
        await self._around.wait()
        await self._around.stop_at("before arrival")
        if self.clock.now() - started_at > CALL_WITHIN:
            raise ProviderUnavailable("the request never arrived")
        answer = await call()
        await self._around.wait()
        await self._around.stop_at("after arrival")
        if self.clock.now() - started_at > CALL_WITHIN:
            raise ProviderUnavailable("the answer never arrived")
        return answer
