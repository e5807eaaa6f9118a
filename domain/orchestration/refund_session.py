"""Gives a payment session's money back, at the account that took it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict
from domain.kernel.money import Money
from domain.orchestration.payment_session import PaymentSession, Status, Told, status_of
from domain.orchestration.ports import OrchestrationTx
from domain.payments.refund import Refund
from domain.payments.request_refund import RequestRefund, WantedRefund

REFUNDABLE: Final = frozenset({Status.SUCCEEDED, Status.PARTIALLY_REFUNDED})

AmountOf = Callable[[PaymentSession], Money | None]
"""What is to go back, once the session's currency is known; None: all that is left."""


@dataclass(frozen=True, slots=True)
class RefundSession:
    request_refund: RequestRefund
    clock: Clock

    async def __call__(
        self,
        tx: OrchestrationTx,
        told: Told,
        amount_of: AmountOf,
        reason: str | None,
    ) -> Refund:
        """Raises Conflict unless it is paid, Refused when less is left."""
        status = status_of(told.session, told.outcome, at=self.clock.now())
        if status not in REFUNDABLE:
            raise Conflict(f"the session is {status}; only what is paid can be given back")
        assert told.outcome.payment_uuid is not None
        amount = amount_of(told.session)
        wanted = WantedRefund(
            payment_uuid=told.outcome.payment_uuid,
            amount_minor=None if amount is None else amount.minor,
            description=reason,
        )
        return await self.request_refund(tx, wanted)
