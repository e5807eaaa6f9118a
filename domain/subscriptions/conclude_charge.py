"""Writes down what became of a charge: accepted, declined, unknown."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.events import Event
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.answers import Declined, MandateStatus, ProviderPayment
from domain.payments.attempt import AttemptStatus, PaymentAttempt, declined, patient_backoff
from domain.payments.mandate import Mandate
from domain.payments.sighting import Sighting
from domain.subscriptions.collect import fail
from domain.subscriptions.pen import Pen
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.record_charge import RecordCharge
from domain.subscriptions.write import WriteBook

MANDATE_GONE = "mandate_gone"


@dataclass(frozen=True, slots=True)
class ConcludeCharge:
    """Implements payments' `Conclusion`."""

    unit_of_work: UnitOfWork[SubscriptionsTx]
    record: RecordCharge
    write: WriteBook
    clock: Clock

    async def answered(self, attempt: PaymentAttempt, answer: ProviderPayment | Declined) -> None:
        if isinstance(answer, Declined):
            await self._change(attempt, lambda pen: _decline(pen, attempt, answer))
            return
        now, account_uuid = self.clock.now(), attempt.payment_provider_uuid
        sighting = Sighting(account_uuid=account_uuid, payment=answer, at=now)
        async with self.unit_of_work.begin(attempt.app_uuid) as tx:
            taken_in = await self.record(tx, attempt.owner.uuid, sighting)
        if taken_in is None:
            await self.set_aside(attempt)

    async def release(self, attempt: PaymentAttempt) -> None:
        now = self.clock.now()
        later = now + patient_backoff(attempt.tries, now - attempt.first_submitted_at)
        async with self.unit_of_work.begin(attempt.app_uuid) as tx:
            await tx.attempts.release(attempt, now=now, due_at=later)

    async def set_aside(self, attempt: PaymentAttempt) -> None:
        """Until a person has looked, nothing more is charged for the bill."""
        await self._change(attempt, lambda pen: _set_aside(pen, attempt))

    async def _change(self, attempt: PaymentAttempt, write: Callable[[Pen], None]) -> None:
        """Unless somebody has learned more about the attempt since."""
        bill_uuid = attempt.owner.uuid
        async with self.unit_of_work.begin(attempt.app_uuid) as tx:
            uuid = await tx.subscriptions.of_bill(bill_uuid)
            assert uuid is not None, "an attempt's bill is never deleted"
            before = await tx.subscriptions.book(uuid, lock=True, with_bills=[bill_uuid])
            if before.attempt(attempt.uuid).status is not AttemptStatus.SUBMITTING:
                return
            pen = Pen(before, self.record.ids, self.clock.now())
            write(pen)
            await self.write.save(tx, before, pen)


def _decline(pen: Pen, attempt: PaymentAttempt, answer: Declined) -> None:
    """The provider's considered no. Only its explicit word that the mandate is gone ends that."""
    waiting = pen.book.attempt(attempt.uuid)
    pen.book = pen.book.with_attempt(declined(waiting, answer.reason, at=pen.real_now))
    if answer.is_gone:
        _end_mandate(pen, attempt)
    bill = pen.book.bill(attempt.owner.uuid)
    if bill.is_open:
        reason = MANDATE_GONE if answer.is_gone else answer.code or "declined_by_provider"
        fail(pen, bill, reason, at=pen.now)


def _end_mandate(pen: Pen, attempt: PaymentAttempt) -> None:
    mandate = _named_in(attempt, pen.book.mandates)
    if mandate is None or mandate.status is MandateStatus.INVALID:
        return
    ended = replace(mandate, status=MandateStatus.INVALID, updated_at=pen.real_now)
    others = tuple(m for m in pen.book.mandates if m.uuid != mandate.uuid)
    mandates = tuple(sorted((*others, ended), key=lambda m: m.uuid))
    pen.book = replace(pen.book, mandates=mandates)
    facts = {"mandateUuid": str(mandate.uuid), "tenantUuid": str(mandate.tenant_uuid)}
    gone = Event(type="mandate.invalid", aggregate_uuid=mandate.uuid, at=pen.real_now, facts=facts)
    pen.events.append(gone)


def _named_in(attempt: PaymentAttempt, mandates: Iterable[Mandate]) -> Mandate | None:
    """What the attempt asked to charge. The subscription may be charged on another by now."""
    return next((m for m in mandates if f'"{m.provider_ref}"'.encode() in attempt.request), None)


def _set_aside(pen: Pen, attempt: PaymentAttempt) -> None:
    waiting = pen.book.attempt(attempt.uuid)
    aside = replace(waiting, status=AttemptStatus.NEEDS_REVIEW, updated_at=pen.real_now)
    pen.book = pen.book.with_attempt(aside)
    pen.say(
        "payment_attempt.needs_review",
        at=pen.now,
        paymentAttemptUuid=str(attempt.uuid),
        billUuid=str(attempt.owner.uuid),
    )
