"""A till that speaks to the KOMOJU sandbox in process, and somebody who receives its webhooks."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlsplit

import httpx
from litestar import Litestar

URL = "http://komoju.test"
BACK = "https://shop.example.org/back?attempt=7"
HOOK = "https://shop.example.org/komoju"
SECRET = "a word between us"
Json = dict[str, Any]


class Letters(httpx.AsyncBaseTransport):
    """Receives webhooks; `answers` says with which status, 200 when it is used up."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.events: list[Json] = []
        self.answers: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert request.headers["x-komoju-signature"] == signed
        event = json.loads(body)
        if event["type"] != "ping":
            self.requests.append(request)
            self.events.append(event)
        status = self.answers.pop(0) if self.answers and event["type"] != "ping" else 200
        if status == 0:
            raise httpx.ConnectError("nobody is there", request=request)
        return httpx.Response(status, request=request)

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


class Till:
    """Speaks to the sandbox with one secret key, and to its control plane."""

    def __init__(self, app: Litestar, key: str = "sk_test_shop") -> None:
        self.app, self.key = app, key
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=URL, auth=(key, "")
        )

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.http.request(method, f"/komoju/api/v1/{path}", **options)

    async def get(self, path: str, **query: Any) -> Json:
        answer = await self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def post(self, path: str, body: Json | None = None, name: str | None = None) -> Json:
        headers = {} if name is None else {"X-KOMOJU-IDEMPOTENCY": name}
        answer = await self.call("POST", path, json=body or {}, headers=headers)
        assert answer.status_code == 200, answer.text
        made: Json = answer.json()
        return made

    async def refused(self, path: str, body: Json | None = None, method: str = "POST") -> Any:
        """Status, code and parameter of the refusal."""
        answer = await self.call(method, path, json=body or {})
        assert answer.status_code >= 400, answer.text
        problem = answer.json()
        assert problem.keys() == {"error"}
        error = problem["error"]
        assert error["message"]
        return answer.status_code, error["code"], error["param"]

    async def session(self, **changes: Any) -> Json:
        return await self.post("sessions", a_session(**changes))

    async def paid(self, **changes: Any) -> Json:
        """The payment of a session in which the shopper has done all he can."""
        method = changes.pop("method", "credit_card")
        session = await self.session(**changes)
        shown = await self.shopper(session, "paid", method)
        payment: Json = shown["payment"]
        return payment

    async def customer(self) -> str:
        """Somebody who can be charged later."""
        session = await self.session(mode="customer", amount=0, payment_data=None)
        await self.shopper(session, "paid")
        return str(session["customer_id"])

    async def charge(self, customer: str, /, **changes: Any) -> Json:
        return await self.post("payments", a_charge(customer, **changes))

    async def control(self, path: str, **body: Any) -> Json:
        answer = await self.http.post(f"/komoju/_control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        said: Json = answer.json()
        return said

    async def held(self, what: str) -> list[Json]:
        items: list[Json] = (await self.http.get(f"/komoju/_control/{what}")).json()["items"]
        return items

    async def shopper(self, session: Json, outcome: str, method: str | None = None) -> Json:
        return await self.control(
            f"sessions/{session['id']}/shopper", outcome=outcome, method=method
        )

    async def settle(self, payment: Json, status: str) -> Json:
        return await self.control(f"payments/{payment['id']}/status", status=status)

    async def hook(self, url: str = HOOK, **more: Any) -> Json:
        return await self.control("hooks", key=self.key, url=url, secret=SECRET, **more)

    async def advance(self, **time: int) -> None:
        units = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
        seconds = sum(units[unit] * count for unit, count in time.items())
        await self.control("clock", advanceSeconds=seconds)


def a_session(**changes: Any) -> Json:
    whole = {
        "mode": "payment",
        "amount": 4900,
        "currency": "JPY",
        "return_url": BACK,
        "payment_data": {"external_order_num": "order-7"},
        "metadata": {"attempt_uuid": "7"},
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def a_charge(customer: str, /, **changes: Any) -> Json:
    return {
        "amount": 999,
        "currency": "JPY",
        "customer": customer,
        "external_order_num": "invoice-7",
        **changes,
    }


def page_of(session: Json) -> str:
    return urlsplit(session["session_url"]).path
