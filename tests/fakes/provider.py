"""A payment provider in memory, as strict as the real ones: the tests' oracle about money.

tests/contract/test_provider.py holds it to what Mollie does. `ledger` is everything it ever made,
`calls` everything it was asked.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable
from domain.kernel.money import Money
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import (
    Declined,
    MandateStatus,
    NewCustomer,
    NewPayment,
    PaymentStatus,
    Provider,
    ProviderMandate,
    ProviderPayment,
    ProviderRefund,
    RefundStatus,
    SequenceType,
)
from tests.fakes.provider_world import (
    NO_MONEY_BACK,
    KnownCustomer,
    KnownRefund,
    Remembered,
    World,
    book_refunds,
    usable_mandate,
)

KEYS_KEPT: Final = timedelta(hours=1)
KEY_WINDOW_S: Final = 3000
CLOCKS_DIFFER: Final = timedelta(minutes=1)
LIVE: Final = (PaymentStatus.OPEN, PaymentStatus.PENDING, PaymentStatus.AUTHORIZED)
CANCELABLE: Final = frozenset({"banktransfer", "directdebit"})
CARD: Final = {"cardNumber": "9479", "cardLabel": "Mastercard", "cardExpiryDate": "2039-12-31"}
LOCALES: Final = frozenset({"en_US", "en_GB", "de_DE", "nl_NL", "fr_FR"})

T = TypeVar("T")


class Fault(StrEnum):
    UNAVAILABLE = "unavailable"
    """Nothing happens."""
    LOST_ANSWER = "lost answer"
    """It happens, and nobody hears of it."""
    UNREADABLE = "unreadable"
    """It happens, and the answer makes no sense."""
    DECLINED = "declined"


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


class FakeProvider:
    """`busy` says whether a transaction is open: then it must not be called."""

    def __init__(self, clock: Clock, *, busy: Callable[[], bool] = lambda: False) -> None:
        self.clock, self._busy = clock, busy
        self.ledger: list[Made] = []
        self.calls: list[Asked] = []
        self.mandates_start_as = MandateStatus.VALID
        self._worlds: dict[UUID, World] = {}
        self._faults: list[tuple[str, Fault]] = []
        self._refs = 0

    @property
    def provider(self) -> Provider:
        return Provider(
            customers=FakeCustomers(self),
            payments=FakePayments(self),
            refunds=FakeRefunds(self),
            mandates=FakeMandates(self),
            key_window_s=KEY_WINDOW_S,
            locales=LOCALES,
        )

    # What a test arranges and counts.

    def fail_next(self, operation: str, fault: Fault, *, times: int = 1) -> None:
        """`operation` as in `calls`: create_payment, get_payment, create_customer, ..."""
        self._faults += [(operation, fault)] * times

    def made(self, kind: str) -> list[Made]:
        return [made for made in self.ledger if made.kind == kind]

    def payment(self, ref: str) -> ProviderPayment:
        return self._world_with(ref).payments[ref]

    def pay(self, ref: str) -> None:
        payment = self._settle(ref, PaymentStatus.PAID, paid_at=self.clock.now())
        if payment.sequence_type is SequenceType.FIRST:
            mandate = ProviderMandate(
                ref=self.new_ref("mdt"),
                customer_ref=payment.customer_ref or "",
                status=self.mandates_start_as,
                method=payment.method or "",
                details=CARD,
            )
            world = self._world_with(ref)
            world.mandates[mandate.ref] = mandate
            world.payments[ref] = replace(payment, mandate_ref=mandate.ref)

    def fail(self, ref: str, reason: str = "insufficient_funds") -> None:
        self._settle(ref, PaymentStatus.FAILED, failure_reason=reason)

    def cancel(self, ref: str) -> None:
        self._settle(ref, PaymentStatus.CANCELED)

    def expire(self, ref: str) -> None:
        self._settle(ref, PaymentStatus.EXPIRED)

    def _settle(self, ref: str, status: PaymentStatus, **facts: object) -> ProviderPayment:
        world = self._world_with(ref)
        payment = world.payments[ref]
        assert payment.status in LIVE, f"{ref} is {payment.status} for good"
        # What can still be paid can be reached and perhaps canceled; what is over cannot.
        payment = replace(payment, status=status, checkout_url=None, is_cancelable=False, **facts)
        world.payments[ref] = payment
        return payment

    def charge_back(self, ref: str, amount: Money | None = None) -> None:
        """The shopper's bank takes money back. A card's mandate does not survive it."""
        world = self._world_with(ref)
        payment = world.payments[ref]
        assert payment.status is PaymentStatus.PAID, f"{ref} is not paid"
        lost = payment.charged_back + (amount or payment.amount - payment.charged_back)
        world.payments[ref] = replace(payment, charged_back=lost)
        if payment.mandate_ref is not None:
            self.set_mandate(payment.mandate_ref, MandateStatus.INVALID)

    def set_mandate(self, ref: str, status: MandateStatus) -> None:
        world = next(w for w in self._worlds.values() if ref in w.mandates)
        world.mandates[ref] = replace(world.mandates[ref], status=status)

    def revoke_mandate(self, ref: str) -> None:
        """From now on it is gone."""
        for world in self._worlds.values():
            world.mandates.pop(ref, None)

    def set_refund(self, ref: str, status: RefundStatus) -> None:
        world = next(w for w in self._worlds.values() if ref in w.refunds)
        known = world.refunds[ref]
        world.refunds[ref] = replace(known, refund=replace(known.refund, status=status))
        book_refunds(world, known.payment_ref)

    def _world_with(self, payment_ref: str) -> World:
        return next(w for w in self._worlds.values() if payment_ref in w.payments)

    # What its ports stand on.

    def world(self, account: PaymentProvider) -> World:
        return self._worlds.setdefault(account.uuid, World())

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
            return Declined("the provider was told to say no")
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
        return fault


def _tell(answer: T, fault: Fault | None) -> T:
    if fault is Fault.LOST_ANSWER:
        raise ProviderUnavailable("the provider was told to lose its answer")
    if fault is Fault.UNREADABLE:
        raise ProviderUnreadable("the provider was told to talk nonsense")
    return answer


class FakeCustomers:
    def __init__(self, fake: FakeProvider) -> None:
        self._fake = fake

    async def create(self, account: PaymentProvider, customer: NewCustomer) -> str | Declined:
        def do() -> str:
            ref = self._fake.new_ref("cst")
            known = KnownCustomer(ref, customer.uuid, self._fake.clock.now())
            self._fake.world(account).customers[ref] = known
            self._fake.ledger.append(Made("customer", account.uuid, ref, customer.uuid))
            return ref

        asked = Asked("create_customer", account.uuid, customer.uuid)
        return await self._fake.act(account, asked, msgspec.json.encode(customer), do)

    async def find(self, account: PaymentProvider, uuid: UUID, *, since: datetime) -> str | None:
        def find() -> str | None:
            for known in self._fake.world(account).customers.values():
                if known.uuid == uuid and known.created_at >= since - CLOCKS_DIFFER:
                    return known.ref
            return None

        return await self._fake.look(Asked("find_customer", account.uuid), find)


class FakePayments:
    def __init__(self, fake: FakeProvider) -> None:
        self._fake = fake

    def render(self, payment: NewPayment) -> bytes:
        return msgspec.json.encode(payment)

    async def create(
        self, account: PaymentProvider, request: bytes, *, key: UUID
    ) -> ProviderPayment | Declined:
        new = msgspec.json.decode(request, type=NewPayment)

        def do() -> ProviderPayment | Declined:
            made = self._new_payment(self._fake.world(account), new)
            if isinstance(made, ProviderPayment):
                self._fake.ledger.append(Made("payment", account.uuid, made.ref, key))
            return made

        asked = Asked("create_payment", account.uuid, key)
        return await self._fake.act(account, asked, request, do)

    def _new_payment(self, world: World, new: NewPayment) -> ProviderPayment | Declined:
        if new.customer_ref not in world.customers:
            return Declined("there is no such customer", "customerId")
        mandate = None
        if is_recurring := new.sequence_type is SequenceType.RECURRING:
            mandate = usable_mandate(world, new)
            if mandate is None:
                return Declined("no suitable mandates found for customer", "customerId")
        ref, nothing = self._fake.new_ref("tr"), Money(0, new.amount.currency)
        payment = ProviderPayment(
            ref=ref,
            status=PaymentStatus.OPEN,
            amount=new.amount,
            sequence_type=new.sequence_type,
            refunded=nothing,
            charged_back=nothing,
            attempt_uuid=new.attempt_uuid,
            method=new.payment_method,
            checkout_url=None if is_recurring else f"https://provider.test/checkout/{ref}",
            customer_ref=new.customer_ref,
            mandate_ref=None if mandate is None else mandate.ref,
            is_cancelable=new.payment_method in CANCELABLE,
            created_at=self._fake.clock.now(),
        )
        world.payments[ref] = payment
        return payment

    async def get(self, account: PaymentProvider, ref: str) -> ProviderPayment | None:
        asked = Asked("get_payment", account.uuid)
        return await self._fake.look(asked, lambda: self._fake.world(account).payments.get(ref))

    async def find(
        self, account: PaymentProvider, attempt_uuid: UUID, *, since: datetime
    ) -> ProviderPayment | None:
        def find() -> ProviderPayment | None:
            for payment in self._fake.world(account).payments.values():
                is_in_time = payment.created_at >= since - CLOCKS_DIFFER
                if payment.attempt_uuid == attempt_uuid and is_in_time:
                    return payment
            return None

        return await self._fake.look(Asked("find_payment", account.uuid), find)

    async def cancel(self, account: PaymentProvider, ref: str) -> ProviderPayment | Declined:
        def do() -> ProviderPayment | Declined:
            payment = self._fake.world(account).payments.get(ref)
            if payment is None or not payment.is_cancelable:
                return Declined("the payment cannot be canceled")
            self._fake.cancel(ref)
            return self._fake.payment(ref)

        return await self._fake.act(account, Asked("cancel_payment", account.uuid), b"", do)


class FakeRefunds:
    def __init__(self, fake: FakeProvider) -> None:
        self._fake = fake

    async def create(
        self, account: PaymentProvider, payment_ref: str, amount: Money, *, refund_uuid: UUID
    ) -> ProviderRefund | Declined:
        def do() -> ProviderRefund | Declined:
            world = self._fake.world(account)
            if (no := self._objection(world, payment_ref, amount)) is not None:
                return no
            refund = ProviderRefund(
                ref=self._fake.new_ref("re"),
                status=RefundStatus.PENDING,
                amount=amount,
                refund_uuid=refund_uuid,
            )
            world.refunds[refund.ref] = KnownRefund(refund, payment_ref, self._fake.clock.now())
            book_refunds(world, payment_ref)
            self._fake.ledger.append(Made("refund", account.uuid, refund.ref, refund_uuid))
            return refund

        asked = Asked("create_refund", account.uuid, refund_uuid)
        return await self._fake.act(account, asked, msgspec.json.encode((payment_ref, amount)), do)

    def _objection(self, world: World, payment_ref: str, amount: Money) -> Declined | None:
        payment = world.payments.get(payment_ref)
        if payment is None or payment.status is not PaymentStatus.PAID:
            return Declined("the payment cannot be refunded")
        an_hour_ago = self._fake.clock.now() - timedelta(hours=1)
        for known in world.refunds.values():
            is_same = known.payment_ref == payment_ref and known.refund.amount == amount
            is_standing = known.refund.status not in NO_MONEY_BACK
            if is_same and is_standing and known.created_at > an_hour_ago:
                raise ProviderUnavailable("the same refund was made within the hour")
        if payment.amount - payment.refunded - payment.charged_back < amount:
            return Declined("the specified amount cannot be refunded", "amount.value")
        return None

    async def list(self, account: PaymentProvider, payment_ref: str) -> tuple[ProviderRefund, ...]:
        def find() -> tuple[ProviderRefund, ...]:
            world = self._fake.world(account)
            if payment_ref not in world.payments:
                raise ProviderUnreadable("the provider knows no such payment")
            known = reversed(world.refunds.values())
            return tuple(k.refund for k in known if k.payment_ref == payment_ref)

        return await self._fake.look(Asked("list_refunds", account.uuid), find)


class FakeMandates:
    def __init__(self, fake: FakeProvider) -> None:
        self._fake = fake

    async def get(
        self, account: PaymentProvider, customer_ref: str, mandate_ref: str
    ) -> ProviderMandate | None:
        def find() -> ProviderMandate | None:
            mandate = self._fake.world(account).mandates.get(mandate_ref)
            is_theirs = mandate is not None and mandate.customer_ref == customer_ref
            return mandate if is_theirs else None

        return await self._fake.look(Asked("get_mandate", account.uuid), find)
