"""A payment session: an order of an app's, to be paid at whichever account suits it best.

Its tries are checkout sessions, each at one account; one of them is live, the others are given up
before anybody has learned where to pay. How it stands follows from the live one and its payment,
and is written down nowhere else.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from domain.catalog.quote import Quote
from domain.checkout.session import SessionStatus
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.kernel.money import Money
from domain.orchestration.decision import Decision
from domain.payments.address import Address
from domain.payments.payment_details import PaymentDetails, PaymentLine
from domain.payments.payment_provider import PaymentProvider, ProviderName

SESSION_LIFETIME: Final = timedelta(hours=1)
ORDER_CHARS_MAX: Final = 200


class Item(Struct, frozen=True, kw_only=True):
    """Prices are without tax."""

    name: str
    quantity: int
    unit_price: Money


class Wanted(Struct, frozen=True, kw_only=True):
    """What an app asks for. `items`, `shipping` and the tax add up to the total, to the cent."""

    tenant_uuid: TenantUuid | None
    """None: the caller's only one."""
    order_reference: str
    payment_method: str
    locale: str | None
    amount: Quote
    shipping: Money
    items: tuple[Item, ...] = ()
    billing: Address | None = None
    delivery: Address | None = None
    success_url: str
    failure_url: str
    notes: Mapping[str, Any] = {}
    """What the app wants to find again: how it ships, and anything of its own."""
    pinned: UUID | None = None
    provider: ProviderName | None = None
    lifetime: timedelta = SESSION_LIFETIME

    @property
    def details(self) -> PaymentDetails:
        return PaymentDetails(billing=self.billing, shipping=self.delivery, lines=self._lines())

    def _lines(self) -> tuple[PaymentLine, ...]:
        items = self.items
        if not items:
            goods = self.amount.subtotal - self.shipping
            items = (Item(name=f"Order {self.order_reference}", quantity=1, unit_price=goods),)
        extras = (("Shipping", self.shipping), ("Tax", self.amount.tax))
        items += tuple(Item(name=n, quantity=1, unit_price=m) for n, m in extras)
        nothing = Money(0, self.amount.total.currency)
        return tuple(
            PaymentLine(
                description=item.name,
                quantity=item.quantity,
                unit_price=item.unit_price,
                tax=nothing,
                tax_rate=None,
            )
            for item in items
            if item.unit_price.minor  # what is free is no line of a bill
        )


class PaymentSession(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    tenant_uuid: TenantUuid
    user_uuid: UserUuid | None
    order_reference: str
    amount: Quote
    shipping: Money
    notes: Mapping[str, Any]
    expires_at: datetime
    created_at: datetime


class TryState(StrEnum):
    LIVE = "live"
    ABANDONED = "abandoned"
    """Given up for another account: its checkout session has expired and sells nothing."""


class Try(Struct, frozen=True, kw_only=True):
    """One try to get a payment page. Its uuid is the key under which its checkout is opened."""

    uuid: UUID
    number: int
    account: PaymentProvider
    state: TryState = TryState.LIVE
    is_probe: bool = False
    failure: str | None = None
    """Why it was abandoned."""
    created_at: datetime


class Undertaking(Struct, frozen=True, kw_only=True):
    """A session with what it takes to carry it on."""

    session: PaymentSession
    decision: Decision
    live: Try


class Status(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


class Outcome(Struct, frozen=True, kw_only=True):
    """What has become of the live try, read from its checkout session and payment."""

    checkout_uuid: UUID | None = None
    """None: nobody knows yet whether there will be one."""
    failure: str | None = None
    """Why there will be none."""
    checkout_status: SessionStatus | None = None
    checkout_url: str | None = None
    payment_uuid: UUID | None = None
    """Of the payment that paid it."""
    paid_minor: int = 0
    refunded_minor: int = 0


_S = SessionStatus
_UNPAID: Final[Mapping[SessionStatus, Status]] = {
    _S.OPEN: Status.PENDING,
    _S.PROCESSING: Status.PROCESSING,
    _S.COMPLETE: Status.SUCCEEDED,
    _S.EXPIRED: Status.EXPIRED,
    _S.FAILED: Status.FAILED,
}


def status_of(session: PaymentSession, outcome: Outcome, *, at: datetime) -> Status:
    if outcome.checkout_status is None and outcome.failure is not None:
        return Status.FAILED
    if outcome.checkout_status is None:
        return Status.PENDING if at < session.expires_at else Status.EXPIRED
    status = _UNPAID[outcome.checkout_status]
    if status is not Status.SUCCEEDED or not outcome.refunded_minor:
        return status
    is_all = outcome.refunded_minor >= outcome.paid_minor
    return Status.REFUNDED if is_all else Status.PARTIALLY_REFUNDED


class Told(Struct, frozen=True, kw_only=True):
    """A session as it is told: with its state, and where it was led."""

    session: PaymentSession
    decision: Decision
    account_uuid: UUID
    """Where its live try is."""
    outcome: Outcome = Outcome()
