"""A shop that speaks to the sandbox in process, and somebody who receives its webhooks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import httpx
from litestar import Litestar

URL = "http://mollie.test"
Json = dict[str, Any]


class Hooks(httpx.AsyncBaseTransport):
    """Receives webhooks; `answers` says with which status, 200 when it is used up."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.ids: list[str] = []
        self.answers: list[int] = []
        self.on_arrival: Callable[[str], Any] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = (await request.aread()).decode()
        self.requests.append(request)
        self.ids.append(parse_qs(body)["id"][0])
        if self.on_arrival is not None:
            await self.on_arrival(self.ids[-1])
        status = self.answers.pop(0) if self.answers else 200
        if status == 0:
            raise httpx.ConnectError("nobody is there", request=request)
        return httpx.Response(status, request=request)


class Shop:
    """Speaks to the sandbox with one API key, and to its control plane."""

    def __init__(self, app: Litestar, key: str = "test_shop") -> None:
        self.app, self.key = app, key
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url=URL,
            headers={"Authorization": f"Bearer {key}"},
        )

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.http.request(method, f"/v2/{path}", **options)

    async def get(self, path: str) -> Json:
        answer = await self.call("GET", path)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def post(self, path: str, body: Json, **headers: str) -> Json:
        answer = await self.call("POST", path, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    async def refused(self, path: str, body: Json, method: str = "POST") -> tuple[int, str, str]:
        """Status, field and detail of the refusal."""
        answer = await self.call(method, path, json=body)
        assert answer.status_code >= 400, answer.text
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["_links"]["documentation"]["type"] == "text/html"
        return answer.status_code, problem.get("field", ""), problem["detail"]

    async def pay(self, **changes: Any) -> Json:
        return await self.post("payments", a_payment(**changes))

    async def customer(self) -> str:
        made = await self.post("customers", {"name": "Ada", "email": "ada@example.org"})
        return str(made["id"])

    async def control(self, path: str, **body: Any) -> Json:
        answer = await self.http.post(f"/_control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        said: Json = answer.json()
        return said

    async def held(self, what: str) -> list[Json]:
        items: list[Json] = (await self.http.get(f"/_control/{what}")).json()["items"]
        return items

    async def settle(self, id: str, status: str, **more: Any) -> Json:
        return await self.control(f"payments/{id}/status", status=status, **more)

    async def advance(self, **time: int) -> None:
        units = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
        seconds = sum(units[unit] * count for unit, count in time.items())
        await self.control("clock", advanceSeconds=seconds)

    async def mandate(self, **first: Any) -> tuple[str, Json]:
        """A customer, and the mandate that a paid first payment left."""
        customer = await self.customer()
        first = {"sequenceType": "first", "customerId": customer, "method": "creditcard", **first}
        payment = await self.pay(**first)
        await self.settle(payment["id"], "paid")
        mandates = await self.get(f"customers/{customer}/mandates")
        return customer, mandates["_embedded"]["mandates"][0]


def a_payment(**changes: Any) -> Json:
    return {
        "amount": {"currency": "EUR", "value": "49.00"},
        "description": "Kontor Pro",
        "redirectUrl": "https://shop.example.org/back",
        "webhookUrl": "https://shop.example.org/hook?provider=7",
        **changes,
    }


async def eventually(condition: Callable[[], bool]) -> None:
    """Let background work go on until something is so, for a bounded time."""
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not become true")


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """The app's lifespan, in one task: a fixture begins and ends in two different ones."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await stop.wait()

    task = asyncio.create_task(live())
    await started.wait()
    try:
        yield
    finally:
        stop.set()
        await task
