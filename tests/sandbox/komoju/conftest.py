"""Both sandboxes in process, a till with a key of its own, and a receiver of webhooks."""

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from app.sandbox.server import create_sandbox
from tests.sandbox.komoju.till import Letters, Till
from tests.sandbox.shop import running


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture
async def sandbox(letters: Letters) -> AsyncIterator[Litestar]:
    app = create_sandbox(webhook_transport=letters)
    async with running(app):
        yield app


@pytest.fixture
async def till(sandbox: Litestar) -> AsyncIterator[Till]:
    till = Till(sandbox)
    async with till.http:
        yield till
