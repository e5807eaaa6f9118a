"""The fake provider's customers, payments and mandates, as strict as the real ones."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from domain.kernel.money import Money
from domain.payments.answers import (
    Declined,
    MandateStatus,
    PaymentStatus,
    ProviderMandate,
    ProviderPayment,
    SequenceType,
)
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewCustomer, NewPayment
from tests.fakes.provider_engine import Asked, Engine, Made
from tests.fakes.provider_world import KnownCustomer, World

CLOCKS_DIFFER: Final = timedelta(minutes=1)
CANCELABLE: Final = frozenset({"banktransfer", "directdebit"})


class FakeCustomers:
    def __init__(self, fake: Engine) -> None:
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
    def __init__(self, fake: Engine) -> None:
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
            return Declined("there is no such customer", "customerId", is_gone=True)
        mandate = None
        if is_recurring := new.sequence_type is SequenceType.RECURRING:
            mandate = _usable_mandate(world, new)
            if isinstance(mandate, Declined):
                return mandate
        ref, nothing = self._fake.new_ref("tr"), Money(0, new.amount.currency)
        method = new.payment_method if mandate is None else mandate.method
        # A bank takes days over a direct debit.
        is_slow = is_recurring and method == "directdebit"
        payment = ProviderPayment(
            ref=ref,
            status=PaymentStatus.PENDING if is_slow else PaymentStatus.OPEN,
            amount=new.amount,
            sequence_type=new.sequence_type,
            refunded=nothing,
            charged_back=nothing,
            attempt_uuid=new.attempt_uuid,
            method=method,
            checkout_url=None if is_recurring else f"https://provider.test/checkout/{ref}",
            customer_ref=new.customer_ref,
            mandate_ref=None if mandate is None else mandate.ref,
            is_cancelable=method in CANCELABLE,
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
            for payment in reversed(self._fake.world(account).payments.values()):
                is_in_time = payment.created_at >= since - CLOCKS_DIFFER
                if payment.attempt_uuid == attempt_uuid and is_in_time:
                    return payment
            return None

        return await self._fake.look(Asked("find_payment", account.uuid), find)

    async def since(
        self, account: PaymentProvider, since: datetime
    ) -> AsyncIterator[ProviderPayment]:
        def find() -> list[ProviderPayment]:
            held = reversed(self._fake.world(account).payments.values())
            return [payment for payment in held if payment.created_at >= since]

        for payment in await self._fake.look(Asked("list_payments", account.uuid), find):
            yield payment

    async def cancel(self, account: PaymentProvider, ref: str) -> ProviderPayment | Declined:
        def do() -> ProviderPayment | Declined:
            payment = self._fake.world(account).payments.get(ref)
            if payment is None or not payment.is_cancelable:
                return Declined("the payment cannot be canceled", is_gone=payment is None)
            return self._fake.settle(ref, PaymentStatus.CANCELED)

        return await self._fake.act(account, Asked("cancel_payment", account.uuid), b"", do)


def _usable_mandate(world: World, new: NewPayment) -> ProviderMandate | Declined:
    """The one that is named, or the newest that fits."""
    theirs = [
        mandate
        for mandate in reversed(world.mandates.values())
        if mandate.customer_ref == new.customer_ref
        and mandate.ref == (new.mandate_ref or mandate.ref)
    ]
    if new.mandate_ref is not None and not theirs:
        return Declined("there is no such mandate", "mandateId", is_gone=True)
    for mandate in theirs:
        fits = mandate.method == (new.payment_method or mandate.method)
        if fits and mandate.status is MandateStatus.VALID:
            return mandate
    return Declined("no suitable mandates found for customer", "customerId", is_gone=True)


class FakeMandates:
    def __init__(self, fake: Engine) -> None:
        self._fake = fake

    def _theirs(
        self, account: PaymentProvider, customer_ref: str, mandate_ref: str
    ) -> ProviderMandate | None:
        mandate = self._fake.world(account).mandates.get(mandate_ref)
        return mandate if mandate is not None and mandate.customer_ref == customer_ref else None

    async def get(
        self, account: PaymentProvider, customer_ref: str, mandate_ref: str
    ) -> ProviderMandate | None:
        asked = Asked("get_mandate", account.uuid)
        return await self._fake.look(
            asked, lambda: self._theirs(account, customer_ref, mandate_ref)
        )

    async def revoke(
        self, account: PaymentProvider, customer_ref: str, mandate_ref: str
    ) -> Declined | None:
        def do() -> None:
            if self._theirs(account, customer_ref, mandate_ref) is not None:
                del self._fake.world(account).mandates[mandate_ref]

        return await self._fake.act(account, Asked("revoke_mandate", account.uuid), b"", do)
