"""The ledger in memory. tests/contract/test_ledger.py holds it to what PostgreSQL does."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import Page
from domain.ledger.ports import Balance, PostingQuery
from domain.ledger.posting import Account, Posting, RecordedPosting
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds

_IDS: Final = FakeIds(series=13)


class HasPostings(Protocol):
    postings: list[RecordedPosting]


class FakeLedger:
    """`recorded_at` is always noon: there is no database whose clock could tell it."""

    def __init__(self, rows: HasPostings) -> None:
        self._rows = rows

    async def append(self, *postings: Posting) -> None:
        known = {(row.posting.kind, row.posting.source_uuid) for row in self._rows.postings}
        for posting in postings:
            if posting.amounts and (posting.kind, posting.source_uuid) not in known:
                known.add((posting.kind, posting.source_uuid))
                self._rows.postings.append(
                    RecordedPosting(
                        id=len(self._rows.postings) + 1,
                        uuid=_IDS.new(),
                        recorded_at=NOON,
                        posting=posting,
                    )
                )

    async def get(self, uuid: UUID, *, only: frozenset[TenantUuid] | None) -> RecordedPosting:
        for row in self._rows.postings:
            if row.uuid == uuid and (only is None or row.posting.tenant_uuid in only):
                return row
        raise NotFound("posting", uuid)

    async def of(self, *source_uuids: UUID) -> tuple[Posting, ...]:
        return tuple(p for p in self._postings() if p.source_uuid in source_uuids)

    async def list(self, query: PostingQuery) -> Page[RecordedPosting]:
        only = None if query.tenant_uuid is None else frozenset({query.tenant_uuid})
        last = 0 if query.after is None else (await self.get(query.after, only=only)).id
        found = [row for row in self._rows.postings if _matches(row.posting, query)]
        later = [row for row in found if row.id > last]
        return Page(tuple(later[: query.limit]), len(found) if query.after is None else 0)

    async def balances(
        self, *, tenant_uuid: TenantUuid | None, at: datetime | None
    ) -> tuple[Balance, ...]:
        counted = [
            posting
            for posting in self._postings()
            if tenant_uuid in (None, posting.tenant_uuid)
            and (at is None or posting.happened_at <= at)
        ]
        return tuple(
            Balance(
                currency=currency,
                amounts={
                    account: sum(p.on(account) for p in counted if p.currency == currency)
                    for account in Account
                },
            )
            for currency in sorted({posting.currency for posting in counted})
        )

    def _postings(self) -> Iterable[Posting]:
        return [row.posting for row in self._rows.postings]


def _matches(posting: Posting, query: PostingQuery) -> bool:
    return (
        query.tenant_uuid in (None, posting.tenant_uuid)
        and (query.account is None or posting.on(query.account) != 0)
        and query.kind in (None, posting.kind)
        and (query.since is None or posting.happened_at >= query.since)
        and (query.until is None or posting.happened_at < query.until)
    )
