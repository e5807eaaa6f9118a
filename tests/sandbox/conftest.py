"""A sandbox in process, a shop with a key of its own, and a receiver of webhooks."""

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from app.sandbox.mollie.server import create_sandbox
from tests.sandbox.shop import Hooks, Shop, running


@pytest.fixture
def hooks() -> Hooks:
    return Hooks()


@pytest.fixture
async def sandbox(hooks: Hooks) -> AsyncIterator[Litestar]:
    app = create_sandbox(webhook_transport=hooks)
    async with running(app):
        yield app


@pytest.fixture
async def shop(sandbox: Litestar) -> AsyncIterator[Shop]:
    shop = Shop(sandbox)
    async with shop.http:
        yield shop
