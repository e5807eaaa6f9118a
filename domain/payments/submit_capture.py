"""Takes held money: asks the provider for a capture whose intent is already committed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import DomainError, ProviderUnavailable, ProviderUnreadable
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.accounts import AccountsTx
from domain.payments.answers import CaptureStatus, Declined, ProviderCapture
from domain.payments.attempt import backoff
from domain.payments.capture import Capture, capture_event, conclude
from domain.payments.payment import Payment
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Providers
from domain.payments.repositories import CaptureRepository, PaymentRepository


class CapturesTx(AccountsTx, Protocol):
    @property
    def payments(self) -> PaymentRepository: ...
    @property
    def captures(self) -> CaptureRepository: ...


@dataclass(frozen=True, slots=True)
class SubmitCapture:
    unit_of_work: UnitOfWork[CapturesTx]
    providers: Providers
    clock: Clock
    lease: timedelta

    async def __call__(self, app_uuid: AppUuid, capture_uuid: UUID) -> DomainError | None:
        """What kept it from being made this time, if anything did."""
        now = self.clock.now()
        async with self.unit_of_work.begin(app_uuid) as tx:
            capture = await tx.captures.lease(capture_uuid, now=now, until=now + self.lease)
            if capture is None:
                return None
            payment = await tx.payments.get(capture.payment_uuid)
            account = await tx.payment_providers.get(capture.payment_provider_uuid)
        try:
            answer = await self._ask(account, payment, capture)
        except (ProviderUnavailable, ProviderUnreadable) as error:
            async with self.unit_of_work.begin(app_uuid) as tx:
                now = self.clock.now()
                due_at = now + backoff(capture.tries)
                await tx.captures.release(capture.uuid, now=now, due_at=due_at)
            return error
        await self._conclude(capture, answer)
        return None

    async def _ask(
        self, account: PaymentProvider, payment: Payment, capture: Capture
    ) -> ProviderCapture | Declined:
        provider, now = self.providers[account.name], self.clock.now()
        captures = provider.captures
        assert captures is not None, account.name
        if now > capture.lease_until - self.lease / 2:
            raise ProviderUnavailable("the lease on the capture is nearly over")
        if now - capture.first_submitted_at >= timedelta(seconds=provider.key_window_s):
            made = await captures.list(account, payment.provider_ref)
            found = next((c for c in made if c.capture_uuid == capture.uuid), None)
            if found is not None:
                return found
        return await captures.create(account, payment.provider_ref, capture)

    async def _conclude(self, capture: Capture, answer: ProviderCapture | Declined) -> None:
        now = self.clock.now()
        async with self.unit_of_work.begin(capture.app_uuid) as tx:
            before = await tx.payments.lock_file(capture.payment_uuid)
            held = next(c for c in before.captures if c.uuid == capture.uuid)
            if held.status is CaptureStatus.REQUESTED:  # a sighting may know more already
                held = conclude(held, answer, at=now)
            others = tuple(c for c in before.captures if c.uuid != capture.uuid)
            # Look again soon: that the payment is paid, only the payment says.
            payment = replace(before.payment, due_at=now)
            after = replace(before, payment=payment, captures=(*others, held))
            await tx.payments.save_file(before, after)
            what = "capture.declined" if isinstance(answer, Declined) else "capture.accepted"
            await tx.outbox.append(capture_event(what, held, at=now))
