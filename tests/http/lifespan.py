"""An application's lifespan, entered and left by one task: a fixture is torn down by another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    started, ended = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await ended.wait()

    life = asyncio.create_task(live())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait((life, waiting), return_when=asyncio.FIRST_COMPLETED)
    if life.done():
        await life  # it did not even start: say why
    try:
        yield
    finally:
        ended.set()
        await life
