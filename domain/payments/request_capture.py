"""Takes money that a payment holds, because the app asks for it.

What is left to take is checked under the payment's lock, so that two requests never take the same
money. The intent is written down; submit_capture.py sends it.
"""

from dataclasses import dataclass
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict, Refused
from domain.kernel.ids import Ids
from domain.kernel.money import Money
from domain.payments.answers import PaymentStatus
from domain.payments.capture import Capture, capture_event
from domain.payments.ports import Providers
from domain.payments.sighting import PaymentFile
from domain.payments.submit_capture import CapturesTx


class WantedCapture(Struct, frozen=True, kw_only=True):
    payment_uuid: UUID
    amount_minor: int | None = None
    """None: all that is left."""
    description: str | None = None


@dataclass(frozen=True, slots=True)
class RequestCapture:
    providers: Providers
    clock: Clock
    ids: Ids

    async def __call__(self, tx: CapturesTx, wanted: WantedCapture) -> Capture:
        """Raises NotFound, Conflict when the payment holds nothing, Refused when less is left."""
        before = await tx.payments.lock_file(wanted.payment_uuid)
        account = await tx.payment_providers.get(before.payment.payment_provider_uuid)
        if self.providers[account.name].captures is None:
            raise Refused(f"{account.name} takes the money when it is paid: nothing is held")
        capture = self._intended(before, wanted)
        after = replace(before, captures=(*before.captures, capture))
        await tx.payments.save_file(before, after)
        await tx.outbox.append(capture_event("capture.requested", capture, at=capture.created_at))
        return capture

    def _intended(self, file: PaymentFile, wanted: WantedCapture) -> Capture:
        payment, at, left = file.payment, self.clock.now(), file.left_to_capture
        if payment.status is not PaymentStatus.AUTHORIZED:
            message = f"the payment is {payment.status}; only what is authorized can be captured"
            raise Conflict(message)
        amount = left
        if wanted.amount_minor is not None:
            amount = Money(wanted.amount_minor, left.currency)
        if left < amount or not amount.minor:
            message = f"{left.minor} {left.currency} in minor units are left to capture"
            raise Refused(message, field="amount")
        return Capture(
            uuid=self.ids.new(),
            app_uuid=payment.app_uuid,
            payment_provider_uuid=payment.payment_provider_uuid,
            payment_uuid=payment.uuid,
            amount=amount,
            description=wanted.description,
            first_submitted_at=at,
            lease_until=at,
            due_at=at,
            created_at=at,
            updated_at=at,
        )
