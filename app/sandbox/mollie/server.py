"""The stand-in Mollie: /v2, the control plane, and the pages.

app = create_sandbox()                       # in process: httpx.ASGITransport(app=app)
async with app.lifespan(): ...               # with webhooks and a clock that acts by itself
"""

from pathlib import Path

import httpx
from litestar import Litestar, asgi

from app.sandbox.courier import Courier
from app.sandbox.mollie import authorize_page, component_page, index, page
from app.sandbox.mollie.api import Api
from app.sandbox.mollie.notify import LETTERS
from app.sandbox.mollie.plane import Plane
from app.sandbox.mollie.token_endpoint import TokenEndpoint
from app.sandbox.mollie.witness import control_router
from app.sandbox.mollie.world import Universe
from app.sandbox.part import Part, assembled
from app.sandbox.storage import Storage


def mollie_part(
    storage: Storage | None, public_url: str | None, transport: httpx.AsyncBaseTransport | None
) -> Part:
    universe = Universe(storage)
    courier = Courier(universe, LETTERS, transport)
    plane = Plane(universe, courier, public_url)
    api = asgi("/v2", is_mount=True, copy_scope=False)(Api(universe, courier, public_url).__call__)
    tokens = asgi("/oauth2/tokens", copy_scope=False)(TokenEndpoint(universe, courier).__call__)
    pages = (*page.ROUTES, *component_page.ROUTES, *authorize_page.ROUTES, *index.ROUTES)
    return Part("plane", plane, (api, tokens, control_router(), *pages))


def create_sandbox(
    state_path: Path | None = None,
    public_url: str | None = None,
    *,
    webhook_transport: httpx.AsyncBaseTransport | None = None,
) -> Litestar:
    """Mollie's stand-in alone. `state_path` keeps its world; without one it is in memory only.

    `webhook_transport` lets a test receive the webhooks in process.
    """
    storage = None if state_path is None else Storage(state_path)
    return assembled([mollie_part(storage, public_url, webhook_transport)])
