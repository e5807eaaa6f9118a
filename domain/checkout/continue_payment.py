"""Where the shopper's own links lead: to pay (again), and back from the provider.

Both read the provider first, so what a shopper sees never depends on a webhook having arrived.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol, assert_never
from uuid import UUID

from domain.checkout.book import Book
from domain.checkout.conclude_attempt import ConcludeAttempt
from domain.checkout.draft import Drafts
from domain.checkout.find_by_link import find_by_link
from domain.checkout.ports import CheckoutTx
from domain.checkout.session import SessionStatus
from domain.kernel.clock import Clock
from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable, StillRunning
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.answers import PaymentStatus
from domain.payments.attempt import AttemptStatus, PaymentAttempt
from domain.payments.ensure_customer import EnsureCustomer
from domain.payments.observe_payment import ObservePayment
from domain.payments.payment_provider import PaymentProvider
from domain.payments.submit_attempt import SubmitAttempt
from domain.tenancy.tenant import Tenant

ATTEMPTS_MAX: Final = 20
"""Per session. Nobody has so many cards; each attempt is a call to the provider."""


class Tenants(Protocol):
    async def get(self, uuid: TenantUuid) -> Tenant: ...


class ContinueTx(CheckoutTx, Protocol):
    @property
    def tenants(self) -> Tenants: ...


@dataclass(frozen=True, slots=True)
class ContinuePayment:
    unit_of_work: UnitOfWork[ContinueTx]
    ensure_customer: EnsureCustomer
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
            case SessionStatus.FAILED if session.terms.direct and session.terms.direct.is_single:
                return session.success_url  # over, if not well: only who cancels is sent elsewhere
            case SessionStatus.OPEN | SessionStatus.EXPIRED | SessionStatus.FAILED:
                return session.cancel_url
            case _:
                assert_never(session.status)

    async def look(self, app_uuid: AppUuid, session_uuid: UUID, token: str) -> None:
        """Ask the provider what has become of a payment that may still be paid. If it does not
        say, what we know stands."""
        with suppress(ProviderUnavailable, ProviderUnreadable):
            await self._fresh(await self._book(app_uuid, session_uuid, token))

    async def pay(
        self, app_uuid: AppUuid, session_uuid: UUID, token: str, *, shown_minor: int | None = None
    ) -> str:
        """The provider's page for a session that is open; through a fresh payment when the last
        one has ended. Raises StillRunning while another click is doing the same.

        `shown_minor`: the total that the shopper has just read. Another one is shown first.
        """
        book = await self._fresh(await self._book(app_uuid, session_uuid, token))
        session = book.session
        if session.status in (SessionStatus.COMPLETE, SessionStatus.PROCESSING):
            return session.success_url
        if session.status is not SessionStatus.OPEN or session.expires_at <= self.clock.now():
            return session.cancel_url
        if (url := _payable(book)) is not None:
            return url
        is_another_total = shown_minor not in (None, session.amount.total.minor)
        if book.needs_details or is_another_total:
            return self.drafts.links.page(session)
        newest = book.newest.status if book.newest else None
        if newest is AttemptStatus.SUBMITTING or _is_live(book):
            raise StillRunning("the payment is being prepared")
        if newest is AttemptStatus.NEEDS_REVIEW:
            return session.cancel_url  # it may exist at the provider: not a second one beside it
        if len(book.attempts) >= ATTEMPTS_MAX:
            return session.cancel_url
        return await self._another(book)

    async def _another(self, book: Book) -> str:
        await self._need_customer(book)
        attempt, account = await self._intend(book)
        try:
            answer = await self.submit(account, attempt)
        except (ProviderUnavailable, ProviderUnreadable):
            await self.conclude.release(attempt)
            raise
        book = await self.conclude(attempt, answer)
        session = book.session
        match session.status:
            case SessionStatus.OPEN if (url := _payable(book)) is not None:
                return url
            case SessionStatus.OPEN if session.terms.asks:
                return self.drafts.links.page(session)
            case SessionStatus.COMPLETE | SessionStatus.PROCESSING:
                return session.success_url
            case SessionStatus.EXPIRED:
                await self._take_back(account, book)
        return session.cancel_url

    async def _need_customer(self, book: Book) -> None:
        """The provider may have lost it since the session was opened."""
        session = book.session
        async with self.unit_of_work.begin(session.app_uuid) as tx:
            account = await tx.payment_providers.get(session.payment_provider_uuid)
            tenant = await tx.tenants.get(session.tenant_uuid)
        await self.ensure_customer(account, tenant)

    async def _take_back(self, account: PaymentProvider, book: Book) -> None:
        """The session ended while its payment was being made: best effort, most methods cannot be
        canceled. What is paid all the same is given back."""
        payment = book.newest_payment
        if payment is not None and payment.is_live:
            with suppress(ProviderUnavailable, ProviderUnreadable):
                port = self.drafts.providers[account.name].payments
                await port.cancel(account, payment.provider_ref)

    async def _intend(self, seen: Book) -> tuple[PaymentAttempt, PaymentProvider]:
        """A fresh attempt, if nobody else has made one since we looked."""
        session = seen.session
        async with self.unit_of_work.begin(session.app_uuid) as tx:
            before = await tx.checkout.lock(session.uuid)
            if len(before.attempts) != len(seen.attempts) or _is_live(before):
                raise StillRunning("the payment is being prepared")
            session = before.session
            is_as_seen = session.amount == seen.session.amount and not before.needs_details
            if session.status is not SessionStatus.OPEN or not is_as_seen:
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
    return bool(book.session.terms.asks) and book.was_declined


def _payable(book: Book) -> str | None:
    payment = book.newest_payment
    if payment is None or payment.status is not PaymentStatus.OPEN:
        return None
    return payment.checkout_url
