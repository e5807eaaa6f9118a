"""Where the shopper's own links lead: to pay (again), and back from the provider.

Both read the provider first, so what a shopper sees never depends on a webhook having arrived.
"""

from dataclasses import dataclass
from typing import Final, assert_never
from uuid import UUID

from domain.checkout.book import Book
from domain.checkout.conclude_attempt import ConcludeAttempt
from domain.checkout.draft import Drafts
from domain.checkout.find_by_link import find_by_link
from domain.checkout.ports import CheckoutTx
from domain.checkout.session import SessionStatus
from domain.kernel.clock import Clock
from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable, StillRunning
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.attempt import AttemptStatus, PaymentAttempt
from domain.payments.observe_payment import ObservePayment
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import PaymentStatus
from domain.payments.submit_attempt import SubmitAttempt

ATTEMPTS_MAX: Final = 20
"""Per session. Nobody has so many cards; each attempt is a call to the provider."""


@dataclass(frozen=True, slots=True)
class ContinuePayment:
    unit_of_work: UnitOfWork[CheckoutTx]
    observe: ObservePayment
    drafts: Drafts
    submit: SubmitAttempt
    conclude: ConcludeAttempt
    clock: Clock

    async def came_back(self, app_uuid: AppUuid, session_uuid: UUID, token: str) -> str:
        """The URL to send a returning shopper to. Raises NotFound, ProviderUnavailable,
        ProviderUnreadable; after the last two, asking again is safe."""
        book = await self._fresh(await self._book(app_uuid, session_uuid, token))
        session, payment = book.session, book.newest_payment
        match session.status:
            case SessionStatus.COMPLETE | SessionStatus.PROCESSING:
                return session.success_url
            case SessionStatus.OPEN if payment and payment.status is PaymentStatus.PAID:
                return session.success_url
            case SessionStatus.OPEN if _was_declined(book):
                return self.drafts.links.page(session)
            case SessionStatus.OPEN | SessionStatus.EXPIRED | SessionStatus.FAILED:
                return session.cancel_url
            case _:
                assert_never(session.status)

    async def pay(self, app_uuid: AppUuid, session_uuid: UUID, token: str) -> str:
        """The provider's page for a session that is open; through a fresh payment when the last
        one has ended. Raises StillRunning while another click is doing the same."""
        book = await self._fresh(await self._book(app_uuid, session_uuid, token))
        session = book.session
        if session.status in (SessionStatus.COMPLETE, SessionStatus.PROCESSING):
            return session.success_url
        if session.status is not SessionStatus.OPEN or session.expires_at <= self.clock.now():
            return session.cancel_url
        if session.needs_details:
            return self.drafts.links.page(session)
        if (url := _payable(book)) is not None:
            return url
        newest = book.newest.status if book.newest else None
        if newest is AttemptStatus.SUBMITTING or _is_live(book):
            raise StillRunning("the payment is being prepared")
        if newest is AttemptStatus.NEEDS_REVIEW:
            return session.cancel_url  # it may exist at the provider: not a second one beside it
        if len(book.attempts) >= ATTEMPTS_MAX:
            return session.cancel_url
        return await self._another(book)

    async def _another(self, book: Book) -> str:
        attempt, account = await self._intend(book)
        try:
            answer = await self.submit(account, attempt)
        except (ProviderUnavailable, ProviderUnreadable):
            await self.conclude.release(attempt)
            raise
        book = await self.conclude(attempt, answer)
        return _payable(book) or book.session.cancel_url

    async def _intend(self, seen: Book) -> tuple[PaymentAttempt, PaymentProvider]:
        """A fresh attempt, if nobody else has made one since we looked."""
        session = seen.session
        async with self.unit_of_work.begin(session.app_uuid) as tx:
            before = await tx.checkout.lock(session.uuid)
            if len(before.attempts) != len(seen.attempts) or _is_live(before):
                raise StillRunning("the payment is being prepared")
            session = before.session
            if session.status is not SessionStatus.OPEN or session.needs_details:
                raise StillRunning("the checkout session has just changed")
            account = await tx.payment_providers.get(session.payment_provider_uuid)
            customer_ref = await tx.customers.reference(account.uuid, session.tenant_uuid)
            attempt = self.drafts.attempt(
                session,
                account,
                customer_ref,
                number=len(before.attempts) + 1,
                at=self.clock.now(),
            )
            await tx.checkout.save(before, before.with_attempt(attempt))
        return attempt, account

    async def _book(self, app_uuid: AppUuid, session_uuid: UUID, token: str) -> Book:
        async with self.unit_of_work.begin(app_uuid) as tx:
            return await find_by_link(tx, session_uuid, token)

    async def _fresh(self, book: Book) -> Book:
        """The book after a look at the newest payment, if that could have changed."""
        payment = book.newest_payment
        if payment is None or not payment.is_live:
            return book
        session = book.session
        await self.observe(session.app_uuid, payment.payment_provider_uuid, payment.provider_ref)
        async with self.unit_of_work.begin(session.app_uuid) as tx:
            return await tx.checkout.get(session.uuid)


def _is_live(book: Book) -> bool:
    """Another payment beside it could be paid twice."""
    payment = book.newest_payment
    return payment is not None and payment.is_live


def _was_declined(book: Book) -> bool:
    """The shopper is on a page of ours already, and can try again there. Others go back to the
    app, which has a page of its own for it."""
    payment = book.newest_payment
    has_page = bool(book.session.terms.wanted)
    return has_page and payment is not None and payment.status is PaymentStatus.FAILED


def _payable(book: Book) -> str | None:
    payment = book.newest_payment
    if payment is None or payment.status is not PaymentStatus.OPEN:
        return None
    return payment.checkout_url
