"""Gives money back: asks the provider for a refund whose intent is already committed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import (
    DomainError,
    ProviderUnavailable,
    ProviderUnreadable,
    RefundTooSoon,
)
from domain.kernel.events import Event
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.ledger.ports import LedgerTx
from domain.payments.accounts import AccountsTx
from domain.payments.answers import Declined, ProviderRefund, RefundStatus
from domain.payments.attempt import backoff
from domain.payments.payment import Payment
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Providers
from domain.payments.postings import money_back_postings
from domain.payments.refund import Refund, conclude, refund_event
from domain.payments.repositories import PaymentRepository, RefundRepository


class RefundsTx(AccountsTx, LedgerTx, Protocol):
    @property
    def payments(self) -> PaymentRepository: ...
    @property
    def refunds(self) -> RefundRepository: ...


@dataclass(frozen=True, slots=True)
class SubmitRefund:
    unit_of_work: UnitOfWork[RefundsTx]
    providers: Providers
    clock: Clock
    lease: timedelta

    async def __call__(self, app_uuid: AppUuid, refund_uuid: UUID) -> DomainError | None:
        """What kept it from being made this time, if anything did."""
        now = self.clock.now()
        async with self.unit_of_work.begin(app_uuid) as tx:
            refund = await tx.refunds.lease(refund_uuid, now=now, until=now + self.lease)
            if refund is None:
                return None
            payment = await tx.payments.get(refund.payment_uuid)
            account = await tx.payment_providers.get(refund.payment_provider_uuid)
        try:
            answer = await self._ask(account, payment, refund)
        except (ProviderUnavailable, ProviderUnreadable) as error:
            wait = backoff(refund.tries)
            if isinstance(error, RefundTooSoon):
                wait = timedelta(seconds=self.providers[account.name].refund_repeatable_after_s)
            async with self.unit_of_work.begin(app_uuid) as tx:
                now = self.clock.now()
                await tx.refunds.release(refund.uuid, now=now, due_at=now + wait)
            return error
        await self._conclude(refund, answer)
        return None

    async def _ask(
        self, account: PaymentProvider, payment: Payment, refund: Refund
    ) -> ProviderRefund | Declined:
        provider, now = self.providers[account.name], self.clock.now()
        if now > refund.lease_until - self.lease / 2:
            raise ProviderUnavailable("the lease on the refund is nearly over")
        if now - refund.first_submitted_at >= timedelta(seconds=provider.key_window_s):
            made = await provider.refunds.list(account, payment.provider_ref)
            found = next((r for r in made if r.refund_uuid == refund.uuid), None)
            if found is not None:
                return found
        return await provider.refunds.create(
            account, payment.provider_ref, refund.amount, refund_uuid=refund.uuid
        )

    async def _conclude(self, refund: Refund, answer: ProviderRefund | Declined) -> None:
        now = self.clock.now()
        async with self.unit_of_work.begin(refund.app_uuid) as tx:
            before = await tx.payments.lock_file(refund.payment_uuid)
            held = next(r for r in before.refunds if r.uuid == refund.uuid)
            if held.status is RefundStatus.REQUESTED:  # a sighting may know more already
                held = conclude(held, answer, at=now)
            others = tuple(r for r in before.refunds if r.uuid != refund.uuid)
            # Look again soon: the provider's own sum of refunds is what the payment goes by.
            payment = replace(before.payment, due_at=now)
            after = replace(before, payment=payment, refunds=(*others, held))
            await tx.payments.save_file(before, after)
            await tx.ledger.append(*money_back_postings(before, after, at=now))
            await tx.outbox.append(_event(refund, answer))


def _event(refund: Refund, answer: ProviderRefund | Declined) -> Event:
    what = "refund.declined" if isinstance(answer, Declined) else "refund.accepted"
    return refund_event(what, refund, at=refund.updated_at)
