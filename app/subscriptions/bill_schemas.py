"""What a subscription leaves behind, as it is shown: bills, periods, and its history."""

from uuid import UUID

from msgspec import Struct

from app.http.envelope import Timestamp, maybe_stamp, stamp
from app.subscriptions.changes_schemas import LineView, line_view
from domain.subscriptions.bill import Bill
from domain.subscriptions.subscription import HistoryRow, Period


class BillView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Its lines add up to the whole; what is open is still to be paid."""

    uuid: UUID
    subscription_uuid: UUID
    tenant_uuid: UUID
    kind: str
    period_number: int | None
    status: str
    currency: str
    amount_subtotal: int
    amount_tax: int
    amount_total: int
    balance_applied: int
    """As much of it as the tenant's credit has paid."""
    amount_open: int
    lines: list[LineView]
    tries: int
    next_try_at: Timestamp | None
    failure_reason: str | None
    payment_uuid: UUID | None
    issued_at: Timestamp
    closed_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp


def bill_view(bill: Bill) -> BillView:
    return BillView(
        uuid=bill.uuid,
        subscription_uuid=bill.subscription_uuid,
        tenant_uuid=bill.tenant_uuid,
        kind=bill.kind,
        period_number=bill.period_number,
        status=bill.status,
        currency=bill.amount.total.currency,
        amount_subtotal=bill.amount.subtotal.minor,
        amount_tax=bill.amount.tax.minor,
        amount_total=bill.amount.total.minor,
        balance_applied=bill.balance_applied.minor,
        amount_open=bill.open.minor,
        lines=[line_view(line) for line in bill.lines],
        tries=bill.tries,
        next_try_at=maybe_stamp(bill.next_try_at),
        failure_reason=bill.failure_reason,
        payment_uuid=bill.payment_uuid,
        issued_at=stamp(bill.issued_at),
        closed_at=maybe_stamp(bill.closed_at),
        created_at=stamp(bill.created_at),
        updated_at=stamp(bill.updated_at),
    )


class PeriodView(Struct, frozen=True, kw_only=True, rename="camel"):
    """It begins at `startsAt` and ends before `endsAt`. What is paid is told by its bill."""

    number: int
    kind: str
    starts_at: Timestamp
    ends_at: Timestamp
    bill_uuid: UUID | None
    payment_uuid: UUID | None
    currency: str
    amount_subtotal: int
    amount_tax: int
    amount_total: int


def period_view(period: Period) -> PeriodView:
    return PeriodView(
        number=period.number,
        kind=period.kind,
        starts_at=stamp(period.starts_at),
        ends_at=stamp(period.ends_at),
        bill_uuid=period.bill_uuid,
        payment_uuid=period.payment_uuid,
        currency=period.amount.total.currency,
        amount_subtotal=period.amount.subtotal.minor,
        amount_tax=period.amount.tax.minor,
        amount_total=period.amount.total.minor,
    )


class HistoryView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One move from a state to another."""

    old_status: str | None
    """Null: it began."""
    new_status: str
    reason: str
    at: Timestamp


def history_view(row: HistoryRow) -> HistoryView:
    return HistoryView(
        old_status=row.old_status,
        new_status=row.new_status,
        reason=row.reason,
        at=stamp(row.at),
    )
