"""The checker: what the sandbox holds against what the API tells, both ways round."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx

from tests.faults.mollie import Json, Mollie
from tests.faults.stack import Stack
from tests.waiting import eventually

PAGE = 100


class Books:
    """Of the tenants since the last closing; of all of them after `reopen`."""

    def __init__(self, stack: Stack, http: httpx.Client, mollie: Mollie) -> None:
        self._stack, self._http, self._mollie = stack, http, mollie
        self._closed_tenants: set[str] = set()
        self._closed_payments: set[str] = set()

    def close(self) -> None:
        """What has been compared is not compared again after every further file."""
        self._closed_tenants = set(self._stack.tenants) - self._stack.everybodys
        self._closed_payments = {payment["id"] for payment in self._mollie.payments()}

    def reopen(self) -> None:
        self._closed_tenants, self._closed_payments = set(), set()

    def differences_in_the_end(self) -> list[str]:
        """Once everything has come to rest: webhooks arrive, and the worker has things to do."""
        found: list[list[str]] = []

        def none_is_left() -> bool:
            found.append(self.differences())
            return not found[-1]

        eventually(none_is_left, within_s=30)
        return found[-1]

    def differences(self) -> list[str]:
        """In words; empty when every cent is where it should be."""
        closed = self._closed_payments
        ours = [row for row in self._rows("payments") if row["paymentId"] not in closed]
        theirs = {
            payment["id"]: payment
            for payment in self._mollie.payments()
            if payment["id"] not in closed
        }
        counted = Counter(row["paymentId"] for row in ours)
        return [
            *(f"{id} has {rows} rows" for id, rows in counted.items() if rows > 1),
            *(f"{id} has no row" for id in theirs.keys() - counted.keys()),
            *(f"{id} is not at the provider" for id in counted.keys() - theirs.keys()),
            *(
                f"{row['paymentId']}: the row says {said}, the provider {truth}"
                for row in ours
                if row["paymentId"] in theirs
                and (said := _of_row(row)) != (truth := _of_provider(theirs[row["paymentId"]]))
            ),
            *(
                f"tenant {tenant} is {times} customers"
                for tenant, times in Counter(self._mollie.customers()).items()
                if times > 1
            ),
            *self._bought_twice(),
            *self._refunded_too_much(theirs),
        ]

    def _bought_twice(self) -> Iterator[str]:
        for what in ("one-time-payments", "subscriptions"):
            sessions = Counter(row["checkoutSessionUuid"] for row in self._rows(what))
            for uuid, times in sessions.items():
                if times > 1:
                    yield f"session {uuid} left {times} {what}"

    def _refunded_too_much(self, payments: dict[str, Json]) -> Iterator[str]:
        given_back: Counter[str] = Counter()
        for refund in self._mollie.held("refunds"):
            if refund["status"] not in ("failed", "canceled"):
                given_back[refund["paymentId"]] += minor(refund["amount"])
        for id, amount in given_back.items():
            if id in payments and amount > minor(payments[id]["amount"]):
                yield f"{id}: {amount} given back"

    def _rows(self, what: str) -> Iterator[Json]:
        facts = self._stack.facts
        headers = {"Authorization": f"Bearer {facts['tokens']['admin']}"}
        for tenant in set(self._stack.tenants) - self._closed_tenants:
            address = f"/api/v1/apps/{facts['appUuid']}/tenants/{tenant}/{what}"
            page, rows = 0, PAGE
            while rows == PAGE:
                at = {"page": page, "limit": PAGE}
                answer = self._http.get(address, params=at, headers=headers)
                answer.raise_for_status()
                yield from (items := answer.json()["items"])
                page, rows = page + 1, len(items)


def minor(amount: dict[str, str] | None) -> int:
    """Of euros, which have two decimals here."""
    return int(amount["value"].replace(".", "")) if amount else 0


def _of_row(row: Json) -> tuple[Any, ...]:
    amounts = (row["amount"], row["amountRefunded"], row["amountChargedBack"])
    return (row["status"], row["currency"], *amounts)


def _of_provider(payment: Json) -> tuple[Any, ...]:
    amounts = (payment.get(name) for name in ("amount", "amountRefunded", "amountChargedBack"))
    return (payment["status"], payment["amount"]["currency"], *map(minor, amounts))
