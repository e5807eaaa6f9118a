"""Gives money back: asks the provider for a refund whose intent is already committed."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from domain.checkout.attempt import backoff
from domain.checkout.ports import CheckoutTx
from domain.kernel.clock import Clock
from domain.kernel.errors import DomainError, ProviderUnavailable, ProviderUnreadable
from domain.kernel.events import Event
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.payment import Payment
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Declined, ProviderRefund, Providers, RefundStatus
from domain.payments.refund import Refund, conclude


@dataclass(frozen=True, slots=True)
class SubmitRefund:
    unit_of_work: UnitOfWork[CheckoutTx]
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
            payment = await tx.refunds.payment_of(refund)
            account = await tx.payment_providers.get(refund.payment_provider_uuid)
        try:
            answer = await self._ask(account, payment, refund)
        except (ProviderUnavailable, ProviderUnreadable) as error:
            async with self.unit_of_work.begin(app_uuid) as tx:
                due_at = self.clock.now() + backoff(refund.tries)
                await tx.refunds.release(refund.uuid, now=self.clock.now(), due_at=due_at)
            return error
        await self._conclude(payment, refund, answer)
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

    async def _conclude(
        self, payment: Payment, refund: Refund, answer: ProviderRefund | Declined
    ) -> None:
        now = self.clock.now()
        async with self.unit_of_work.begin(refund.app_uuid) as tx:
            before = await tx.checkout.lock(payment.checkout_session_uuid)
            held = next(r for r in before.refunds if r.uuid == refund.uuid)
            if held.status is RefundStatus.REQUESTED:  # a sighting may know more already
                held = conclude(held, answer, at=now)
            book = before.with_refund(held)
            # Look again soon: the provider's own sum of refunds is what the session goes by.
            paid = next(p for p in book.payments if p.uuid == payment.uuid)
            book = book.with_payment(replace(paid, due_at=now))
            await tx.checkout.save(before, book)
            facts = {
                "refundUuid": str(refund.uuid),
                "paymentUuid": str(payment.uuid),
                "reason": refund.reason,
                "currency": refund.amount.currency,
                "amount": refund.amount.minor,
            }
            what = "refund.declined" if isinstance(answer, Declined) else "refund.accepted"
            await tx.outbox.append(
                Event(type=what, aggregate_uuid=payment.uuid, at=now, facts=facts)
            )
