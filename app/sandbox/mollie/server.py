"""The sandbox as one ASGI application: /v2, the control plane, and the pages.

app = create_sandbox()                       # in process: httpx.ASGITransport(app=app)
async with app.lifespan(): ...               # with webhooks and a clock that acts by itself
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import httpx
from litestar import Litestar, asgi
from litestar.di import Provide
from litestar.types import Receive, Scope, Send

from app.sandbox.mollie import authorize_page, component_page, faults, index, page
from app.sandbox.mollie.api import Api
from app.sandbox.mollie.courier import Courier
from app.sandbox.mollie.outcomes import run_due
from app.sandbox.mollie.plane import Plane
from app.sandbox.mollie.storage import Storage
from app.sandbox.mollie.token_endpoint import TokenEndpoint
from app.sandbox.mollie.witness import control_router
from app.sandbox.mollie.world import Universe

# The clock of the sandbox may be moved while nothing is due; look again at least this often.
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


def create_sandbox(
    state_path: Path | None = None,
    public_url: str | None = None,
    *,
    webhook_transport: httpx.AsyncBaseTransport | None = None,
) -> Litestar:
    """A stand-in Mollie. `state_path` keeps its world; without one it is in memory only.

    `webhook_transport` lets a test receive the webhooks in process.
    """
    universe = Universe(None if state_path is None else Storage(state_path))
    courier = Courier(universe, webhook_transport)
    plane = Plane(universe, courier, public_url)

    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        courier.start()
        ticking = asyncio.create_task(_tick(universe, courier))
        try:
            yield
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            await courier.stop()
            universe.close()

    return Sandbox(
        route_handlers=[
            asgi("/v2", is_mount=True, copy_scope=False)(
                Api(universe, courier, public_url).__call__
            ),
            control_router(),
            *page.ROUTES,
            *component_page.ROUTES,
            asgi("/oauth2/tokens", copy_scope=False)(TokenEndpoint(universe, courier).__call__),
            *authorize_page.ROUTES,
            *index.ROUTES,
        ],
        dependencies={"plane": Provide(lambda: plane, sync_to_thread=False)},
        lifespan=[running],
        openapi_config=None,
        logging_config=None,
    )


async def _tick(universe: Universe, courier: Courier) -> None:
    """Let due things happen when nobody asks."""
    while True:
        courier.moved.clear()
        run_due(universe, courier.carry)
        universe.commit()
        due = universe.agenda.next_due()
        wait = _LOOK_AGAIN_SECONDS
        if due is not None:
            wait = min(wait, max(0.0, (due - universe.clock.now()).total_seconds()))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await courier.moved.wait()
