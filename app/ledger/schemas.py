"""Views of the ledger. An amount is in minor units of the currency beside it, debit positive."""

from uuid import UUID

from msgspec import Struct

from app.http.envelope import Timestamp, stamp
from domain.kernel.ids import AppUuid
from domain.ledger.ports import Balance
from domain.ledger.posting import Account, PostingKind, RecordedPosting


class LedgerEntryView(Struct, frozen=True, kw_only=True, rename="camel"):
    account: Account
    amount: int


class PostingView(Struct, frozen=True, kw_only=True, rename="camel"):
    id: int
    uuid: UUID
    app_uuid: UUID
    tenant_uuid: UUID
    kind: PostingKind
    source_uuid: UUID
    currency: str
    entries: list[LedgerEntryView]
    facts: dict[str, str]
    happened_at: Timestamp
    recorded_at: Timestamp


def posting_view(row: RecordedPosting, app_uuid: AppUuid) -> PostingView:
    posting = row.posting
    return PostingView(
        id=row.id,
        uuid=row.uuid,
        app_uuid=app_uuid,
        tenant_uuid=posting.tenant_uuid,
        kind=posting.kind,
        source_uuid=posting.source_uuid,
        currency=posting.currency,
        entries=[
            LedgerEntryView(account=account, amount=posting.amounts[account])
            for account in Account
            if account in posting.amounts
        ],
        facts=dict(posting.facts),
        happened_at=stamp(posting.happened_at),
        recorded_at=stamp(row.recorded_at),
    )


class LedgerBalanceView(Struct, frozen=True, kw_only=True, rename="camel"):
    currency: str
    accounts: list[LedgerEntryView]


def balance_view(balance: Balance) -> LedgerBalanceView:
    return LedgerBalanceView(
        currency=balance.currency,
        accounts=[
            LedgerEntryView(account=account, amount=amount)
            for account, amount in balance.amounts.items()
        ],
    )
