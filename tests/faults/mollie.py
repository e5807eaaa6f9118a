"""The sandbox as a test sees it: the shopper's and the bank's hand, bad luck, and the truth."""

from typing import Any

import httpx

Json = dict[str, Any]

OPERATIONS = ("createPayment", "createCustomer", "getPayment", "createRefund", "any")


class Mollie:
    """Control plane, and Mollie's API with the demo app's key."""

    def __init__(self, http: httpx.Client, api_key: str, app_uuid: str) -> None:
        self.http, self._app_uuid = http, app_uuid
        self._misbehaves = False
        self._auth = {"Authorization": f"Bearer {api_key}"}

    def control(self, path: str, **body: Any) -> Json:
        answer = self.http.post(f"/_control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        said: Json = answer.json()
        return said

    def held(self, what: str) -> list[Json]:
        items: list[Json] = self.http.get(f"/_control/{what}").json()["items"]
        return items

    def payments(self, session_uuid: str | None = None) -> list[Json]:
        """Those that the demo app made, newest first; only a session's when one is named."""
        return [
            payment
            for payment in self.held("payments")
            if (about := payment.get("metadata") or {}).get("app") == self._app_uuid
            and session_uuid in (None, about.get("session"))
        ]

    def payment(self, id: str) -> Json:
        return next(payment for payment in self.held("payments") if payment["id"] == id)

    def refunds(self, payment_id: str) -> list[Json]:
        return [refund for refund in self.held("refunds") if refund["paymentId"] == payment_id]

    def customers(self, tenant_uuid: str | None = None) -> list[str]:
        """Whose customers the account has: a tenant for each of them; or one tenant's ids."""
        found, address = [], "/v2/customers?limit=250"
        while address:
            page = self.http.get(address, headers=self._auth).json()
            found += page["_embedded"]["customers"]
            address = (page["_links"]["next"] or {}).get("href")
        if tenant_uuid is None:
            return [customer["metadata"]["tenant"] for customer in found]
        return [c["id"] for c in found if c["metadata"]["tenant"] == tenant_uuid]

    def delete_customer(self, id: str) -> None:
        answer = self.http.delete(f"/v2/customers/{id}", headers=self._auth)
        assert answer.status_code == 204, answer.text

    def create_payment(self, webhook_url: str) -> Json:
        """As another program with the same account would."""
        body = {
            "amount": {"currency": "EUR", "value": "7.00"},
            "description": "Somebody else's",
            "method": "creditcard",
            "redirectUrl": "https://other.example.org/",
            "webhookUrl": webhook_url,
        }
        answer = self.http.post("/v2/payments", json=body, headers=self._auth)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    def settle(self, id: str, status: str, **more: str) -> None:
        self.control(f"payments/{id}/status", status=status, **more)

    def redeliver(self, id: str) -> None:
        self.control("webhooks/redeliver", paymentId=id)

    def fault(self, operation: str, kind: str, **more: int) -> None:
        self._misbehaves = True
        self.control("faults", operation=operation, kind=kind, **more)

    def hooks(self, mode: str, delay_ms: int = 0) -> None:
        self._misbehaves = True
        self.control("webhooks", mode=mode, delayMs=delay_ms)

    def settings(self, **settings: Any) -> None:
        self._misbehaves = True
        self.control("settings", **settings)

    def advance(self, seconds: int) -> None:
        self.control("clock", advanceSeconds=seconds)

    def deliveries(self, payment_id: str) -> list[int | None]:
        """The answers to the webhooks about it, newest delivery first."""
        return [
            attempt["status"]
            for delivery in self.held("deliveries")
            if delivery["paymentId"] == payment_id
            for attempt in delivery["attempts"]
        ]

    def behave(self) -> None:
        """Take all bad luck back."""
        if self._misbehaves:
            for operation in OPERATIONS:
                self.fault(operation, "status", times=0)
            self.hooks("normal")
            self.settings(latencyMs=0, mandateDelaySeconds=0)
        self._misbehaves = False
