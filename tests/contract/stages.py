"""The places where the provider contract is played: in memory, and Mollie and KOMOJU on their
sandboxes.

A stage gives the ports to test and plays everybody else: the shopper, the bank, time, bad luck.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from domain.kernel.ids import AppUuid
from domain.kernel.money import Money
from domain.payments.answers import MandateStatus, RefundStatus
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName
from domain.payments.ports import credential_context
from tests.contract.connected_stage import ConnectedStage, connected_stage
from tests.contract.komoju_stage import komoju_stage
from tests.contract.mollie_stage import mollie_stage
from tests.contract.stage import Can, Stage
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.provider import FakeProvider, Fault
from tests.fakes.vault import FakeVault


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


@asynccontextmanager
async def fake_stage(_: FakeVault) -> AsyncIterator[Stage]:
    yield FakeStage()


STAGES: Final = {
    "fake": fake_stage,
    "komoju": komoju_stage,
    "mollie": mollie_stage,
    "mollie_connected": connected_stage,
}
NAMES: Final = {"komoju": ProviderName.KOMOJU}
KEYS: Final = {"komoju": "sk_test_"}


async def accounts_on(
    name: str, stage: Stage, ids: FakeIds, vault: FakeVault
) -> tuple[PaymentProvider, PaymentProvider]:
    """Of two apps."""
    if isinstance(stage, ConnectedStage):
        return await stage.connects(ids, vault), await stage.connects(ids, vault)
    key, provider = KEYS.get(name, "test_"), NAMES.get(name, ProviderName.MOLLIE)
    one, other = (
        an_account(ids, vault, f"{key}{tail * 10}", name=provider) for tail in ("one", "two")
    )
    return one, other


def open_stage(name: str, vault: FakeVault) -> AbstractAsyncContextManager[Stage]:
    return STAGES[name](vault)
