"""The stand-in KOMOJU as a part of the sandbox: all of it stands below /komoju."""

import httpx
from litestar import asgi

from app.sandbox.courier import Courier
from app.sandbox.komoju import index, page
from app.sandbox.komoju.api import PREFIX, Api
from app.sandbox.komoju.notify import letters
from app.sandbox.komoju.plane import Plane
from app.sandbox.komoju.witness import control_router
from app.sandbox.komoju.world import Universe
from app.sandbox.part import Part
from app.sandbox.storage import Storage


def komoju_part(
    storage: Storage | None, public_url: str | None, transport: httpx.AsyncBaseTransport | None
) -> Part:
    universe = Universe(storage)
    courier = Courier(universe, letters(universe), transport)
    plane = Plane(universe, courier, public_url)
    api = asgi(PREFIX, is_mount=True, copy_scope=False)(Api(universe, courier, public_url).__call__)
    return Part("komoju", plane, (api, control_router(), *page.ROUTES, index.front_page))
