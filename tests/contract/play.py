"""An app with accounts at a provider, and what it does there: the contract tests' vocabulary."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.money import Money, currency
from domain.payments.answers import Declined, ProviderPayment, ProviderRefund, SequenceType
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewCustomer, NewPayment, Provider
from tests.contract.stage import Can, Stage
from tests.fakes.ids import FakeIds

A_MINUTE = timedelta(minutes=1)
AN_HOUR = timedelta(hours=1)


def euros(minor: int) -> Money:
    return Money(minor, currency("EUR"))


@dataclass
class Play:
    """A stage, and an app with its accounts that acts on it."""

    stage: Stage
    ids: FakeIds
    account: PaymentProvider
    other_account: PaymentProvider

    @property
    def provider(self) -> Provider:
        return self.stage.provider

    def can(self, ability: Can) -> bool:
        return ability in self.stage.can

    async def a_customer(self) -> str:
        customer = NewCustomer(
            uuid=self.ids.new(),
            tenant_uuid=self.ids.new(),
            name="Ada Lovelace",
            email="ada@example.org",
        )
        ref = await self.provider.customers.create(self.account, customer)
        assert isinstance(ref, str)
        return ref

    async def an_order(self, **changes: Any) -> NewPayment:
        if "customer_ref" not in changes:
            changes["customer_ref"] = await self.a_customer()
        order = NewPayment(
            attempt_uuid=self.ids.new(),
            app_uuid=self.account.app_uuid,
            checkout_session_uuid=self.ids.new(),
            amount=euros(49_00),
            description="Handbook",
            sequence_type=SequenceType.ONEOFF,
            customer_ref="",
            payment_method="card",
            return_url="https://shop.example/thanks",
            webhook_url="https://billing.example/hooks/1",
            locale="de_DE",
        )
        return replace(order, **changes)

    async def send(self, order: NewPayment) -> ProviderPayment | Declined:
        request = self.provider.payments.render(order)
        return await self.provider.payments.create(self.account, request, key=order.attempt_uuid)

    async def a_payment(self, **changes: Any) -> ProviderPayment:
        payment = await self.send(await self.an_order(**changes))
        assert isinstance(payment, ProviderPayment), payment
        return payment

    async def a_paid_payment(self, **changes: Any) -> ProviderPayment:
        payment = await self.a_payment(**changes)
        await self.stage.pay(payment.ref)
        return await self.look(payment.ref)

    async def a_first_payment(self, **changes: Any) -> ProviderPayment:
        """Paid, and a mandate left behind."""
        return await self.a_paid_payment(sequence_type=SequenceType.FIRST, **changes)

    async def look(self, ref: str) -> ProviderPayment:
        seen = await self.provider.payments.get(self.account, ref)
        assert seen is not None
        return seen

    async def find(self, attempt_uuid: UUID, since: Any = None) -> ProviderPayment | None:
        since = since or await self.stage.now() - AN_HOUR
        return await self.provider.payments.find(self.account, attempt_uuid, since=since)

    async def refund(
        self, payment_ref: str, amount: Money, uuid: UUID | None = None
    ) -> ProviderRefund | Declined:
        return await self.provider.refunds.create(
            self.account, payment_ref, amount, refund_uuid=uuid or self.ids.new()
        )

    async def a_refund(self, payment_ref: str, amount: Money) -> ProviderRefund:
        refund = await self.refund(payment_ref, amount)
        assert isinstance(refund, ProviderRefund), refund
        return refund

    async def a_charge(self, first: ProviderPayment, **changes: Any) -> NewPayment:
        """Of the mandate that a first payment left behind."""
        usual = {
            "checkout_session_uuid": None,
            "bill_uuid": self.ids.new(),
            "sequence_type": SequenceType.RECURRING,
            "customer_ref": first.customer_ref,
            "mandate_ref": first.mandate_ref,
            "payment_method": None,
            "return_url": None,
            "locale": None,
        }
        return await self.an_order(**usual | changes)
