"""Ends a session that nobody paid: by time, or because the app wishes it.

The provider is asked before, because the shopper may just have paid, and told after, so that the
shopper cannot pay any more. What is paid all the same is given back (book.py).
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from domain.checkout import session as sessions
from domain.checkout.book import Book
from domain.checkout.look_into_form import LookIntoForm
from domain.checkout.ports import CheckoutTx
from domain.checkout.session import SessionStatus
from domain.kernel.clock import Clock
from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.observe_payment import ObservePayment
from domain.payments.ports import Providers

TRY_AGAIN: Final = timedelta(minutes=1)
"""At first; then ever more seldom, by a quarter of the time that it is overdue."""


@dataclass(frozen=True, slots=True)
class ExpireSession:
    unit_of_work: UnitOfWork[CheckoutTx]
    observe: ObservePayment
    look_into_form: LookIntoForm
    providers: Providers
    clock: Clock

    async def look(self, app_uuid: AppUuid, session_uuid: UUID) -> bool:
        """Read what could still be paid. False: the provider did not say."""
        async with self.unit_of_work.begin(app_uuid) as tx:
            book = await tx.checkout.get(session_uuid)
        try:
            for payment in book.payments:
                if payment.is_live:
                    account = payment.payment_provider_uuid
                    await self.observe(app_uuid, account, payment.provider_ref)
            await self.look_into_form(book)
        except (ProviderUnavailable, ProviderUnreadable):
            return False
        return True

    async def expire(self, tx: CheckoutTx, session_uuid: UUID) -> Book:
        """Inside the caller's transaction. Raises IllegalMove unless open or expired already."""
        before = await tx.checkout.lock(session_uuid)
        now = self.clock.now()
        if before.session.status is SessionStatus.PROCESSING:
            # A payment is under way: only its own end may end the session.
            raise sessions.IllegalMove(before.session.status, SessionStatus.EXPIRED)
        session, events = sessions.move(before.session, SessionStatus.EXPIRED, at=now)
        book = replace(before, session=session)
        await tx.checkout.save(before, book)
        await tx.outbox.append(*events)
        return book

    async def cancel_payment(self, app_uuid: AppUuid, session_uuid: UUID) -> None:
        """Best effort: most methods cannot be canceled."""
        async with self.unit_of_work.begin(app_uuid) as tx:
            book = await tx.checkout.get(session_uuid)
            account = await tx.payment_providers.get(book.session.payment_provider_uuid)
        payment = book.newest_payment
        if payment is None or not payment.is_live:
            return
        with suppress(ProviderUnavailable, ProviderUnreadable):
            await self.providers[account.name].payments.cancel(account, payment.provider_ref)

    async def by_time(self, app_uuid: AppUuid, session_uuid: UUID) -> None:
        """Without the provider's word nothing expires by itself."""
        if not await self.look(app_uuid, session_uuid):
            await self._postpone(app_uuid, session_uuid)
            return
        async with self.unit_of_work.begin(app_uuid) as tx:
            session = (await tx.checkout.lock(session_uuid)).session
            if session.status is not SessionStatus.OPEN:
                return
            await self.expire(tx, session_uuid)
        await self.cancel_payment(app_uuid, session_uuid)

    async def _postpone(self, app_uuid: AppUuid, session_uuid: UUID) -> None:
        async with self.unit_of_work.begin(app_uuid) as tx:
            before = await tx.checkout.lock(session_uuid)
            now = self.clock.now()
            wait = max(TRY_AGAIN, (now - before.session.expires_at) / 4)
            later = replace(before.session, due_at=now + wait)
            await tx.checkout.save(before, replace(before, session=later))
