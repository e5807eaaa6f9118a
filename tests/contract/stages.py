"""The places where the provider contract is played: in memory, and Mollie and KOMOJU on their
sandboxes.

A stage gives the ports to test and plays everybody else: the shopper, the bank, time, bad luck.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from app.sandbox.server import create_sandbox
from domain.kernel.ids import AppUuid
from domain.kernel.money import Money
from domain.payments.answers import MandateStatus, RefundStatus
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName
from domain.payments.ports import Provider, credential_context
from infrastructure.budget import RateBudget
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.provider import connect
from infrastructure.mollie.wire import amount_of
from tests.contract.komoju_stage import komoju_stage
from tests.contract.stage import Can, Stage
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.provider import FakeProvider, Fault
from tests.fakes.provider_engine import BUSY_FOR_S
from tests.fakes.vault import FakeVault

SANDBOX_URL: Final = "http://mollie.sandbox"


def an_account(
    ids: FakeIds,
    vault: FakeVault,
    credential: str,
    mode: ProviderMode = ProviderMode.TEST,
    name: ProviderName = ProviderName.MOLLIE,
) -> PaymentProvider:
    uuid, app_uuid = ids.new(), AppUuid(ids.new())
    return PaymentProvider(
        uuid=uuid,
        app_uuid=app_uuid,
        name=name,
        mode=mode,
        title="Shop",
        is_default=True,
        credential_sealed=vault.seal(credential, context=credential_context(uuid, app_uuid)),
        credential_hint=credential[-4:],
        created_at=NOON,
        updated_at=NOON,
    )


class FakeStage:
    can = frozenset(Can)

    def __init__(self) -> None:
        self._clock = FakeClock()
        self._fake = FakeProvider(self._clock)
        self.provider = self._fake.provider

    async def now(self) -> datetime:
        return self._clock.now()

    async def advance(self, by: timedelta) -> None:
        self._clock.advance(by)

    async def pay(self, ref: str) -> None:
        self._fake.pay(ref)

    async def fail(self, ref: str, reason: str) -> None:
        self._fake.fail(ref, reason)

    async def expire(self, ref: str) -> None:
        self._fake.expire(ref)

    async def charge_back(
        self, ref: str, amount: Money | None = None, reason: str | None = None
    ) -> None:
        self._fake.charge_back(ref, amount, reason)

    async def reverse_chargeback(self, payment_ref: str) -> None:
        self._fake.reverse_chargeback(payment_ref)

    async def set_refund(self, ref: str, status: RefundStatus) -> None:
        self._fake.set_refund(ref, status)

    async def set_mandate(self, ref: str, status: MandateStatus) -> None:
        self._fake.set_mandate(ref, status)

    async def new_mandates_wait(self) -> None:
        self._fake.mandates_start_as = MandateStatus.PENDING

    async def next_charge_fails(self, reason: str) -> None:
        raise AssertionError("a charge of the fake's fails when a test says so")

    async def be_away(self, operation: str) -> None:
        self._fake.fail_next(operation, Fault.UNAVAILABLE)

    async def be_busy(self, operation: str) -> None:
        self._fake.fail_next(operation, Fault.BUSY)

    async def lose_answer(self, operation: str) -> None:
        self._fake.fail_next(operation, Fault.LOST_ANSWER)

    async def garble_answer(self, operation: str) -> None:
        self._fake.fail_next(operation, Fault.UNREADABLE)

    async def payments_made(self) -> int:
        return len(self._fake.made("payment"))

    async def customers_made(self) -> int:
        return len(self._fake.made("customer"))

    async def refunds_made(self) -> int:
        return len(self._fake.made("refund"))


class MollieStage:
    can = frozenset(Can)

    def __init__(self, provider: Provider, control: httpx.AsyncClient) -> None:
        self.provider, self._control = provider, control

    async def _order(self, path: str, **body: object) -> Any:
        answer = await self._control.post(f"/_control/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def _count(self, noun: str) -> int:
        return len((await self._control.get(f"/_control/{noun}")).json()["items"])

    async def _fault(self, operation: str, kind: str, **how: object) -> None:
        verb, *nouns = operation.split("_")
        theirs = verb + "".join(noun.capitalize() for noun in nouns)
        await self._order("faults", operation=theirs, kind=kind, **how)

    async def now(self) -> datetime:
        clock = (await self._control.get("/_control/clock")).json()
        return datetime.fromisoformat(clock["now"]).astimezone(UTC)

    async def advance(self, by: timedelta) -> None:
        await self._order("clock", advanceSeconds=int(by.total_seconds()))

    async def pay(self, ref: str) -> None:
        await self._order(f"payments/{ref}/status", status="paid")

    async def fail(self, ref: str, reason: str) -> None:
        await self._order(f"payments/{ref}/status", status="failed", failureReason=reason)

    async def expire(self, ref: str) -> None:
        await self._order(f"payments/{ref}/status", status="expired")

    async def charge_back(
        self, ref: str, amount: Money | None = None, reason: str | None = None
    ) -> None:
        part: dict[str, object] = {"reason": reason}
        if amount is not None:
            wire = amount_of(amount)
            part["amount"] = {"currency": wire.currency, "value": wire.value}
        await self._order(f"payments/{ref}/chargeback", **part)

    async def reverse_chargeback(self, payment_ref: str) -> None:
        await self._order(f"payments/{payment_ref}/chargeback/reverse")

    async def set_refund(self, ref: str, status: RefundStatus) -> None:
        await self._order(f"refunds/{ref}/status", status=status)

    async def set_mandate(self, ref: str, status: MandateStatus) -> None:
        await self._order(f"mandates/{ref}/status", status=status)

    async def new_mandates_wait(self) -> None:
        await self._order("settings", mandateDelaySeconds=3600)

    async def next_charge_fails(self, reason: str) -> None:
        raise AssertionError("a charge of Mollie's is made, and fails then")

    async def be_away(self, operation: str) -> None:
        await self._fault(operation, "timeoutBeforeCommit")

    async def be_busy(self, operation: str) -> None:
        await self._fault(operation, "status", status=429, retryAfterSeconds=BUSY_FOR_S)

    async def lose_answer(self, operation: str) -> None:
        await self._fault(operation, "timeoutAfterCommit")

    async def garble_answer(self, operation: str) -> None:
        await self._fault(operation, "truncatedJson")

    async def payments_made(self) -> int:
        return await self._count("payments")

    async def customers_made(self) -> int:
        return await self._count("customers")

    async def refunds_made(self) -> int:
        return await self._count("refunds")


@asynccontextmanager
async def fake_stage(_: FakeVault) -> AsyncIterator[Stage]:
    yield FakeStage()


@asynccontextmanager
async def mollie_stage(vault: FakeVault) -> AsyncIterator[Stage]:
    # Its lifespan is not entered: nothing happens by itself, and no webhook is sent.
    transport = httpx.ASGITransport(app=create_sandbox())  # type: ignore[arg-type]  # Litestar is
    client = MollieClient(SANDBOX_URL, vault, 10, transport, budget=RateBudget(10_000))
    async with client.open(), httpx.AsyncClient(transport=transport, base_url=SANDBOX_URL) as ctl:
        stage = MollieStage(connect(client), ctl)
        # A charge on a mandate waits for the test to say what becomes of it.
        await stage._order("settings", recurringOutcome="open")
        yield stage


STAGES: Final = {"fake": fake_stage, "komoju": komoju_stage, "mollie": mollie_stage}
NAMES: Final = {"komoju": ProviderName.KOMOJU}
KEYS: Final = {"komoju": "sk_test_"}


def open_stage(name: str, vault: FakeVault) -> AbstractAsyncContextManager[Stage]:
    return STAGES[name](vault)
