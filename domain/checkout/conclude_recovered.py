"""What a worker makes of an attempt that it has carried on.

It is written down; and called off where the session has ended meanwhile: nobody is to pay it.
"""

from dataclasses import dataclass

from domain.checkout.conclude_attempt import ConcludeAttempt
from domain.checkout.expire_session import ExpireSession
from domain.checkout.session import SessionStatus
from domain.payments.answers import Submitted
from domain.payments.attempt import PaymentAttempt


@dataclass(frozen=True, slots=True)
class ConcludeRecovered:
    """Implements `Conclusion`."""

    conclude: ConcludeAttempt
    expire: ExpireSession

    async def answered(self, attempt: PaymentAttempt, answer: Submitted) -> None:
        book = await self.conclude(attempt, answer)
        if book.session.status is SessionStatus.EXPIRED:
            await self.expire.cancel_payment(attempt.app_uuid, book.session.uuid)

    async def release(self, attempt: PaymentAttempt) -> None:
        await self.conclude.release(attempt)

    async def set_aside(self, attempt: PaymentAttempt) -> None:
        await self.conclude.set_aside(attempt)
