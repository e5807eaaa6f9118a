"""Finishes an attempt whose asker died or never learned the outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.errors import DomainError, ProviderUnavailable, ProviderUnreadable
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.accounts import AccountsTx
from domain.payments.attempt import OwnerKind, PaymentAttempt, PaymentAttempts
from domain.payments.ports import Declined, ProviderPayment
from domain.payments.submit_attempt import SubmitAttempt

REVIEW_AFTER = timedelta(minutes=65)
"""An attempt that the provider still answers with nonsense after its key window has passed."""

GIVE_UP_AFTER = timedelta(days=1)
"""An attempt that the provider has not answered for, or whose list is too long to read."""


class Conclusion(Protocol):
    """Writes down what became of an attempt, in the book of what it collects for."""

    async def answered(
        self, attempt: PaymentAttempt, answer: ProviderPayment | Declined
    ) -> None: ...

    async def release(self, attempt: PaymentAttempt) -> None:
        """The outcome is unknown: let somebody carry on later."""
        ...

    async def set_aside(self, attempt: PaymentAttempt) -> None:
        """The provider contradicts what we asked: a person must look."""
        ...


class RecoverTx(AccountsTx, Protocol):
    @property
    def attempts(self) -> PaymentAttempts: ...


@dataclass(frozen=True, slots=True)
class RecoverAttempt:
    unit_of_work: UnitOfWork[RecoverTx]
    submit: SubmitAttempt
    conclusions: Mapping[OwnerKind, Conclusion]
    clock: Clock
    lease: timedelta

    async def __call__(self, app_uuid: AppUuid, attempt_uuid: UUID) -> DomainError | None:
        """What kept it from being finished this time, if anything did."""
        now = self.clock.now()
        async with self.unit_of_work.begin(app_uuid) as tx:
            attempt = await tx.attempts.lease(attempt_uuid, now=now, until=now + self.lease)
            if attempt is None:
                return None
            account = await tx.payment_providers.get(attempt.payment_provider_uuid)
        conclude = self.conclusions[attempt.owner.kind]
        age = now - attempt.first_submitted_at
        try:
            answer = await self.submit(account, attempt)
        except ProviderUnavailable as error:
            await (conclude.set_aside if age >= GIVE_UP_AFTER else conclude.release)(attempt)
            return error
        except ProviderUnreadable as error:
            await (conclude.set_aside if age >= REVIEW_AFTER else conclude.release)(attempt)
            return error
        await conclude.answered(attempt, answer)
        return None
