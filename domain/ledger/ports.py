"""Where postings are kept: added and read, never changed and never removed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import TenantUuid
from domain.kernel.money import Currency
from domain.kernel.pages import Page
from domain.ledger.posting import Account, Posting, PostingKind, RecordedPosting


class PostingQuery(Struct, frozen=True, kw_only=True):
    """Which postings; None: whatever it is. `since` is included, `until` is not."""

    tenant_uuid: TenantUuid | None = None
    account: Account | None = None
    """Those that move this account."""
    kind: PostingKind | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: UUID | None = None
    """Those recorded after this one."""
    limit: int = 10


class Balance(Struct, frozen=True, kw_only=True):
    """What stands on every account, in one currency. Adds up to zero."""

    currency: Currency
    amounts: Mapping[Account, int]


class Ledger(Protocol):
    async def append(self, *postings: Posting) -> None:
        """Take in what is new. A fact that is posted already stays as it was posted the first
        time; a posting that moves nothing is left out."""
        ...

    async def get(self, uuid: UUID, *, only: frozenset[TenantUuid] | None) -> RecordedPosting:
        """Raises NotFound, also when it is of none of these tenants. None: of any."""
        ...

    async def of(self, *source_uuids: UUID) -> tuple[Posting, ...]:
        """All that was posted about these rows, the oldest first."""
        ...

    async def list(self, query: PostingQuery) -> Page[RecordedPosting]:
        """The oldest first. With `after` the total is not counted (0).

        Raises NotFound when there is no posting `after`, of this tenant if one is named.
        """
        ...

    async def balances(
        self, *, tenant_uuid: TenantUuid | None, at: datetime | None
    ) -> tuple[Balance, ...]:
        """By currency, counting what happened at `at` or before. None: everything."""
        ...


class LedgerTx(Protocol):
    """The part of a transaction that posts."""

    @property
    def ledger(self) -> Ledger: ...
