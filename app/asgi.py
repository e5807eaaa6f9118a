"""What an ASGI server runs: `uvicorn app.asgi:create --factory --no-access-log`."""

from litestar import Litestar

from app.main import build
from app.settings import load


def create() -> Litestar:
    return build(load())
