"""An app with accounts at two providers, and orders in yen, which both take."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from app.parts import Parts
from app.settings import Settings
from domain.payments.attempt import OwnerKind
from domain.payments.recover_attempt import RecoverAttempt
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
    "mollie": ("/_control/faults", ("createPayment",)),
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

    async def raw(self, body: bytes) -> httpx.Response:
        """Byte for byte."""
        headers = {**self.seller, "Idempotency-Key": f"key-{next(self.keys)}"}
        headers["Content-Type"] = "application/json"
        return await self.house.door.post(PATH, content=body, headers=headers)

    async def raw_session(self, session: Json) -> bytes:
        path = f"{PATH}/{session['sessionId']}"
        return (await self.house.door.get(path, headers=dict(self.seller))).content

    async def refund(
        self, session: Json, key: str | None, who: Headers | None = None, **said: Any
    ) -> httpx.Response:
        headers = dict(who or self.house.app.admin) if who != {} else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        path = f"{PATH}/{session['sessionId']}/refunds"
        return await self.house.door.post(path, json=said, headers=headers)

    async def refunded(self, session: Json, key: str, **said: Any) -> Json:
        answer = await self.refund(session, key, **said)
        assert answer.status_code == 201, answer.text
        row: Json = answer.json()
        return row

    async def at_mollie(self, ref: str) -> Json:
        key = self.house.app.secrets["mollie"]
        answer = await self.sandbox.get(
            f"/v2/payments/{ref}", headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == 200, answer.text
        row: Json = answer.json()
        return row

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

    # What becomes of a page that nobody was led to.

    async def orphan(self, session: Json, provider: str) -> str:
        """The checkout session that was given up."""
        (row,) = await self.rows(
            """
            select c.uuid from checkout_sessions c
              join payment_providers p on p.uuid = c.payment_provider_uuid
             where p.name = $1 and c.terms->'metadata'->>'paymentSessionUuid' = $2
               and c.status = 'expired'
            """,
            provider,
            session["sessionId"],
        )
        return str(row["uuid"])

    async def recovers_without_canceling(self) -> None:
        """A worker learns of the payment, and dies before it has called it off."""
        parts = self.parts
        conclusions = {OwnerKind.SESSION: parts.conclude}
        recover = replace(parts.recover(), conclusions=conclusions)
        await self._each_waiting(recover)

    async def recovers(self) -> None:
        """A worker sees to every attempt that waits, as if its time had come."""
        await self._each_waiting(self.parts.recover())

    async def _each_waiting(self, recover: RecoverAttempt) -> None:
        waiting = "status = 'submitting'"
        await self.house.connection.execute(
            f"update payment_attempts set lease_until = now() - interval '1 s' where {waiting}"
        )
        for row in await self.rows(f"select uuid from payment_attempts where {waiting}"):
            await recover(self.house.app.app_uuid, row["uuid"])

    async def orphan_is_paid(self, orphan: str, provider: str) -> None:
        (row,) = await self.rows(
            "select provider_ref from payments where checkout_session_uuid = $1", UUID(orphan)
        )
        if provider == "mollie":
            await self.mollie_pays(row["provider_ref"])
        else:
            await self.shop.shopper({"sessionId": row["provider_ref"]})
            await self.shop.tell_all()

    async def is_called_off(self, orphan: str, provider: str) -> bool:
        (row,) = await self.rows(
            "select provider_ref from payments where checkout_session_uuid = $1", UUID(orphan)
        )
        if provider == "komoju":
            found = await self.shop.at_komoju({"sessionId": row["provider_ref"]})
            return bool(found["status"] == "cancelled")
        calls = (await self.sandbox.get("/_control/requests")).json()
        return any(
            call["method"] == "DELETE" and call["path"].endswith(row["provider_ref"])
            for call in calls["items"]
        )

    async def held_at_providers(self) -> int:
        """What both have of ours after all that went back."""
        key = self.house.app.secrets["mollie"]
        mollie = (await self.sandbox.get(
            "/v2/payments", headers={"Authorization": f"Bearer {key}"}
        )).json()["_embedded"]["payments"]  # fmt: skip
        komoju = (await self.shop.api("GET", "payments?per_page=100"))["data"]
        paid = sum(
            int(p["amount"]["value"]) - int(p.get("amountRefunded", {"value": 0})["value"])
            for p in mollie
            if p["status"] == "paid"
        )
        return paid + sum(
            p["total"] - p["amount_refunded"] for p in komoju if p["captured_at"] is not None
        )

    async def pages_made(self, provider: str) -> int:
        if provider == "mollie":
            key = self.house.app.secrets["mollie"]
            headers = {"Authorization": f"Bearer {key}"}
            return int((await self.sandbox.get("/v2/payments", headers=headers)).json()["count"])
        found = (await self.sandbox.get("/komoju/_control/sessions")).json()["items"]
        return sum(
            session["metadata"].get("app") == str(self.house.app.app_uuid) for session in found
        )

    async def opens_the_circuit(self, provider: str) -> None:
        """By asking it again and again, as nothing but a rule would."""
        uuids = {"mollie": self.mollie, "komoju": self.komoju}
        before = await self.house.ok(self.house.app.admin, "GET", "/routing-policy")
        order = sorted(uuids.values(), key=lambda uuid: uuid != uuids[provider])
        await self.policy(rules=[{"name": "insist", "accounts": order}])
        for _ in range(5):
            await self.opened()
        await self.policy(defaultOrder=before["defaultOrder"])

    async def half_opens(self) -> None:
        """As if its time had come."""
        await self.house.connection.execute(
            "update routing_circuits set open_until = now() where open_until is not null"
        )

    @asynccontextmanager
    async def at(self, app: Litestar) -> AsyncIterator[None]:
        """Through the door of another program, over the same tables."""
        before = self.house
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=str(before.door.base_url)) as c:
            self.house = replace(before, door=c)
            yield
            self.house = before

    async def checkout(self, row: Json) -> Json:
        path = f"/checkout-sessions/{row['checkoutSessionUuid']}"
        return await self.house.ok(self.house.app.admin, "GET", path)


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
