"""An app with accounts at two providers, and orders in yen, which both take."""

from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from app.parts import Parts
from app.settings import Settings
from infrastructure.postgres.audit import AuditTx
from infrastructure.postgres.database import Database
from tests.http.house import Headers, House, Json
from tests.http.komoju import Shop, an_account

PATH: Final = "/api/v1/sessions"
ORDER: Final[Json] = {
    "orderReference": "ORD-2024-001",
    "paymentMethod": "card",
    "currency": "JPY",
    "locale": "en_AU",
    "amount": {"total": 1500, "shipping": 200, "tax": 100},
    "orderItems": [{"name": "Headphones", "sku": "WH-100", "quantity": 2, "unitPrice": 600}],
    "customer": {
        "firstName": "Jane",
        "lastName": "Smith",
        "email": "jane@example.com",
        "billingAddress": {"line1": "123 Collins Street", "postalCode": "3000", "country": "AU"},
    },
    "redirectUrls": {"success": "https://shop.example/ok", "failure": "https://shop.example/no"},
}
FAULTS: Final = {
    "mollie": ("/_control/faults", ("createPayment", "createCustomer")),
    "komoju": ("/komoju/_control/faults", ("createSession",)),
}


@dataclass
class Crossing:
    house: House
    sandbox: httpx.AsyncClient
    shop: Shop
    mollie: str
    komoju: str
    keys: Any = field(default_factory=count)

    @property
    def parts(self) -> Parts:
        return self.shop.parts

    @property
    def seller(self) -> Headers:
        """Bills for the app, and acts for one tenant."""
        return self.house.app.user("member", "billing:write")

    async def post(
        self, key: str | None = "", who: Headers | None = None, path: str = PATH, **said: Any
    ) -> httpx.Response:
        """An order with what is said in the place of the usual; `...` leaves a field out. Without
        a `key` given, a fresh one."""
        body = {k: v for k, v in (deepcopy(ORDER) | said).items() if v is not ...}
        headers = dict(self.seller if who is None else who)
        if key is not None:
            headers["Idempotency-Key"] = key or f"key-{next(self.keys)}"
        return await self.house.door.post(path, json=body, headers=headers)

    async def opened(self, key: str = "", **said: Any) -> Json:
        answer = await self.post(key, **said)
        assert answer.status_code == 200, answer.text
        row: Json = answer.json()
        return row

    async def session(self, session: Json, who: Headers | None = None) -> Json:
        answer = await self.house.door.get(
            f"{PATH}/{session['sessionId']}", headers=dict(who or self.seller)
        )
        assert answer.status_code == 200, answer.text
        row: Json = answer.json()
        return row

    async def decision(self, session: Json) -> Json:
        path = f"/routing-decisions/{session['routing']['decisionId']}"
        return await self.house.ok(self.house.app.admin, "GET", path)

    async def policy(self, **said: Any) -> Json:
        return await self.house.ok(self.house.app.admin, "PUT", "/routing-policy", said)

    async def health(self) -> dict[str, str]:
        answer = await self.house.ask(self.house.app.admin, "GET", "/routing-health")
        return {row["provider"]: row["health"] for row in answer.json()["items"]}

    async def breaks(self, provider: str, **said: Any) -> None:
        """Every call that a payment page needs goes wrong there, until it is mended."""
        path, operations = FAULTS[provider]
        for operation in operations:
            fault = {"operation": operation, "kind": "status", "status": 503, "times": 99} | said
            answer = await self.sandbox.post(path, json=fault)
            assert answer.is_success, answer.text

    async def mends(self, provider: str) -> None:
        path, operations = FAULTS[provider]
        for operation in operations:
            gone = {"operation": operation, "kind": "status", "times": 0}
            await self.sandbox.post(path, json=gone)

    async def rows(self, query: str, *values: Any) -> list[Any]:
        return list(await self.house.connection.fetch(query, *values))

    async def tries(self, session: Json) -> list[tuple[str, str]]:
        """Provider and state, in order."""
        return [(row[0], row[1]) for row in await self.rows(
            """
            select p.name, t.state from payment_session_attempts t
              join payment_providers p on p.uuid = t.payment_provider_uuid
             where t.payment_session_uuid = $1 order by t.number
            """,
            UUID(session["sessionId"]),
        )]  # fmt: skip

    async def shopper_pays(self, session: Json) -> Json:
        """At whichever provider it is, which then tells us."""
        row = await self.session(session)
        checkout = await self.checkout(row)
        if session["routing"]["selectedProvider"] == "komoju":
            await self.shop.shopper(checkout)
            await self.shop.tell_all()
        else:
            await self.mollie_pays(checkout["sessionId"])
        return await self.session(session)

    async def mollie_pays(self, ref: str) -> None:
        answer = await self.sandbox.post(
            f"/_control/payments/{ref}/status", json={"status": "paid"}
        )
        assert answer.is_success, answer.text
        told = await self.house.door.post(
            "/api/v1/webhooks/mollie",
            params={"paymentProviderUuid": self.mollie},
            data={"id": ref},
        )
        assert told.status_code == 200, told.text

    async def checkout(self, row: Json) -> Json:
        path = f"/checkout-sessions/{row['checkoutSessionUuid']}"
        return await self.house.ok(self.house.app.admin, "GET", path)

    async def recovers(self) -> None:
        """A worker sees to every attempt that waits, as if its time had come."""
        waiting = await self.rows(
            "select uuid from payment_attempts where status = 'submitting' order by uuid"
        )
        await self.house.connection.execute(
            "update payment_attempts set lease_until = now(), due_at = now()"
            " where status = 'submitting'"
        )
        for row in waiting:
            await self.parts.recover()(self.house.app.app_uuid, row["uuid"])

    async def key_lapses(self, key: str) -> None:
        """The request that held it has died, and so have the attempts that it began."""
        await self.house.connection.execute(
            "update idempotency_keys set lease_until = now() where key = $1", key
        )
        await self.house.connection.execute(
            "update idempotency_keys set lease_until = now() where operation = 'tryPaymentSession'"
        )
        await self.house.connection.execute("update payment_attempts set lease_until = now()")


@pytest.fixture
async def crossing(
    house: House, sandbox: httpx.AsyncClient, settings: Settings, parts: Parts
) -> AsyncIterator[Crossing]:
    account = await an_account(house, house.app, house.app.admin, "a-long-secret")
    audit = Database(settings.database_url, AuditTx, pool_size=1)
    async with audit.open():
        shop = Shop(house, sandbox, parts, audit, account["key"], "a-long-secret", account)
        found = Crossing(house, sandbox, shop, house.app.ids["account"], account["uuid"])
        yield found
        for provider in FAULTS:
            await found.mends(provider)
