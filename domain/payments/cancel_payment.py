"""Calls off a payment that is not paid yet, or lets go of what it holds, because the app asks.

What is paid all the same stays paid: only a look at the provider says what has become of it. Asking
twice changes nothing, so no intent is kept: who does not hear an answer asks again.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict, ProviderUnavailable, ProviderUnreadable, Refused
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.accounts import AccountsTx
from domain.payments.answers import Declined, PaymentStatus
from domain.payments.observe_payment import ObservePayment
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Providers
from domain.payments.repositories import PaymentRepository
from domain.payments.sighting import PaymentFile

LOOK_AGAIN_AFTER: Final = timedelta(seconds=10)
"""A provider may take a moment to let go."""


class CancelTx(AccountsTx, Protocol):
    @property
    def payments(self) -> PaymentRepository: ...


@dataclass(frozen=True, slots=True)
class CancelPayment:
    unit_of_work: UnitOfWork[CancelTx]
    providers: Providers
    observe: ObservePayment
    clock: Clock

    async def __call__(self, app_uuid: AppUuid, payment_uuid: UUID) -> None:
        """Raises NotFound, Conflict when there is nothing to call off, Refused when the provider
        does not let it be, ProviderUnavailable, ProviderUnreadable."""
        async with self.unit_of_work.begin(app_uuid) as tx:
            file = await tx.payments.lock_file(payment_uuid)
            account = await tx.payment_providers.get(file.payment.payment_provider_uuid)
        if file.payment.status is PaymentStatus.CANCELED:
            return
        _check(file)
        answer = await self._ask(account, file)
        with suppress(ProviderUnavailable, ProviderUnreadable):
            await self.observe(app_uuid, account.uuid, file.payment.provider_ref)
        if isinstance(answer, Declined):
            raise Refused(f"the payment provider does not let it be canceled: {answer.reason}")
        await self._look_soon(app_uuid, payment_uuid)

    async def _ask(self, account: PaymentProvider, file: PaymentFile) -> Declined | None:
        provider, ref = self.providers[account.name], file.payment.provider_ref
        if file.payment.status is PaymentStatus.AUTHORIZED and provider.captures is not None:
            return await provider.captures.release(account, ref)
        answer = await provider.payments.cancel(account, ref)
        return answer if isinstance(answer, Declined) else None

    async def _look_soon(self, app_uuid: AppUuid, payment_uuid: UUID) -> None:
        async with self.unit_of_work.begin(app_uuid) as tx:
            before = await tx.payments.lock_file(payment_uuid)
            if before.payment.is_live:
                due_at = self.clock.now() + LOOK_AGAIN_AFTER
                payment = replace(before.payment, due_at=due_at)
                await tx.payments.save_file(before, replace(before, payment=payment))


def _check(file: PaymentFile) -> None:
    payment = file.payment
    if payment.bill_uuid is not None:
        raise Conflict("the payment is a subscription's charge: its bill can be voided")
    if payment.status is PaymentStatus.PAID:
        raise Conflict("the payment is paid: give it back with a refund")
    if not payment.is_live:
        raise Conflict(f"the payment is {payment.status}")
    if any(not capture.is_settled for capture in file.captures):
        raise Conflict("a capture of the payment is under way")
