"""Calls off a refund that has not been sent: it waits for its turn, or nobody took it up yet."""

from dataclasses import dataclass

from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict
from domain.payments.answers import RefundStatus
from domain.payments.refund import Refund, refund_event
from domain.payments.repositories import PaymentsTx


@dataclass(frozen=True, slots=True)
class CancelRefund:
    clock: Clock

    async def __call__(self, tx: PaymentsTx, refund: Refund) -> Refund:
        """Raises Conflict once it may be at the provider. Doing it twice changes nothing."""
        if refund.status is RefundStatus.CANCELED:
            return refund
        now = self.clock.now()
        canceled = await tx.refunds.cancel(refund.uuid, at=now)
        if canceled is None:
            raise Conflict("the refund has been sent to the payment provider, or is about to be")
        await tx.outbox.append(refund_event("refund.canceled", canceled, at=now))
        return canceled
