"""One stand-in as a part of the program: its routes, and what runs while the program does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import httpx
from litestar import Litestar
from litestar.di import Provide
from litestar.types import Receive, Scope, Send

from app.sandbox import faults
from app.sandbox.plane import Plane

# The clock of a sandbox may be moved while nothing is due; look again at least this often.
_LOOK_AGAIN_SECONDS: Final = 60.0


class Sandbox(Litestar):
    """Litestar, but able to hang up on a caller without an answer."""

    # Litestar types its own entry by plain ASGI's words; at run time they are these.
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        await super().__call__(scope, receive, send)
        kind = faults.cut_ordered(scope)
        if kind is None or await faults.close_connection(receive):
            return
        # In process there is no connection to close: raise what its client would have seen.
        if kind in faults.HANGS:
            raise httpx.ReadTimeout("The sandbox was told not to answer in time.")
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")


@dataclass(frozen=True, slots=True)
class Part:
    name: str  # under which its handlers ask for their plane: Litestar knows one per program
    plane: Plane[Any]
    handlers: tuple[Any, ...]

    def provide(self) -> Provide:
        return Provide(lambda: self.plane, sync_to_thread=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.plane.courier.start()
        ticking = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            await self.plane.courier.stop()
            self.plane.universe.commit()

    async def _tick(self) -> None:
        """Let due things happen when nobody asks."""
        universe, courier = self.plane.universe, self.plane.courier
        while True:
            courier.moved.clear()
            self.plane.run_due()
            universe.commit()
            due = universe.agenda.next_due()
            wait = _LOOK_AGAIN_SECONDS
            if due is not None:
                wait = min(wait, max(0.0, (due - universe.clock.now()).total_seconds()))
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await courier.moved.wait()


def assembled(parts: Sequence[Part]) -> Litestar:
    """One program of some parts."""

    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            # Only when all have written down what they hold may the file be closed.
            for part in parts:
                stack.callback(part.plane.universe.close)
            for part in parts:
                await stack.enter_async_context(part.running())
            yield

    return Sandbox(
        route_handlers=[handler for part in parts for handler in part.handlers],
        dependencies={part.name: part.provide() for part in parts},
        lifespan=[running],
        openapi_config=None,
        logging_config=None,
    )
