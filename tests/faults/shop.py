"""An app that sells to one tenant of its own, over HTTP like any other client."""

from collections.abc import Callable
from typing import Any

import httpx

from tests.faults.due import eventually_in_time
from tests.faults.mollie import Json, Mollie
from tests.faults.stack import Stack
from tests.waiting import eventually

SUCCESS_URL = "http://localhost:3000/thanks?session={CHECKOUT_SESSION_UUID}"
CANCEL_URL = "http://localhost:3000/basket?session={CHECKOUT_SESSION_UUID}"
RETRYABLE = {409, 429, 502, 503}


class Shop:
    """One tenant; the caller is the app's admin."""

    def __init__(self, stack: Stack, http: httpx.Client, mollie: Mollie, name: str) -> None:
        self.facts, self.http, self.mollie = stack.facts, http, mollie
        self.app = f"/api/v1/apps/{self.facts['appUuid']}"
        self.route = f"{self.app}/payment-providers/mollie/checkout-sessions"
        self.hook = (
            f"/api/v1/webhooks/mollie?paymentProviderUuid={self.facts['paymentProviderUuid']}"
        )
        self._keys = 0
        answer = http.post(f"{self.app}/tenants", json={"name": name}, headers=self.headers())
        assert answer.status_code == 201, answer.text
        self.tenant: str = answer.json()["items"][0]["uuid"]
        stack.tenants.append(self.tenant)

    def headers(self, key: str | None = None, caller: str = "admin") -> dict[str, str]:
        bearer = {"Authorization": f"Bearer {self.facts['tokens'][caller]}"}
        return bearer if key is None else bearer | {"Idempotency-Key": key}

    def key(self) -> str:
        """A fresh one."""
        self._keys += 1
        return f"{self.tenant}-{self._keys}"

    def order(self, mode: str = "payment", **changes: Any) -> Json:
        prices, rates = self.facts["prices"], self.facts["taxRates"]
        bought: dict[str, Json] = {
            "payment": {"productPriceUuid": prices["oneTime"], "taxRateUuid": rates["exclusive19"]},
            "subscription": {
                "productPriceUuid": prices["monthly"],
                "taxRateUuid": rates["inclusive21"],
            },
            "setup": {"currency": "EUR"},
        }
        urls = {"successUrl": SUCCESS_URL, "cancelUrl": CANCEL_URL}
        return {"tenantUuid": self.tenant, "mode": mode, **urls, **bought[mode], **changes}

    def post(self, order: Json, key: str | None, caller: str = "admin") -> httpx.Response:
        return self.http.post(self.route, json=order, headers=self.headers(key, caller))

    def insist(self, order: Json, key: str) -> httpx.Response:
        """Retry as a careful client does, until the answer is final."""
        answers: list[httpx.Response] = []

        def is_final() -> bool:
            try:
                answers.append(self.post(order, key))
            except httpx.TransportError:
                return False
            return answers[-1].status_code not in RETRYABLE

        assert eventually(is_final), answers and answers[-1].text
        return answers[-1]

    def open(self, mode: str = "payment", **changes: Any) -> Json:
        """A careful client's: the test before may have used up the account's calls."""
        answer = self.insist(self.order(mode, **changes), self.key())
        assert answer.status_code == 200, answer.text
        return created(answer)

    def session(self, uuid: str) -> Json:
        answer = self.http.get(f"{self.app}/checkout-sessions/{uuid}", headers=self.headers())
        assert answer.status_code == 200, answer.text
        row: Json = answer.json()["items"][0]
        return row

    def sessions(self) -> list[Json]:
        """The tenant's; it has fewer than a page."""
        answer = self.http.get(f"{self.app}/checkout-sessions?limit=100", headers=self.headers())
        return [row for row in answer.json()["items"] if row["tenantUuid"] == self.tenant]

    def expire(self, uuid: str) -> None:
        address = f"{self.app}/checkout-sessions/{uuid}/expire"
        answer = self.http.post(address, headers=self.headers(self.key()))
        assert answer.status_code == 200, answer.text

    def retry(self, session: Json) -> str:
        """Follow the link for another try. Returns the provider's page."""
        answer = self.http.get(session["retryUrl"])
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def follows(self, session: Json) -> str:
        """The provider's page in the end, for a shopper whose browser asks again."""
        pages: list[str] = []

        def leads_on() -> bool:
            answer = self.http.get(session["retryUrl"])
            assert answer.status_code in (303, 503), answer.text
            pages.extend(answer.headers.get_list("location"))
            return bool(pages)

        assert self.in_time(leads_on)
        return pages[0]

    def becomes(self, uuid: str, status: str, payment_status: str | None = None) -> bool:
        def is_so() -> bool:
            row = self.session(uuid)
            return row["status"] == status and payment_status in (None, row["paymentStatus"])

        return eventually(is_so)

    def recovers(self, uuid: str, status: str, payment_status: str) -> bool:
        """`becomes`, where the worker has to try again and would take its time."""
        told = {"status": status, "paymentStatus": payment_status}
        return self.in_time(lambda: self.session(uuid).items() >= told.items())

    def in_time(self, holds: Callable[[], bool]) -> bool:
        return eventually_in_time(self.facts["databaseUrl"], holds)

    def attempt_becomes(self, uuid: str, payment_id: str, status: str) -> bool:
        def is_so() -> bool:
            attempts = {a["sessionId"]: a["status"] for a in self.session(uuid)["attempts"]}
            return attempts.get(payment_id) == status

        return eventually(is_so)

    def is_payable(self) -> Json:
        """The tenant's only session, once the worker has recovered it: open, with one payment."""
        (session,) = self.sessions()
        uuid = session["uuid"]
        assert self.in_time(lambda: self.session(uuid)["sessionId"] is not None)
        (payment,) = self.mollie.payments(uuid)
        row = self.session(uuid)
        assert (row["status"], row["sessionId"]) == ("open", payment["id"])
        assert row["nextActionUrl"] == payment["_links"]["checkout"]["href"]
        assert self.retry(row) == row["nextActionUrl"]
        return row

    def left(self, what: str, tenant: str | None = None) -> list[Json]:
        """What the tenant has: payments, one-time-payments, subscriptions or payment-methods."""
        address = f"{self.app}/tenants/{tenant or self.tenant}/{what}?limit=100"
        answer = self.http.get(address, headers=self.headers())
        assert answer.status_code == 200, answer.text
        items: list[Json] = answer.json()["items"]
        return items

    def tell(self, payment_id: str) -> httpx.Response:
        """A webhook, as Mollie sends it."""
        return self.http.post(self.hook, data={"id": payment_id})


def created(answer: httpx.Response) -> Json:
    row: Json = answer.json()["items"][0]["createdCheckoutSession"]
    return row


def codes(answer: httpx.Response) -> list[str]:
    return [error["code"] for error in answer.json()["errors"]]
