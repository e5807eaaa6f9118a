"""An app's web server that receives webhooks: real HTTP, verified by the reference library."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

Json = dict[str, Any]


class Receiver:
    """Counts as received only what it has verified. `answer` says with which status to answer the
    n-th arrival of an event; a status of 0 never answers."""

    def __init__(self, *secrets: str, answer: Callable[[Json, int], int] = lambda *_: 204) -> None:
        self.secrets, self.answer = list(secrets), answer
        self.received: list[Json] = []
        self.arrivals: Counter[str] = Counter()
        """By webhook-id."""
        self.was_called = asyncio.Event()
        self.url = ""

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        for secret in self.secrets:
            event: Json = Webhook(secret).verify(body, dict(request.headers))
        id = request.headers["webhook-id"]
        assert id == event["id"]
        self.received.append(event)
        self.arrivals[id] += 1
        self.was_called.set()
        status = self.answer(event, self.arrivals[id])
        if status == 0:
            await asyncio.Event().wait()
        return web.Response(status=status, text="thanks")

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Receiver"]:
        app = web.Application()
        app.router.add_post("/hooks", self._take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}/hooks"
            yield self
        finally:
            await runner.cleanup()
