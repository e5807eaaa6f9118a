"""A bill: what a tenant owes for a period or a change of a subscription, and how much is open.

A period has one bill, for ever. What is open on bills is exactly what the ledger calls receivable.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.money import Money


class BillKind(StrEnum):
    PERIOD = "period"
    CHANGE = "change"
    """Of a change that takes effect when it is paid, and never otherwise."""


class BillStatus(StrEnum):
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    """Nobody owes it any more; as far as it was not paid, it never was revenue."""
    UNCOLLECTIBLE = "uncollectible"
    """Owed, and given up."""


class Sold(Struct, frozen=True):
    """Of what a line is so many. The subscription may have gone over to another price since."""

    product_uuid: UUID
    price_uuid: UUID
    tax_rate_uuid: UUID | None


class Line(Struct, frozen=True, kw_only=True):
    """A part of a bill. Credits are negative; the lines add up to the bill."""

    description: str
    sold: Sold | None = None
    """None: a credit; or the bill is of a time when lines did not say it."""
    quantity: int
    subtotal_minor: int
    tax_minor: int
    total_minor: int
    starts_at: datetime
    ends_at: datetime


class PlanChange(Struct, frozen=True, kw_only=True):
    """Another price, quantity or tax rate, to take effect."""

    price_uuid: UUID
    product_uuid: UUID
    tax_rate_uuid: UUID | None
    quantity: int
    restarts_at: datetime | None = None
    """A new period begins here, and the calendar counts from it. None: the period goes on."""
    is_settled: bool = False
    """The rest of the period that goes on has been credited and charged: what it is worth from now
    on is the new price."""


class Bill(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    subscription_uuid: UUID
    tenant_uuid: TenantUuid
    payment_provider_uuid: UUID
    kind: BillKind
    period_number: int | None = None
    status: BillStatus = BillStatus.OPEN
    lines: tuple[Line, ...]
    amount: Quote
    balance_applied: Money
    """As much of it as the tenant's credit has paid."""
    open: Money
    """As much of it as is still to be paid."""
    change: PlanChange | None = None
    tries: int = 0
    """How often a charge for it has failed."""
    first_failed_at: datetime | None = None
    next_try_at: datetime | None = None
    failure_reason: str | None = None
    payment_uuid: UUID | None = None
    """The payment that settled it."""
    chargeback_uuid: UUID | None = None
    """The chargeback that opened it again; kept when it is paid again, in case the bank gives the
    first payment back after all."""
    issued_at: datetime
    """In business time, like all but the last two."""
    closed_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def is_open(self) -> bool:
        return self.status is BillStatus.OPEN

    @property
    def is_of_change(self) -> bool:
        """Of a change that waits until it is paid. What was paid once, and taken back by a bank,
        is owed like any other bill."""
        return self.kind is BillKind.CHANGE and self.chargeback_uuid is None


def closed(bill: Bill, status: BillStatus, *, at: datetime) -> Bill:
    nothing = Money(0, bill.open.currency)
    return replace(bill, status=status, open=nothing, next_try_at=None, closed_at=at)


def reopened(bill: Bill, amount: Money, chargeback_uuid: UUID) -> Bill:
    """A bank took its payment back: so much is owed again."""
    return replace(
        bill,
        status=BillStatus.OPEN,
        open=amount,
        chargeback_uuid=chargeback_uuid,
        tries=0,
        first_failed_at=None,
        next_try_at=None,
        closed_at=None,
    )
