"""A subscription: its life as a table, what its customer wished, and what was paid.

Payments move it between active, collecting and past due. Only wishes, and what an app's policy says
of debts, move it out of there: a payment never takes back a pause or a cancellation.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct

from domain.catalog.quote import Quote
from domain.kernel.errors import Conflict
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.subscriptions.bill import PlanChange


class SubscriptionStatus(StrEnum):
    INCOMPLETE = "incomplete"
    """Its first charge is not paid yet."""
    TRIALING = "trialing"
    ACTIVE = "active"
    COLLECTING = "collecting"
    """A charge is sent, and its outcome not known: with a direct debit that takes days."""
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELED = "canceled"
    EXPIRED = "expired"
    """It never came to be paid."""


_S = SubscriptionStatus
_LIVING: Final = frozenset({_S.ACTIVE, _S.COLLECTING, _S.PAST_DUE, _S.PAUSED, _S.CANCELED})

MOVES: Final[Mapping[SubscriptionStatus, frozenset[SubscriptionStatus]]] = {
    _S.INCOMPLETE: frozenset({_S.ACTIVE, _S.CANCELED, _S.EXPIRED}),
    _S.TRIALING: _LIVING - {_S.PAUSED} | {_S.EXPIRED},
    _S.ACTIVE: _LIVING - {_S.ACTIVE},
    _S.COLLECTING: _LIVING - {_S.COLLECTING},
    _S.PAST_DUE: _LIVING - {_S.PAST_DUE},
    _S.PAUSED: _LIVING - {_S.PAUSED},
    _S.CANCELED: frozenset(),
    _S.EXPIRED: frozenset(),
}

ENDED: Final = frozenset({_S.CANCELED, _S.EXPIRED})


class IllegalSubscriptionMove(Conflict):
    """Asked for something that the subscription's state does not allow."""

    code = "illegal_subscription_move"

    def __init__(self, old: SubscriptionStatus, new: SubscriptionStatus) -> None:
        super().__init__(f"the subscription is {old}; it cannot become {new}")


class PauseReason(StrEnum):
    REQUESTED = "requested"
    UNPAID = "unpaid"
    CHARGEBACK = "chargeback"


class PeriodKind(StrEnum):
    BILLED = "billed"
    TRIAL = "trial"
    SKIPPED = "skipped"
    """Long past when its time came to be billed, and not billed by the app's policy."""


class Period(Struct, frozen=True, kw_only=True):
    number: int
    """Counted from 1; a trial is number 0."""
    kind: PeriodKind = PeriodKind.BILLED
    starts_at: datetime
    ends_at: datetime
    bill_uuid: UUID | None = None
    payment_uuid: UUID | None = None
    """The payment that settled its bill."""
    amount: Quote
    """What the whole of it is worth, as paid for: its bill, and what changes have added since."""


class Subscription(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    tenant_uuid: TenantUuid
    user_uuid: UserUuid | None
    payment_provider_uuid: UUID
    checkout_session_uuid: UUID | None = None
    """The checkout that it came from, if it came from one."""
    mandate_uuid: UUID | None = None
    """What it is charged on. None: the tenant's default, or else its newest valid one."""
    product_uuid: UUID
    price_uuid: UUID
    tax_rate_uuid: UUID | None
    tax_id_country: str | None = None
    """ISO 3166; None: the tenant gave no tax id. In another member state it owes the tax itself."""
    quantity: int
    status: SubscriptionStatus
    anchor_at: datetime
    """Where the period `anchor_number` starts; every boundary is counted from it."""
    anchor_number: int = 1
    current_period: Period
    trial_ends_at: datetime | None = None
    paid_through: datetime | None = None
    cancel_at: datetime | None = None
    cancel_reason: str | None = None
    canceled_at: datetime | None = None
    paused_at: datetime | None = None
    pause_reason: PauseReason | None = None
    resumes_at: datetime | None = None
    scheduled_change: PlanChange | None = None
    """Takes effect when the next period begins."""
    test_clock_uuid: UUID | None = None
    version: int = 1
    """Grows with every change to what is billed: an offer made for another one does not hold."""
    due_at: datetime | None = None
    """When there is something to do next, in business time. None: nothing, until told."""
    created_at: datetime
    updated_at: datetime

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


class HistoryRow(Struct, frozen=True, kw_only=True):
    """One move, in business time."""

    old_status: SubscriptionStatus | None
    new_status: SubscriptionStatus
    reason: str
    at: datetime


def access_until(subscription: Subscription, grace: timedelta) -> datetime | None:
    """Until when the tenant is served. None: not at all. The one question an app need ask.

    A subscription that renews by itself has `grace` on top of what is paid, so that access does
    not end between a period's last second and the charge for the next.
    """
    reach = _reach(subscription, grace)
    if reach is None or subscription.cancel_at is None:
        return reach
    return min(reach, subscription.cancel_at)


def _reach(subscription: Subscription, grace: timedelta) -> datetime | None:
    paid = subscription.paid_through
    match subscription.status:
        case _S.INCOMPLETE | _S.EXPIRED:
            return None
        case _S.TRIALING:
            return subscription.trial_ends_at
        case _S.ACTIVE | _S.PAST_DUE:
            return paid + grace if paid else subscription.current_period.starts_at + grace
        case _S.COLLECTING:
            return max(subscription.current_period.ends_at, paid or subscription.anchor_at)
        case _S.PAUSED:
            wished = subscription.pause_reason is PauseReason.REQUESTED
            return paid if wished else subscription.paused_at
        case _S.CANCELED:
            return subscription.canceled_at
