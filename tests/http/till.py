"""A till: what tests of money need beside the front door, a provider's people and our workers.

Purchases are paid on the sandbox, money goes back there, and webhooks are called by hand.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx

from app.parts import Parts
from domain.ledger.posting import Account
from domain.payments.submit_refund import SubmitRefund
from tests.http.house import House, Json

HOOK = "/api/v1/webhooks/mollie"
ASKED: Final[Json] = {
    "description": "Order 10045",
    "currency": "EUR",
    "amount": 100_00,
    "redirectUrl": "https://shop.example/thanks",
    "method": "creditcard",
}


@dataclass(frozen=True)
class Till:
    house: House
    sandbox: httpx.AsyncClient
    parts: Parts

    # The sandbox, as Mollie's people and the shopper's bank use it.

    async def control(self, path: str, body: Json | None = None) -> Json:
        answer = await self.sandbox.post(f"/_control{path}", json=body or {})
        assert answer.is_success, answer.text
        said: Json = answer.json()
        return said

    async def in_dashboard(self, payment: Json, amount: str) -> Json:
        """A refund that is made at Mollie, without us."""
        answer = await self.sandbox.post(
            f"/v2/payments/{payment['paymentId']}/refunds",
            json={"amount": {"currency": "EUR", "value": amount}},
            headers={"Authorization": f"Bearer {self.house.app.secrets['mollie']}"},
        )
        assert answer.status_code == 201, answer.text
        said: Json = answer.json()
        return said

    async def refund_becomes(self, payment: Json, ref: str, status: str) -> None:
        await self.control(f"/refunds/{ref}/status", {"status": status})
        await self.told(payment)

    async def charged_back(self, payment: Json, **said: Any) -> None:
        await self.control(f"/payments/{payment['paymentId']}/chargeback", said)
        await self.told(payment)

    async def given_again(self, payment: Json) -> None:
        await self.control(f"/payments/{payment['paymentId']}/chargeback/reverse")
        await self.told(payment)

    async def told(self, payment: Json) -> None:
        answer = await self.house.door.post(
            HOOK,
            params={"paymentProviderUuid": payment["paymentProviderUuid"]},
            data={"id": payment["paymentId"]},
        )
        assert answer.json()["received"] is True, answer.text

    # What tenants buy.

    async def sold(self, **said: Any) -> Json:
        """A one-time payment, paid: 49.00 EUR and 9.31 tax."""
        order = {"taxRateUuid": self.house.app.ids["exclusive"], **said}
        session = await self.house.bought(**order)
        ref = session["sessionId"]
        await self.control(f"/payments/{ref}/status", {"status": "paid"})
        account = session["paymentProviderUuid"]
        await self.told({"paymentProviderUuid": account, "paymentId": ref})
        return await self.payment_with(ref)

    async def asked(self, **said: Any) -> Json:
        """A payment of the app's own amount; `said` changes it."""
        ids = self.house.app.ids
        path = f"/tenants/{ids['tenant']}/payment-providers/mollie/payments"
        answer = await self.house.ask(self.house.app.key("write"), "POST", path, ASKED | said)
        assert answer.status_code == 201, answer.text
        payment: Json = answer.json()["items"][0]
        return payment

    async def held(self, **said: Any) -> Json:
        """A payment that holds 100.00 EUR, and has not taken them."""
        payment = await self.asked(captureMode="manual", **said)
        return await self.becomes(payment, "authorized")

    async def becomes(self, payment: Json, status: str) -> Json:
        """At the bank; and we are told."""
        await self.control(f"/payments/{payment['paymentId']}/status", {"status": status})
        await self.told(payment)
        return await self.get(f"/payments/{payment['uuid']}")

    async def subscribed(self) -> Json:
        """The first payment of a subscription."""
        monthly = self.house.app.ids["monthly"]
        return await self.sold(mode="subscription", productPriceUuid=monthly)

    async def renewed(self) -> Json:
        """The payment for the second period of the tenant's only subscription."""
        app_uuid, month = self.house.app.app_uuid, "interval '32 days'"
        row = await self.house.connection.fetchrow(
            f"""
            update subscriptions set anchor_at = anchor_at - {month}, due_at = now()
             where app_uuid = $1 returning uuid
            """,
            app_uuid,
        )
        await self.house.connection.execute(
            f"""
            update subscription_periods
               set starts_at = starts_at - {month}, ends_at = ends_at - {month}
             where app_uuid = $1
            """,
            app_uuid,
        )
        await self.parts.advance()(app_uuid, row["uuid"])
        ref = await self.house.connection.fetchval(
            "select provider_ref from payments where app_uuid = $1 and bill_uuid is not null",
            app_uuid,
        )
        payment = await self.payment_with(ref)
        if payment["status"] != "paid":
            await self.control(f"/payments/{ref}/status", {"status": "paid"})
            await self.told(payment)
        return await self.payment_with(ref)

    async def payment_with(self, ref: str) -> Json:
        uuid = await self.house.connection.fetchval(
            "select uuid from payments where app_uuid = $1 and provider_ref = $2",
            self.house.app.app_uuid,
            ref,
        )
        return await self.get(f"/payments/{uuid}")

    # Our side.

    async def get(self, path: str) -> Json:
        return await self.house.ok(self.house.app.admin, "GET", path)

    async def all(self, path: str) -> list[Json]:
        """The oldest first."""
        answer = await self.house.ask(self.house.app.admin, "GET", path)
        assert answer.status_code == 200, answer.text
        items: list[Json] = answer.json()["items"]
        return items[::-1]

    async def ask_back(self, payment: Json, key: str, **said: Any) -> httpx.Response:
        path = f"/payments/{payment['uuid']}/refunds"
        admin = self.house.app.admin
        return await self.house.ask(admin, "POST", path, said, Idempotency_Key=key)

    async def refunded(self, payment: Json, key: str, **said: Any) -> Json:
        answer = await self.ask_back(payment, key, **said)
        assert answer.status_code == 201, answer.text
        row: Json = answer.json()["items"][0]
        return row

    async def send(self, refund: Json) -> Json:
        """As a worker does."""
        parts = self.parts
        submit = SubmitRefund(parts.database, parts.providers, parts.clock, parts.lease)
        await submit(self.house.app.app_uuid, UUID(refund["uuid"]))
        return await self.get(f"/refunds/{refund['uuid']}")

    async def books(self) -> dict[str, int]:
        """The balances that are not zero, without the credit that the tenant began with."""
        async with self.house.database.begin(self.house.app.app_uuid) as tx:
            (found,) = await tx.ledger.balances(tenant_uuid=None, at=None)
        amounts = dict(found.amounts)
        assert sum(amounts.values()) == 0
        amounts[Account.CUSTOMER_BALANCE] += 1000
        amounts[Account.REVENUE] -= 1000
        return {account.value: amount for account, amount in amounts.items() if amount}

    async def events(self, payment: Json) -> list[str]:
        found = await self.house.connection.fetch(
            "select type from outbox where app_uuid = $1 and aggregate_uuid = $2 order by id",
            self.house.app.app_uuid,
            UUID(payment["uuid"]),
        )
        return [row["type"] for row in found]

    async def statuses(self, table: str) -> list[str]:
        found = await self.house.connection.fetch(
            f"select status from {table} where app_uuid = $1 order by uuid",
            self.house.app.app_uuid,
        )
        return [row["status"] for row in found]

    async def chargebacks_are(self, action: str) -> None:
        admin = self.house.app.admin
        await self.house.ok(admin, "PUT", "/billing-policy", {"chargebackAction": action})
