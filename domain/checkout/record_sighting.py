"""Writes a sighting of a payment into its session's book, and hands over what was bought."""

from dataclasses import dataclass
from uuid import UUID

from domain.checkout.book import Settled, Sighting, settle
from domain.checkout.ports import CheckoutTx, Purchases
from domain.kernel.ids import Ids


@dataclass(frozen=True, slots=True)
class RecordSighting:
    """Inside the caller's transaction. The session's lock puts all sightings in a row, so every
    effect happens at most once, in whatever order and however often they come."""

    purchases: Purchases
    ids: Ids

    async def __call__(self, tx: CheckoutTx, session_uuid: UUID, sighting: Sighting) -> Settled:
        before = await tx.checkout.lock(session_uuid)
        settled = settle(before, sighting, ids=self.ids)
        await tx.checkout.save(before, settled.book)
        events = list(settled.events)
        if settled.sale is not None:
            events += await self.purchases.deliver(tx, settled.sale)
        await tx.outbox.append(*events)
        return settled
