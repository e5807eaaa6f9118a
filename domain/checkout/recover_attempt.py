"""Finishes an attempt whose asker died or never learned the outcome."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.checkout.conclude_attempt import ConcludeAttempt
from domain.checkout.ports import CheckoutTx
from domain.checkout.submit_attempt import SubmitAttempt
from domain.kernel.clock import Clock
from domain.kernel.errors import DomainError, ProviderUnavailable, ProviderUnreadable
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork

REVIEW_AFTER = timedelta(minutes=65)
"""An attempt that the provider still answers with nonsense after its key window has passed."""

GIVE_UP_AFTER = timedelta(days=1)
"""An attempt that the provider has not answered for, or whose list is too long to read."""


@dataclass(frozen=True, slots=True)
class RecoverAttempt:
    unit_of_work: UnitOfWork[CheckoutTx]
    submit: SubmitAttempt
    conclude: ConcludeAttempt
    clock: Clock
    lease: timedelta

    async def __call__(self, app_uuid: AppUuid, attempt_uuid: UUID) -> DomainError | None:
        """What kept it from being finished this time, if anything did."""
        now = self.clock.now()
        async with self.unit_of_work.begin(app_uuid) as tx:
            until = now + self.lease
            attempt = await tx.checkout.lease_attempt(attempt_uuid, now=now, until=until)
            if attempt is None:
                return None
            account = await tx.payment_providers.get(attempt.payment_provider_uuid)
        try:
            answer = await self.submit(account, attempt)
        except ProviderUnavailable as error:
            if now - attempt.first_submitted_at >= GIVE_UP_AFTER:
                await self.conclude.set_aside(attempt)
            else:
                await self.conclude.release(attempt)
            return error
        except ProviderUnreadable as error:
            if now - attempt.first_submitted_at >= REVIEW_AFTER:
                await self.conclude.set_aside(attempt)
            else:
                await self.conclude.release(attempt)
            return error
        await self.conclude(attempt, answer)
        return None
