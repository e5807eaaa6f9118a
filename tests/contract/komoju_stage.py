"""KOMOJU's adapter on KOMOJU's sandbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from app.sandbox.server import create_sandbox
from domain.kernel.money import Money
from domain.payments.answers import MandateStatus, RefundStatus
from domain.payments.ports import Provider
from infrastructure.budget import RateBudget
from infrastructure.komoju.client import KomojuClient
from infrastructure.komoju.provider import connect
from tests.contract.stage import Can, Stage
from tests.fakes.provider_engine import BUSY_FOR_S
from tests.fakes.vault import FakeVault

HOST: Final = "http://komoju.sandbox"
URL: Final = f"{HOST}/komoju"


class KomojuStage:
    can: frozenset[Can] = frozenset()

    def __init__(self, provider: Provider, control: httpx.AsyncClient) -> None:
        self.provider, self._control = provider, control

    async def order(self, path: str, **body: object) -> Any:
        answer = await self._control.post(f"/komoju/_control/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def _items(self, noun: str) -> list[Any]:
        found = (await self._control.get(f"/komoju/_control/{noun}")).json()
        return list(found["items"])

    async def now(self) -> datetime:
        clock = (await self._control.get("/komoju/_control/clock")).json()
        return datetime.fromisoformat(clock["now"]).astimezone(UTC)

    async def advance(self, by: timedelta) -> None:
        await self.order("clock", advanceSeconds=int(by.total_seconds()))

    async def pay(self, ref: str) -> None:
        kind, _, id = ref.partition("_")
        if kind == "session":
            await self.order(f"sessions/{id}/shopper", outcome="paid")
        else:
            await self.order(f"payments/{id}/status", status="captured")

    async def fail(self, ref: str, reason: str) -> None:
        kind, _, id = ref.partition("_")
        if kind == "session":
            await self.order(f"sessions/{id}/shopper", outcome="failed")
        else:
            await self.order(f"payments/{id}/status", status="failed")

    async def expire(self, ref: str) -> None:
        """A session runs out by itself, after a day at most."""
        await self.advance(timedelta(days=1, seconds=1))

    async def charge_back(
        self, ref: str, amount: Money | None = None, reason: str | None = None
    ) -> None:
        part: dict[str, object] = {} if amount is None else {"amount": amount.minor}
        paid = await self.payment_of(ref)
        await self.order(f"payments/{paid}/chargeback", **part)

    async def payment_of(self, ref: str) -> str:
        """The id of the payment that our reference has come to."""
        kind, _, id = ref.partition("_")
        if kind == "payment":
            return id
        return next(str(p["id"]) for p in await self._items("payments") if p["session"] == id)

    async def reverse_chargeback(self, payment_ref: str) -> None:
        raise AssertionError("KOMOJU reverses no chargeback")

    async def set_refund(self, ref: str, status: RefundStatus) -> None:
        raise AssertionError("a refund of KOMOJU's is made, and never becomes anything else")

    async def set_mandate(self, ref: str, status: MandateStatus) -> None:
        raise AssertionError("a mandate of KOMOJU's is there, or is not")

    async def new_mandates_wait(self) -> None:
        raise AssertionError("a mandate of KOMOJU's waits for nobody")

    async def next_charge_fails(self, reason: str) -> None:
        outcome = {"outcome": "failed", "code": reason}
        await self.order("settings", recurringOutcomes=[outcome])

    async def be_away(self, operation: str) -> None:
        await self._fault(operation, "timeoutBeforeCommit")

    async def be_busy(self, operation: str) -> None:
        await self._fault(operation, "status", status=429, retryAfterSeconds=BUSY_FOR_S)

    async def lose_answer(self, operation: str) -> None:
        await self._fault(operation, "timeoutAfterCommit")

    async def garble_answer(self, operation: str) -> None:
        await self._fault(operation, "truncatedJson")

    async def _fault(self, operation: str, kind: str, **how: object) -> None:
        await self.order("faults", operation=_THEIRS[operation], kind=kind, **how)

    async def payments_made(self) -> int:
        """What a shopper can pay, and what was charged."""
        charges = [p for p in await self._items("payments") if p["session"] is None]
        return len(await self._items("sessions")) + len(charges)

    async def customers_made(self) -> int:
        return len(await self._items("customers"))

    async def refunds_made(self) -> int:
        return len(await self._items("refunds"))


_THEIRS: Final = {
    "create_payment": "createSession",
    "create_refund": "createRefund",
    "list_payments": "listPayments",
    "revoke_mandate": "deleteCustomer",
}


@asynccontextmanager
async def komoju_stage(vault: FakeVault) -> AsyncIterator[Stage]:
    transport = httpx.ASGITransport(app=create_sandbox())  # type: ignore[arg-type]  # Litestar is
    client = KomojuClient(URL, vault, 10, transport, budget=RateBudget(10_000))
    async with client.open(), httpx.AsyncClient(transport=transport, base_url=HOST) as ctl:
        stage = KomojuStage(connect(client, vault), ctl)
        # A charge on a saved customer waits for the test to say what becomes of it.
        await stage.order("settings", recurringOutcome="pending")
        yield stage
