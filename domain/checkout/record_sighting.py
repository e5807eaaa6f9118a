"""Writes a sighting of a payment into its session's book, and hands over what was bought."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from domain.checkout.book import Book, Settled, settle
from domain.checkout.ports import CheckoutTx, Purchases
from domain.checkout.session import SessionStatus
from domain.kernel.events import Event
from domain.kernel.ids import Ids
from domain.kernel.money import Money
from domain.payments.payment import Payment
from domain.payments.postings import fallen_through
from domain.payments.sighting import Sighting


@dataclass(frozen=True, slots=True)
class RecordSighting:
    """Inside the caller's transaction. The session's lock puts all sightings in a row, so every
    effect happens at most once, in whatever order and however often they come."""

    purchases: Purchases
    ids: Ids

    async def __call__(
        self, tx: CheckoutTx, session_uuid: UUID, sighting: Sighting
    ) -> Payment | None:
        settled = await self.settle(tx, session_uuid, sighting)
        return settled.book.payment_in(sighting)

    async def is_wanted(self, tx: CheckoutTx, session_uuid: UUID) -> bool:
        session = (await tx.checkout.get(session_uuid)).session
        return session.status in (SessionStatus.OPEN, SessionStatus.PROCESSING)

    async def settle(self, tx: CheckoutTx, session_uuid: UUID, sighting: Sighting) -> Settled:
        before = await tx.checkout.lock(session_uuid)
        owed: Mapping[UUID, Money] = {}
        known = before.payment_in(sighting)
        if known is not None and sighting.chargebacks:
            owed = await self.purchases.owed_again(tx, known.uuid)
        settled = settle(before, sighting, ids=self.ids, owed_again=owed)
        await tx.checkout.save(before, settled.book)
        await tx.ledger.append(*settled.postings)
        if known is not None:
            files = before.file_of(known), settled.book.file_of(known)
            await tx.ledger.append(*await fallen_through(tx.ledger, *files, at=sighting.at))
        await tx.outbox.append(*settled.events)
        await tx.outbox.append(*await self._handed_over(tx, before, settled, sighting))
        return settled

    async def _handed_over(
        self, tx: CheckoutTx, before: Book, settled: Settled, sighting: Sighting
    ) -> list[Event]:
        events: list[Event] = []
        if settled.sale is not None:
            events += await self.purchases.deliver(tx, settled.sale)
        payment = settled.book.payment_in(sighting)
        if payment is None or not sighting.chargebacks:
            return events
        file = settled.book.file_of(payment)
        known = before.file_of(payment)
        if file.chargebacks != known.chargebacks:
            events += await self.purchases.charged_back(tx, known, file, at=sighting.at)
        return events
