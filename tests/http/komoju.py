"""An app that sells through KOMOJU, and everybody around it: shoppers, their banks, KOMOJU itself.

What happens at the sandbox is told by nobody: tests carry KOMOJU's events to the webhook by hand,
signed as KOMOJU signs them, in whatever order and as often as they like.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from app.cli.audit import PROOFS
from app.parts import Parts
from app.settings import Settings
from domain.payments.payment_provider import PaymentProvider
from infrastructure.postgres.audit import AuditTx
from infrastructure.postgres.database import Database
from tests.http.house import CLOCK, Estate, Headers, House, Json

HOOK: Final = "/api/v1/webhooks/komoju"
CONTROL: Final = "/komoju/_control"
API: Final = "/komoju/api/v1"
USUAL: Final[Json] = {
    "recurringOutcomes": [],
    "dccCurrency": None,
    "dccRate": "1",
    "paymentMethodFees": {},
}
_REMEMBERED: Final = {
    "subscriptions": ("anchor_at", "paid_through", "due_at"),
    "subscription_periods": ("starts_at", "ends_at"),
    "bills": ("issued_at", "first_failed_at", "next_try_at"),
}


@dataclass(frozen=True)
class Shop:
    house: House
    sandbox: httpx.AsyncClient
    parts: Parts
    audit: Database[AuditTx]
    key: str
    secret: str
    account: Json

    # What the app does.

    async def buy(self, **said: Any) -> httpx.Response:
        path = "/payment-providers/komoju/checkout-sessions"
        return await self.house.ask(
            self.house.app.user("member"), "POST", path, self.house.app.order(**said)
        )

    async def bought(self, **said: Any) -> Json:
        answer = await self.buy(**said)
        assert answer.status_code == 200, answer.text
        row: Json = answer.json()["items"][0]["createdCheckoutSession"]
        return row

    async def stores(self) -> Json:
        return await self.bought(mode="setup", productPriceUuid=..., currency="JPY")

    async def price(self, amount: int = 1200, **said: Any) -> str:
        path = f"/products/{self.house.app.ids['product']}/prices"
        body = {"unitAmount": amount, "currency": "JPY", **said}
        return str((await self.house.ok(self.house.app.admin, "POST", path, body))["uuid"])

    async def monthly(self) -> str:
        return await self.price(recurringInterval="month", recurringIntervalCount=1, recurring=True)

    async def session(self, row: Json) -> Json:
        return await self.ok("GET", f"/checkout-sessions/{row['uuid']}")

    async def payment(self, row: Json) -> Json:
        """The payment of a checkout session."""
        found = await self.all("/payments")
        return next(p for p in found if p["paymentId"] == row["sessionId"])

    async def all(self, what: str) -> list[Json]:
        """The tenant's, the newest first."""
        path = f"/tenants/{self.house.app.ids['tenant']}{what}?limit=100"
        answer = await self.house.ask(self.house.app.admin, "GET", path)
        items: list[Json] = answer.json()["items"]
        return items

    async def ok(self, method: str, path: str, body: Any = ...) -> Json:
        return await self.house.ok(self.house.app.admin, method, path, body)

    async def comes_back(self, row: Json) -> str:
        """Where the shopper is sent who comes back from KOMOJU's page."""
        answer = await self.house.door.get(
            row["retryUrl"].replace("/pay", "/return"), params={"session_id": id_of(row)}
        )
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    async def stored_account(self) -> PaymentProvider:
        async with self.house.database.begin(self.house.app.app_uuid) as tx:
            return await tx.payment_providers.get(UUID(self.account["uuid"]))

    # What happens at KOMOJU.

    async def control(self, path: str, **said: Any) -> Json:
        answer = await self.sandbox.post(f"{CONTROL}/{path}", json=said)
        assert answer.is_success, answer.text
        found: Json = answer.json()
        return found

    async def shopper(self, row: Json, outcome: str = "paid", method: str | None = None) -> None:
        await self.control(f"sessions/{id_of(row)}/shopper", outcome=outcome, method=method)

    async def api(self, method: str, path: str, body: Any = None) -> Json:
        answer = await self.sandbox.request(method, f"{API}/{path}", json=body, auth=(self.key, ""))
        assert answer.is_success, answer.text
        found: Json = answer.json() if answer.content else {}
        return found

    async def at_komoju(self, row: Json) -> Json:
        return await self.api("GET", f"sessions/{id_of(row)}")

    async def paid_at_komoju(self, row: Json) -> Json:
        """The payment in a session."""
        found: Json = (await self.at_komoju(row))["payment"]
        return found

    async def events(self) -> list[Json]:
        """In the order in which they happened."""
        found: list[Json] = (await self.api("GET", "events?per_page=100"))["data"]
        return found[::-1]

    # The webhook.

    def signature(self, body: bytes, secret: str | None = None) -> str:
        key = (self.secret if secret is None else secret).encode()
        return hmac.new(key, body, hashlib.sha256).hexdigest()

    async def call(
        self, body: bytes, signature: str | None, account: str | None = None
    ) -> httpx.Response:
        headers = {b"Content-Type": b"application/json"}
        if signature is not None:
            headers[b"X-Komoju-Signature"] = signature.encode()
        return await self.house.door.post(
            HOOK,
            params={"paymentProviderUuid": account or self.account["uuid"]},
            content=body,
            headers=headers,
        )

    async def tell(self, event: Json) -> Any:
        body = json.dumps(event).encode()
        answer = await self.call(body, self.signature(body))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def tell_all(self, events: Iterable[Json] | None = None) -> list[Any]:
        return [await self.tell(e) for e in (await self.events() if events is None else events)]

    # Time, and the books.

    async def month_passes(self) -> None:
        """And a worker sees to the subscriptions that are due."""
        for table, columns in _REMEMBERED.items():
            moved = ", ".join(f"{c} = {c} - interval '32 days'" for c in columns)
            await self.house.connection.execute(f"update {table} set {moved}")
        await self.worker()

    async def worker(self) -> None:
        found = await self.house.connection.fetch(
            "select uuid from subscriptions where due_at <= now() order by uuid"
        )
        for row in found:
            await self.parts.advance()(self.house.app.app_uuid, row["uuid"])

    async def looks(self) -> None:
        """A worker looks at what has not ended, as if the time for it had come."""
        app_uuid = self.house.app.app_uuid
        found = await self.house.connection.fetch(
            "select payment_provider_uuid, provider_ref from payments where due_at is not null"
        )
        for row in found:
            await self.parts.observe(app_uuid, row[0], row[1])

    async def has_right_books(self) -> bool:
        await self.house.connection.execute(
            "delete from ledger_postings where kind = 'balance.granted'"
        )
        await self.house.connection.execute("delete from customer_balances")
        for proof in PROOFS:
            async with self.audit.begin(self.house.app.app_uuid) as tx:
                found = await tx.audit.contradictions(proof, at=CLOCK.now())
            assert found == [], proof.name
        return True

    async def books(self) -> dict[str, int]:
        """The balances in yen that are not zero."""
        async with self.house.database.begin(self.house.app.app_uuid) as tx:
            found = await tx.ledger.balances(tenant_uuid=None, at=None)
        amounts = next((dict(one.amounts) for one in found if one.currency == "JPY"), {})
        assert sum(amounts.values()) == 0
        return {account.value: amount for account, amount in amounts.items() if amount}


def id_of(row: Json) -> str:
    return str(row["sessionId"]).removeprefix("session_")


def uuid_of(row: Json) -> UUID:
    return UUID(row["uuid"])


async def an_account(house: House, estate: Estate, who: Headers, secret: str | None) -> Json:
    """An account at KOMOJU of an app's, and the key of its world there."""
    key = f"sk_test_{secrets.token_hex(15)}"
    body = {"name": "komoju", "credential": key, "title": "KOMOJU"}
    if secret is not None:
        body["webhookSecret"] = secret
    path = estate.path("/payment-providers")
    answer = await house.door.post(path, json=body, headers=dict(who))
    assert answer.status_code == 201, answer.text
    return {**answer.json()["items"][0], "key": key}


@pytest.fixture
async def shop(
    house: House, sandbox: httpx.AsyncClient, settings: Settings, parts: Parts
) -> AsyncIterator[Shop]:
    secret = secrets.token_urlsafe(24)
    account = await an_account(house, house.app, house.app.admin, secret)
    audit = Database(settings.database_url, AuditTx, pool_size=1)
    async with audit.open():
        shop = Shop(house, sandbox, parts, audit, account["key"], secret, account)
        house.app.ids["price"] = await shop.price(4900)
        yield shop
        await shop.control("settings", **USUAL)
