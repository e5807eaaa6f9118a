"""The ledger: postings are inserted and read. The role could not change one if it tried."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid, Ids, TenantUuid
from domain.kernel.money import Currency
from domain.kernel.pages import Page
from domain.ledger.ports import Balance, PostingQuery
from domain.ledger.posting import Account, Posting, PostingKind, RecordedPosting
from infrastructure.postgres.database import Connection

ACCOUNTS: Final = ", ".join(Account)
"""Each account is a column of its own name."""
_POSTING: Final = (
    f"kind, source_uuid, tenant_uuid, currency, {ACCOUNTS}, facts, happened_at, recorded_at, "
    "id, uuid"
)
_SUMS: Final = ", ".join(f"sum({account}) as {account}" for account in Account)

# $1 is the app; an account that is not asked for is null.
_MATCHES: Final = f"""
    app_uuid = $1
    and ($2::uuid is null or tenant_uuid = $2)
    and ($3::text is null or case $3
         {" ".join(f"when '{account}' then {account} <> 0" for account in Account)} end)
    and ($4::text is null or kind = $4)
    and ($5::timestamptz is null or happened_at >= $5)
    and ($6::timestamptz is null or happened_at < $6)
"""


class PostgresLedger:
    def __init__(self, connection: Connection, app_uuid: AppUuid, ids: Ids) -> None:
        self._connection, self._app_uuid, self._ids = connection, app_uuid, ids

    async def append(self, *postings: Posting) -> None:
        moving = [posting for posting in postings if posting.amounts]
        if not moving:
            return
        await self._connection.executemany(
            f"""
            insert into ledger_postings (app_uuid, uuid, kind, source_uuid, tenant_uuid, currency,
                   facts, happened_at, {ACCOUNTS})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
            on conflict on constraint ledger_postings_fact_key do nothing
            """,
            [(self._app_uuid, self._ids.new(), *_values(posting)) for posting in moving],
        )

    async def get(self, uuid: UUID, *, only: frozenset[TenantUuid] | None) -> RecordedPosting:
        row = await self._connection.fetchrow(
            f"""
            select {_POSTING} from ledger_postings
             where app_uuid = $1 and uuid = $2 and ($3::uuid[] is null or tenant_uuid = any($3))
            """,
            self._app_uuid,
            uuid,
            None if only is None else list(only),
        )
        if row is None:
            raise NotFound("posting", uuid)
        return _recorded(row)

    async def of(self, *source_uuids: UUID) -> tuple[Posting, ...]:
        rows = await self._connection.fetch(
            f"""
            select {_POSTING} from ledger_postings
             where app_uuid = $1 and source_uuid = any($2)
             order by id
            """,
            self._app_uuid,
            list(source_uuids),
        )
        return tuple(_posting(row) for row in rows)

    async def list(self, query: PostingQuery) -> Page[RecordedPosting]:
        wanted = (
            self._app_uuid,
            query.tenant_uuid,
            query.account,
            query.kind,
            query.since,
            query.until,
        )
        after = 0 if query.after is None else await self._id_of(query.after, query.tenant_uuid)
        rows = await self._connection.fetch(
            f"""
            select {_POSTING} from ledger_postings
             where {_MATCHES} and id > $7
             order by id limit $8
            """,
            *wanted,
            after,
            query.limit,
        )
        total = 0
        if query.after is None:
            total = await self._connection.fetchval(
                f"select count(*) from ledger_postings where {_MATCHES}", *wanted
            )
        return Page(tuple(_recorded(row) for row in rows), total)

    async def _id_of(self, uuid: UUID, tenant_uuid: TenantUuid | None) -> int:
        # A cursor of another tenant tells the reader of one tenant's books nothing.
        id: int | None = await self._connection.fetchval(
            """
            select id from ledger_postings
             where app_uuid = $1 and uuid = $2 and ($3::uuid is null or tenant_uuid = $3)
            """,
            self._app_uuid,
            uuid,
            tenant_uuid,
        )
        if id is None:
            raise NotFound("posting", uuid)
        return id

    async def balances(
        self, *, tenant_uuid: TenantUuid | None, at: datetime | None
    ) -> tuple[Balance, ...]:
        rows = await self._connection.fetch(
            f"""
            select currency, {_SUMS} from ledger_postings
             where app_uuid = $1
               and ($2::uuid is null or tenant_uuid = $2)
               and ($3::timestamptz is null or happened_at <= $3)
             group by currency order by currency
            """,
            self._app_uuid,
            tenant_uuid,
            at,
        )
        return tuple(
            Balance(
                currency=Currency(row["currency"]),
                amounts={account: int(row[account]) for account in Account},
            )
            for row in rows
        )


def _values(posting: Posting) -> tuple[object, ...]:
    return (
        posting.kind,
        posting.source_uuid,
        posting.tenant_uuid,
        posting.currency,
        dict(posting.facts),
        posting.happened_at,
        *(posting.on(account) for account in Account),
    )


def _posting(row: Any) -> Posting:
    return Posting(
        kind=PostingKind(row["kind"]),
        source_uuid=row["source_uuid"],
        tenant_uuid=TenantUuid(row["tenant_uuid"]),
        currency=Currency(row["currency"]),
        amounts={account: row[account] for account in Account if row[account]},
        happened_at=row["happened_at"],
        facts=row["facts"],
    )


def _recorded(row: Any) -> RecordedPosting:
    return RecordedPosting(
        id=row["id"], uuid=row["uuid"], recorded_at=row["recorded_at"], posting=_posting(row)
    )
