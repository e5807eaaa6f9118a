"""What every port of the fake provider stands on: its worlds, its memory of keys, its bad days."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import ProviderBusy, ProviderUnavailable, ProviderUnreadable
from domain.payments.answers import Declined, PaymentStatus, ProviderPayment
from domain.payments.payment_provider import PaymentProvider
from tests.fakes.provider_world import Remembered, World

KEYS_KEPT: Final = timedelta(hours=1)
LIVE: Final = (PaymentStatus.OPEN, PaymentStatus.PENDING, PaymentStatus.AUTHORIZED)

T = TypeVar("T")


class Fault(StrEnum):
    UNAVAILABLE = "unavailable"
    """Nothing happens."""
    BUSY = "busy"
    """Nothing happens, and the provider says when to come again."""
    LOST_ANSWER = "lost answer"
    """It happens, and nobody hears of it."""
    UNREADABLE = "unreadable"
    """It happens, and the answer makes no sense."""
    DECLINED = "declined"


BUSY_FOR_S: Final = 7


class Made(Struct, frozen=True):
    """A line of the ledger. `key` is the idempotency key that it was made under."""

    kind: str
    account_uuid: UUID
    ref: str
    key: UUID


class Asked(Struct, frozen=True):
    operation: str
    account_uuid: UUID
    key: UUID | None = None


class Engine:
    """`busy` says whether a transaction is open: then it must not be called."""

    def __init__(self, clock: Clock, *, busy: Callable[[], bool] = lambda: False) -> None:
        self.clock, self._busy = clock, busy
        self.ledger: list[Made] = []
        self.calls: list[Asked] = []
        self.decline_code: str | None = None
        """What the payer's bank says, when the provider is told to say no."""
        self._worlds: dict[UUID, World] = {}
        self._faults: list[tuple[str, Fault]] = []
        self._refs = 0

    def fail_next(self, operation: str, fault: Fault, *, times: int = 1) -> None:
        """`operation` as in `calls`: create_payment, get_payment, create_customer, ..."""
        self._faults += [(operation, fault)] * times

    def made(self, kind: str) -> list[Made]:
        return [made for made in self.ledger if made.kind == kind]

    def world(self, account: PaymentProvider) -> World:
        return self._worlds.setdefault(account.uuid, World())

    def world_with(self, payment_ref: str) -> World:
        return next(w for w in self._worlds.values() if payment_ref in w.payments)

    def settle(self, ref: str, status: PaymentStatus, **facts: object) -> ProviderPayment:
        world = self.world_with(ref)
        payment = world.payments[ref]
        assert payment.status in LIVE, f"{ref} is {payment.status} for good"
        # What can still be paid can be reached and perhaps canceled; what is over cannot.
        payment = replace(payment, status=status, checkout_url=None, is_cancelable=False, **facts)
        world.payments[ref] = payment
        return payment

    def new_ref(self, prefix: str) -> str:
        self._refs += 1
        return f"{prefix}_fake{self._refs}"

    async def look(self, asked: Asked, find: Callable[[], T]) -> T:
        fault = await self._take(asked)
        assert fault is not Fault.DECLINED, f"{asked.operation} only looks: it cannot be declined"
        return _tell(find(), fault)

    async def act(
        self, account: PaymentProvider, asked: Asked, request: bytes, do: Callable[[], T | Declined]
    ) -> T | Declined:
        fault = await self._take(asked)
        if fault is Fault.DECLINED:
            return Declined("the provider was told to say no", code=self.decline_code)
        remembered = self.world(account).remembered
        now = self.clock.now()
        known = None if asked.key is None else remembered.get(asked.key)
        if known is not None and now - known.at < KEYS_KEPT:
            if known.request != request:
                raise ProviderUnreadable("this key belongs to another request")
            return _tell(known.answer, fault)  # type: ignore[return-value]  # same key, same T
        answer = do()
        if asked.key is not None and not isinstance(answer, Declined):
            remembered[asked.key] = Remembered(request, answer, now)
        return _tell(answer, fault)

    async def _take(self, asked: Asked) -> Fault | None:
        assert not self._busy(), f"{asked.operation} while a transaction is open"
        self.calls.append(asked)
        fault = next((f for operation, f in self._faults if operation == asked.operation), None)
        if fault is not None:
            self._faults.remove((asked.operation, fault))
        await asyncio.sleep(0)  # as over a network, others go on meanwhile
        if fault is Fault.UNAVAILABLE:
            raise ProviderUnavailable("the provider was told to be away")
        if fault is Fault.BUSY:
            raise ProviderBusy("the provider was told to be busy", retry_after_s=BUSY_FOR_S)
        return fault


def _tell(answer: T, fault: Fault | None) -> T:
    if fault is Fault.LOST_ANSWER:
        raise ProviderUnavailable("the provider was told to lose its answer")
    if fault is Fault.UNREADABLE:
        raise ProviderUnreadable("the provider was told to talk nonsense")
    return answer
