"""Saves what a pen has written: book, charge, events, postings, history, in one transaction.

A charge becomes an attempt here, committed with all the rest before anybody asks the provider.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from domain.checkout.links import Links
from domain.kernel.ids import Ids
from domain.payments.answers import SequenceType
from domain.payments.attempt import PaymentAttempt
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewPayment, Providers
from domain.subscriptions.advance import next_deed
from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.pen import Charge, Pen
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.start import Grounds

NOBODY_HOLDS_IT: Final = timedelta(0)
"""A worker takes the attempt up at once."""


@dataclass(frozen=True, slots=True)
class WriteBook:
    providers: Providers
    links: Links
    ids: Ids

    async def save(
        self,
        tx: SubscriptionsTx,
        before: SubscriptionBook,
        pen: Pen,
        *,
        lease: timedelta = NOBODY_HOLDS_IT,
    ) -> tuple[PaymentProvider, PaymentAttempt] | None:
        """The charge to be asked for now, by whoever holds the lease, if there is one."""
        drafted = await self._draft(tx, pen, lease)
        pen.book = with_due(pen.book)
        await tx.subscriptions.save(before, pen.book, pen.history)
        await self._tell(tx, pen)
        return drafted

    async def add(
        self,
        tx: SubscriptionsTx,
        grounds: Grounds,
        pen: Pen,
        *,
        lease: timedelta = NOBODY_HOLDS_IT,
    ) -> tuple[PaymentProvider, PaymentAttempt] | None:
        """A new subscription."""
        drafted = await self._draft(tx, pen, lease)
        pen.book = with_due(pen.book)
        await tx.subscriptions.add(pen.book, pen.history, opening_balance=grounds.balance)
        await self._tell(tx, pen)
        return drafted

    async def _draft(
        self, tx: SubscriptionsTx, pen: Pen, lease: timedelta
    ) -> tuple[PaymentProvider, PaymentAttempt] | None:
        if pen.charge is None:
            return None
        account_uuid = pen.subscription.payment_provider_uuid
        account = await tx.payment_providers.get(account_uuid)
        attempt = self._attempt(pen, pen.charge, account, lease)
        pen.book = pen.book.with_attempt(attempt)
        return account, attempt

    def _attempt(
        self, pen: Pen, charge: Charge, account: PaymentProvider, lease: timedelta
    ) -> PaymentAttempt:
        uuid, at, bill = self.ids.new(), pen.real_now, charge.bill
        request = self.providers[account.name].payments.render(
            NewPayment(
                attempt_uuid=uuid,
                app_uuid=bill.app_uuid,
                bill_uuid=bill.uuid,
                amount=charge.amount,
                description=_description(pen, charge),
                sequence_type=SequenceType.RECURRING,
                customer_ref=charge.mandate.customer_ref,
                mandate_ref=charge.mandate.provider_ref,
                webhook_url=self.links.webhook(account.name, account.uuid),
            )
        )
        return PaymentAttempt(
            uuid=uuid,
            app_uuid=bill.app_uuid,
            bill_uuid=bill.uuid,
            number=len(pen.book.attempts_of(bill)) + 1,
            payment_provider_uuid=account.uuid,
            tenant_uuid=bill.tenant_uuid,
            request=request,
            first_submitted_at=at,
            lease_until=at + lease,
            due_at=at + lease,
            created_at=at,
            updated_at=at,
        )

    async def _tell(self, tx: SubscriptionsTx, pen: Pen) -> None:
        await tx.ledger.append(*pen.postings)
        await tx.outbox.append(*pen.events)
        clock_uuid, due_at = pen.subscription.test_clock_uuid, pen.subscription.due_at
        if clock_uuid is not None and due_at is not None:
            await tx.test_clocks.wake(clock_uuid, due_at=due_at, at=pen.real_now)


def with_due(book: SubscriptionBook) -> SubscriptionBook:
    """When to look at it next follows from what is in the book, and from nothing else."""
    found = next_deed(book)
    due_at = None if found is None else found[0]
    if due_at == book.subscription.due_at:
        return book
    return replace(book, subscription=replace(book.subscription, due_at=due_at))


def _description(pen: Pen, charge: Charge) -> str:
    """What the payer reads on the statement: what, and for which days."""
    line = charge.bill.lines[-1]
    zone = pen.book.zone
    days = (moment.astimezone(zone).date() for moment in (line.starts_at, line.ends_at))
    return f"{line.description}, {' to '.join(day.isoformat() for day in days)}"
