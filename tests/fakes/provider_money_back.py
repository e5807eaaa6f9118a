"""The fake provider's refunds and chargebacks: the money that goes back, asked for or not."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from domain.kernel.errors import ProviderUnreadable, RefundTooSoon
from domain.kernel.money import Money
from domain.payments.answers import (
    Declined,
    PaymentStatus,
    ProviderChargeback,
    ProviderRefund,
    RefundStatus,
)
from domain.payments.payment_provider import PaymentProvider
from tests.fakes.provider_engine import Asked, Engine, Made
from tests.fakes.provider_world import NO_MONEY_BACK, World, book_money_back


class FakeRefunds:
    def __init__(self, fake: Engine) -> None:
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
                payment_ref=payment_ref,
                created_at=self._fake.clock.now(),
            )
            world.refunds[refund.ref] = refund
            book_money_back(world, payment_ref)
            self._fake.ledger.append(Made("refund", account.uuid, refund.ref, refund_uuid))
            return refund

        asked = Asked("create_refund", account.uuid, refund_uuid)
        return await self._fake.act(account, asked, msgspec.json.encode((payment_ref, amount)), do)

    def _objection(self, world: World, payment_ref: str, amount: Money) -> Declined | None:
        payment = world.payments.get(payment_ref)
        if payment is None or payment.status is not PaymentStatus.PAID:
            return Declined("the payment cannot be refunded", is_gone=payment is None)
        an_hour_ago = self._fake.clock.now() - timedelta(hours=1)
        for known in world.refunds.values():
            is_same = known.payment_ref == payment_ref and known.amount == amount
            is_standing = known.status not in NO_MONEY_BACK
            if is_same and is_standing and known.created_at > an_hour_ago:
                raise RefundTooSoon("the same refund was made within the hour")
        if payment.amount - payment.refunded - payment.charged_back < amount:
            return Declined("the specified amount cannot be refunded", "amount.value")
        return None

    async def since(
        self, account: PaymentProvider, since: datetime
    ) -> AsyncIterator[ProviderRefund]:
        def find() -> list[ProviderRefund]:
            held = reversed(self._fake.world(account).refunds.values())
            return [refund for refund in held if refund.created_at >= since]

        for refund in await self._fake.look(Asked("list_all_refunds", account.uuid), find):
            yield refund

    async def list(self, account: PaymentProvider, payment_ref: str) -> tuple[ProviderRefund, ...]:
        def find() -> tuple[ProviderRefund, ...]:
            known = reversed(_with(self._fake.world(account), payment_ref).refunds.values())
            return tuple(refund for refund in known if refund.payment_ref == payment_ref)

        return await self._fake.look(Asked("list_refunds", account.uuid), find)


class FakeChargebacks:
    def __init__(self, fake: Engine) -> None:
        self._fake = fake

    async def since(
        self, account: PaymentProvider, since: datetime
    ) -> AsyncIterator[ProviderChargeback]:
        def find() -> list[ProviderChargeback]:
            held = reversed(self._fake.world(account).chargebacks.values())
            return [chargeback for chargeback in held if chargeback.created_at >= since]

        for chargeback in await self._fake.look(Asked("list_all_chargebacks", account.uuid), find):
            yield chargeback

    async def list(
        self, account: PaymentProvider, payment_ref: str
    ) -> tuple[ProviderChargeback, ...]:
        def find() -> tuple[ProviderChargeback, ...]:
            known = reversed(_with(self._fake.world(account), payment_ref).chargebacks.values())
            return tuple(one for one in known if one.payment_ref == payment_ref)

        return await self._fake.look(Asked("list_chargebacks", account.uuid), find)


def _with(world: World, payment_ref: str) -> World:
    if payment_ref not in world.payments:
        raise ProviderUnreadable("the provider knows no such payment")
    return world
