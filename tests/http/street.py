"""What happens to a subscriber outside: the shopper pays, banks decide, months pass.

The sandbox leaves every charge open until a test says what the bank says. Time passes by moving
what a subscription remembers into the past, as its owner may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx

from app.cli.audit import PROOFS
from app.parts import Parts
from infrastructure.postgres.audit import AuditTx
from infrastructure.postgres.database import Database
from tests.http.house import CLOCK, Headers, House, Json

HOOK: Final = "/api/v1/webhooks/mollie"
MONTH_DAYS: Final = 32
_REMEMBERED: Final[Mapping[str, tuple[str, ...]]] = {
    "subscriptions": (
        "anchor_at", "trial_ends_at", "paid_through", "cancel_at", "resumes_at", "paused_at",
        "due_at",
    ),
    "subscription_periods": ("starts_at", "ends_at"),
    "bills": ("issued_at", "first_failed_at", "next_try_at"),
}  # fmt: skip


@dataclass(frozen=True)
class Street:
    house: House
    sandbox: httpx.AsyncClient
    parts: Parts
    audit: Database[AuditTx]

    @property
    def member(self) -> Headers:
        return self.house.app.user("member")

    async def subscribed(self, **said: Any) -> Json:
        """Through a checkout that is paid."""
        ids = self.house.app.ids
        order = {"mode": "subscription", "productPriceUuid": ids["monthly"]} | said
        await self.pays(await self.house.bought(**order))
        return await self.newest()

    async def stores_a_card(self) -> str:
        """The uuid of a payment method that the provider knows."""
        order = {"mode": "setup", "productPriceUuid": ..., "currency": "EUR"}
        await self.pays(await self.house.bought(**order))
        return str((await self.listed("/payment-methods"))[0]["uuid"])

    async def pays(self, session: Json) -> None:
        """The shopper pays a session."""
        await self._control(session["sessionId"], {"status": "paid"})

    async def bank_says(self, status: str, **said: Any) -> Json:
        """Of the newest charge, which is returned as it was."""
        charge = await self.charge()
        await self._control(charge["paymentId"], {"status": status, **said})
        return charge

    async def charge(self) -> Json:
        """The newest charge on a stored method."""
        (newest, *_) = await self.charges()
        return newest

    async def charges(self) -> list[Json]:
        found = await self.listed("/payments?limit=100")
        return [payment for payment in found if payment["sequenceType"] == "recurring"]

    async def payment(self, ref: str) -> Json:
        """As the provider has it."""
        found = (await self.sandbox.get("/_control/payments")).json()
        (row,) = [p for p in found["items"] if p["id"] == ref]
        return dict(row)

    async def _control(self, ref: str, said: Json) -> None:
        answer = await self.sandbox.post(f"/_control/payments/{ref}/status", json=said)
        assert answer.is_success, answer.text
        account = {"paymentProviderUuid": self.house.app.ids["account"]}
        answer = await self.house.door.post(HOOK, params=account, data={"id": ref})
        assert answer.status_code == 200, answer.text

    async def days_pass(self, days: int = MONTH_DAYS) -> None:
        """And a worker sees to all subscriptions."""
        await self.time_passes(days)
        await self.worker()

    async def time_passes(self, days: int = MONTH_DAYS) -> None:
        """And nobody does anything."""
        for table, columns in _REMEMBERED.items():
            moved = ", ".join(f"{c} = {c} - make_interval(days => {days})" for c in columns)
            await self.house.connection.execute(f"update {table} set {moved}")

    async def worker(self) -> None:
        found = await self.house.connection.fetch(
            "select uuid from subscriptions where due_at <= now() order by uuid"
        )
        advance = self.parts.advance()
        for row in found:
            await advance(self.house.app.app_uuid, row["uuid"])

    async def asks(self, method: str, path: str, body: Any = ..., **headers: str) -> httpx.Response:
        return await self.house.ask(self.member, method, path, body, **headers)

    async def wishes(self, subscription: Json, wish: str, **said: Any) -> Json:
        path = f"/subscriptions/{subscription['uuid']}/{wish}"
        bare = wish in ("uncancel", "resume", "retry")
        return await self.house.ok(self.member, "POST", path, ... if bare else said)

    async def now(self, subscription: Json) -> Json:
        return await self.house.ok(self.member, "GET", f"/subscriptions/{subscription['uuid']}")

    async def of(self, subscription: Json, what: str) -> list[Json]:
        """Its bills, periods or history."""
        path = f"/subscriptions/{subscription['uuid']}/{what}?limit=100"
        items: list[Json] = (await self.asks("GET", path)).json()["items"]
        return items

    async def newest(self) -> Json:
        return (await self.listed("/subscriptions"))[0]

    async def listed(self, path: str) -> list[Json]:
        """What the tenant has."""
        tenant = f"/tenants/{self.house.app.ids['tenant']}{path}"
        items: list[Json] = (await self.asks("GET", tenant)).json()["items"]
        return items

    async def told(self, subscription: Json) -> list[str]:
        """The events of the subscription, in order."""
        found = await self.house.connection.fetch(
            "select type from outbox where aggregate_uuid = $1 order by uuid",
            UUID(subscription["uuid"]),
        )
        return [row["type"] for row in found]

    async def has_right_books(self) -> bool:
        """Whatever an audit asks. The credit that the house begins with is about nothing."""
        await self.house.connection.execute(
            "delete from ledger_postings where kind = 'balance.granted' "
            "and source_uuid not in (select uuid from bills)"
        )
        for proof in PROOFS:
            async with self.audit.begin(self.house.app.app_uuid) as tx:
                found = await tx.audit.contradictions(proof, at=CLOCK.now())
            assert found == [], proof.name
        return True
