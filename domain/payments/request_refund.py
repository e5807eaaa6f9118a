"""Gives a paid payment back, whole or in part, because the app asks for it.

What is left of it is checked under the payment's lock, so that two requests never promise the same
money. The intent is written down; a worker sends it (submit_refund.py).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict, Refused
from domain.kernel.ids import Ids
from domain.kernel.money import Money
from domain.payments.answers import PaymentStatus
from domain.payments.ports import Providers
from domain.payments.refund import Refund, RefundReason, refund_event
from domain.payments.sighting import PaymentFile
from domain.payments.submit_refund import RefundsTx


class WantedRefund(Struct, frozen=True, kw_only=True):
    payment_uuid: UUID
    amount_minor: int | None = None
    """None: all that is left."""
    description: str | None = None


@dataclass(frozen=True, slots=True)
class RequestRefund:
    providers: Providers
    clock: Clock
    ids: Ids

    async def __call__(self, tx: RefundsTx, wanted: WantedRefund) -> Refund:
        """Raises NotFound, Conflict when nothing was paid, Refused when less is left."""
        before = await tx.payments.lock_file(wanted.payment_uuid)
        account = await tx.payment_providers.get(before.payment.payment_provider_uuid)
        after_s = self.providers[account.name].refund_repeatable_after_s
        refund = intended(
            before,
            wanted,
            repeatable_after=timedelta(seconds=after_s),
            at=self.clock.now(),
            ids=self.ids,
        )
        after = replace(before, refunds=(*before.refunds, refund))
        await tx.payments.save_file(before, after)
        await tx.outbox.append(refund_event("refund.requested", refund, at=refund.created_at))
        return refund


def intended(
    file: PaymentFile,
    wanted: WantedRefund,
    *,
    repeatable_after: timedelta,
    at: datetime,
    ids: Ids,
) -> Refund:
    payment = file.payment
    if payment.status is not PaymentStatus.PAID:
        raise Conflict(f"the payment is {payment.status}; only what is paid can be given back")
    left = file.left
    amount = left
    if wanted.amount_minor is not None:
        amount = Money(wanted.amount_minor, left.currency)
    if left < amount or not amount.minor:
        raise Refused(
            f"{left.minor} {left.currency} in minor units are left of the payment", field="amount"
        )
    due_at = _not_taken_for_a_repetition(file, amount, repeatable_after, at)
    return Refund(
        uuid=ids.new(),
        app_uuid=payment.app_uuid,
        payment_provider_uuid=payment.payment_provider_uuid,
        payment_uuid=payment.uuid,
        reason=RefundReason.REQUESTED,
        amount=amount,
        description=wanted.description,
        first_submitted_at=at,
        lease_until=at,
        due_at=due_at,
        created_at=at,
        updated_at=at,
    )


def _not_taken_for_a_repetition(
    file: PaymentFile, amount: Money, repeatable_after: timedelta, at: datetime
) -> datetime:
    """A refund of the same amount is sent so long after the last one, which may still wait for its
    own turn. `due_at` is never before the instant at which a refund was sent."""
    same = (refund for refund in file.refunds if refund.gives_back and refund.amount == amount)
    return max([at, *(refund.due_at + repeatable_after for refund in same)])
