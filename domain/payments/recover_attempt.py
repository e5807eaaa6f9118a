"""Finishes an attempt whose asker died or never learned the outcome.

A charge that nobody watches is never given up for silence or nonsense: past its key's window it is
only looked up, which costs nothing, and its subscription waits for the answer. A shopper's attempt
is, so that somebody helps them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.errors import (
    CredentialRefused,
    DomainError,
    ProviderBusy,
    ProviderUnavailable,
    ProviderUnreadable,
)
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.accounts import AccountsTx
from domain.payments.answers import Declined, ProviderPayment
from domain.payments.attempt import OwnerKind, PaymentAttempt, PaymentAttempts
from domain.payments.submit_attempt import SubmitAttempt

REVIEW_AFTER = timedelta(minutes=65)
"""An attempt that the provider still answers with nonsense: for longer than the shortest of the
providers' key windows."""

GIVE_UP_AFTER = timedelta(days=1)
"""An attempt that the provider has not answered for, or whose list is too long to read."""

TRIES_MIN = 5
"""Age alone says nothing: after a long downtime of ours, the first look is a late one."""


class Conclusion(Protocol):
    """Writes down what became of an attempt, in the book of what it collects for."""

    async def answered(
        self, attempt: PaymentAttempt, answer: ProviderPayment | Declined
    ) -> None: ...

    async def release(self, attempt: PaymentAttempt) -> None:
        """The outcome is unknown: let somebody carry on later."""
        ...

    async def set_aside(self, attempt: PaymentAttempt) -> None:
        """The provider contradicts what we asked, or cannot be understood: a person must look."""
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
        try:
            answer = await self.submit(account, attempt)
        except (ProviderUnavailable, ProviderUnreadable) as error:
            age = now - attempt.first_submitted_at
            hopeless = is_hopeless(attempt, error, age)
            await (conclude.set_aside if hopeless else conclude.release)(attempt)
            return error
        await conclude.answered(attempt, answer)
        return None


def is_hopeless(attempt: PaymentAttempt, error: DomainError, age: timedelta) -> bool:
    """Whether asking again and again has shown that asking does not help."""
    if attempt.owner.kind is OwnerKind.BILL or attempt.tries < TRIES_MIN:
        return False
    if isinstance(error, ProviderBusy | CredentialRefused):
        return False
    return age >= (REVIEW_AFTER if isinstance(error, ProviderUnreadable) else GIVE_UP_AFTER)
