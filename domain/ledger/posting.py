"""A posting: one money fact in the books, all accounts side by side.

Its amounts add up to zero, or it cannot be made. It is written once and never changed: what turns
out otherwise is posted again the other way round. Which fact moves which account: rules.py.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import TenantUuid
from domain.kernel.money import Currency


class Account(StrEnum):
    """Amounts are debit positive, credit negative."""

    RECEIVABLE = "receivable"
    """What tenants owe."""
    CASH = "cash"
    """What payment providers hold for the app."""
    REVENUE = "revenue"
    TAX = "tax"
    """What is owed to the state."""
    REFUNDS = "refunds"
    """Net amounts given back: what they take from revenue."""
    CHARGEBACKS = "chargebacks"
    """What banks took back, and nobody has made good."""
    WRITE_OFFS = "write_offs"
    CUSTOMER_BALANCE = "customer_balance"
    """Credit that tenants have with the app."""
    HELD = "held"
    """Money that is not the app's to keep: verification amounts, surplus."""


class PostingKind(StrEnum):
    BILL_ISSUED = "bill.issued"
    SALE_MADE = "sale.made"
    PAYMENT_RECEIVED = "payment.received"
    BILL_VOIDED = "bill.voided"
    BILL_WRITTEN_OFF = "bill.written_off"
    BALANCE_GRANTED = "balance.granted"
    BALANCE_APPLIED = "balance.applied"
    REFUND_MADE = "refund.made"
    REFUND_FAILED = "refund.failed"
    CHARGEBACK_RECEIVED = "chargeback.received"
    CHARGEBACK_REVERSED = "chargeback.reversed"
    BILL_REOPENED = "bill.reopened"


class Posting(Struct, frozen=True, kw_only=True):
    kind: PostingKind
    source_uuid: UUID
    """The row that it is about: one posting for each kind and row, however often it is told."""
    tenant_uuid: TenantUuid
    currency: Currency
    amounts: Mapping[Account, int]
    """Minor units of the accounts that it moves, never zero."""
    happened_at: datetime
    """In business time."""
    facts: Mapping[str, str] = {}
    """Ids that help a reader, by public name: `paymentUuid`. Never names or addresses."""

    def __post_init__(self) -> None:
        assert sum(self.amounts.values()) == 0, (self.kind, self.amounts)
        assert all(self.amounts.values()), (self.kind, self.amounts)

    def on(self, account: Account) -> int:
        return self.amounts.get(account, 0)


class RecordedPosting(Struct, frozen=True, kw_only=True):
    """A posting in the books."""

    id: int
    """Grows with every posting of the database; says nothing about how many an app has."""
    uuid: UUID
    recorded_at: datetime
    """In real time, by the database's clock."""
    posting: Posting
