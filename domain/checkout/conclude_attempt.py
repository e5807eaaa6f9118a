"""The third step of a provider call: writes down what came of an attempt."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from domain.checkout import session as sessions
from domain.checkout.book import Book
from domain.checkout.ports import CheckoutTx
from domain.checkout.record_sighting import RecordSighting
from domain.checkout.session import SessionStatus
from domain.kernel.clock import Clock
from domain.kernel.events import Event
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.answers import Declined, ProviderPayment, SequenceType
from domain.payments.attempt import AttemptStatus, PaymentAttempt, backoff, declined
from domain.payments.sighting import Sighting

Also = Callable[[CheckoutTx, Book], Awaitable[None]]
"""What else belongs into the same transaction, given the book as it will be."""


@dataclass(frozen=True, slots=True)
class ConcludeAttempt:
    unit_of_work: UnitOfWork[CheckoutTx]
    record: RecordSighting
    clock: Clock

    async def __call__(
        self,
        attempt: PaymentAttempt,
        answer: ProviderPayment | Declined,
        also: Also | None = None,
    ) -> Book:
        now = self.clock.now()
        async with self.unit_of_work.begin(attempt.app_uuid) as tx:
            if isinstance(answer, Declined):
                book = await self._decline(tx, attempt, answer, now)
            else:
                account_uuid = attempt.payment_provider_uuid
                sighting = Sighting(account_uuid=account_uuid, payment=answer, at=now)
                book = (await self.record.settle(tx, _session(attempt), sighting)).book
                if book.payment_in(sighting) is None:
                    book = await self._set_aside(tx, attempt, now)
            if also is not None:
                await also(tx, book)
        return book

    async def answered(self, attempt: PaymentAttempt, answer: ProviderPayment | Declined) -> None:
        await self(attempt, answer)

    async def release(self, attempt: PaymentAttempt, also: Also | None = None) -> None:
        """The outcome is unknown: let a retry of the caller, or later a worker, carry on."""
        now = self.clock.now()
        async with self.unit_of_work.begin(attempt.app_uuid) as tx:
            due_at = now + backoff(attempt.tries)
            await tx.attempts.release(attempt, now=now, due_at=due_at)
            if also is not None:
                await also(tx, await tx.checkout.get(_session(attempt)))

    async def set_aside(self, attempt: PaymentAttempt) -> None:
        """The provider contradicts what we asked: a person must look."""
        now = self.clock.now()
        async with self.unit_of_work.begin(attempt.app_uuid) as tx:
            await self._set_aside(tx, attempt, now)

    async def _set_aside(self, tx: CheckoutTx, attempt: PaymentAttempt, now: datetime) -> Book:
        before = await tx.checkout.lock(_session(attempt))
        waiting = before.attempt(attempt.uuid)
        if waiting.status is not AttemptStatus.SUBMITTING:
            return before
        aside = replace(waiting, status=AttemptStatus.NEEDS_REVIEW, updated_at=now)
        book = before.with_attempt(aside)
        await tx.checkout.save(before, book)
        await tx.outbox.append(_attempt_event(aside, "needs_review", now))
        return book

    async def _decline(
        self, tx: CheckoutTx, attempt: PaymentAttempt, answer: Declined, now: datetime
    ) -> Book:
        before = await tx.checkout.lock(_session(attempt))
        waiting = before.attempt(attempt.uuid)
        if waiting.status is not AttemptStatus.SUBMITTING:
            return before
        no = declined(waiting, answer.reason, at=now)
        book = before.with_attempt(no)
        events: tuple[Event, ...] = (_attempt_event(no, "declined", now),)
        # Whoever opens a session hears the first no, and it is for good. A later one, or one that a
        # shopper hears on our page, leaves the session open for another try.
        is_for_good = no.number == 1 and not book.session.terms.asks
        if is_for_good and book.session.status is SessionStatus.OPEN:
            session, moved = sessions.move(book.session, SessionStatus.FAILED, at=now)
            book, events = replace(book, session=session), events + moved
        if answer.is_gone and not _charges_a_mandate(book):
            await tx.customers.forget(
                attempt.payment_provider_uuid,
                attempt.tenant_uuid,
                known_before=attempt.created_at,
                new_uuid=self.record.ids.new(),
            )
        await tx.checkout.save(before, book)
        await tx.outbox.append(*events)
        return book


def _charges_a_mandate(book: Book) -> bool:
    """Then it may be the mandate that is gone, and not the customer."""
    direct = book.session.terms.direct
    return direct is not None and direct.sequence_type is SequenceType.RECURRING


def _session(attempt: PaymentAttempt) -> UUID:
    assert attempt.checkout_session_uuid is not None
    return attempt.checkout_session_uuid


def _attempt_event(attempt: PaymentAttempt, what: str, at: datetime) -> Event:
    facts = {
        "paymentAttemptUuid": str(attempt.uuid),
        "checkoutSessionUuid": str(attempt.checkout_session_uuid),
    }
    return Event(
        type=f"payment_attempt.{what}",
        aggregate_uuid=_session(attempt),
        at=at,
        facts=facts,
    )
