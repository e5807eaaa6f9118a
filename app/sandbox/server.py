"""The sandbox as one ASGI application: Mollie's stand-in, and KOMOJU's below /komoju.

app = create_sandbox()                       # in process: httpx.ASGITransport(app=app)
async with app.lifespan(): ...               # with webhooks and a clock that acts by itself
"""

from pathlib import Path

import httpx
from litestar import Litestar

from app.sandbox.komoju.server import komoju_part
from app.sandbox.mollie.server import mollie_part
from app.sandbox.part import assembled
from app.sandbox.storage import Storage


def create_sandbox(
    state_path: Path | None = None,
    public_url: str | None = None,
    *,
    webhook_transport: httpx.AsyncBaseTransport | None = None,
) -> Litestar:
    """`state_path` keeps the worlds of both; without one they are in memory only.

    `webhook_transport` lets a test receive the webhooks in process.
    """
    storage = None if state_path is None else Storage(state_path)
    beside = None if storage is None else storage.beside("komoju_record")
    mollie = mollie_part(storage, public_url, webhook_transport)
    return assembled([mollie, komoju_part(beside, public_url, webhook_transport)])
