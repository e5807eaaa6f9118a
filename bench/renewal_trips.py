"""How many round trips does a renewal make? Counted as in round_trips.py: on the wire, untimed.

Two halves: a worker charges, and later the webhook's reader takes in that it is paid.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from app.parts import Parts
from app.settings import Settings
from bench.due_rows import make_due
from bench.errand import Errand, serve_errands
from bench.relay import Journal, watched_database, watched_provider
from bench.round_trips import WARM_UP, Count
from domain.kernel.ids import AppUuid

NEEDED: Final = WARM_UP + 1
"""Due subscriptions for one count."""


class Seen(Struct, frozen=True):
    """A charge, by what the provider calls it."""

    account_uuid: UUID
    ref: str


class RenewalCounter:
    """Makes renewals in process, and has the journal of what each of them did."""

    def __init__(self, parts: Parts, journal: Journal, app_uuid: AppUuid) -> None:
        self._parts, self._journal, self._app_uuid = parts, journal, app_uuid

    async def charge(self, due: Sequence[UUID]) -> Count:
        """Of the last; those before it are for warming up."""
        advance = self._parts.advance()
        for uuid in due:
            self._journal.clear()
            assert await advance(self._app_uuid, uuid) is None
        return Count.of(self._journal)

    async def settle(self, charges: Sequence[Seen]) -> Count:
        """The same for charges that the bank has decided about."""
        for charge in charges:
            self._journal.clear()
            seen = await self._parts.observe(self._app_uuid, charge.account_uuid, charge.ref)
            assert seen is not None, charge
        return Count.of(self._journal)


@asynccontextmanager
async def renewal_counter(settings: Settings, app_uuid: AppUuid) -> AsyncIterator[RenewalCounter]:
    journal: Journal = []
    async with (
        watched_database(settings.database_url, journal) as database_url,
        watched_provider(settings.mollie_url, journal) as mollie_url,
    ):
        watched = replace(
            settings, database_url=database_url, mollie_url=mollie_url, database_pool_size=1
        )
        parts = Parts(watched)
        async with parts.open():
            yield RenewalCounter(parts, journal, app_uuid)


class TripsErrand(Errand, frozen=True, kw_only=True):
    """Of a charge. Whoever asks has a subscription to copy, and no worker running."""

    settings: Settings
    app_uuid: UUID

    async def run(self) -> Count:
        owner = await asyncpg.connect(self.settings.database_url)
        try:
            await make_due(owner, self.app_uuid, NEEDED)
            due = await owner.fetch("select uuid from subscriptions where due_at <= now()")
        finally:
            await owner.close()
        async with renewal_counter(self.settings, AppUuid(self.app_uuid)) as counting:
            return await counting.charge([row["uuid"] for row in due])


if __name__ == "__main__":
    serve_errands(TripsErrand)
