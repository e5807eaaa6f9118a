"""What this sandbox holds of KOMOJU's world, as frozen records."""

from datetime import datetime
from typing import Any

from msgspec import field

from app.sandbox import record
from app.sandbox.record import Record


class Session(Record, frozen=True, kw_only=True):
    mode: str
    amount: int
    currency: str
    expires_at: datetime  # never shown: KOMOJU only says whether a pending one is over
    default_locale: str
    status: str = "pending"
    return_url: str | None = None
    email: str | None = None
    external_customer_id: str | None = None
    payment_types: tuple[str, ...] = ()
    line_items: list[dict[str, Any]] | None = None
    payment_data: dict[str, Any] | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    customer_id: str | None = None
    payment_id: str | None = None
    cancelled_at: datetime | None = None
    completed_at: datetime | None = None

    def is_expired(self, at: datetime) -> bool:
        return self.status == "pending" and at >= self.expires_at

    @property
    def parents(self) -> tuple[str, ...]:
        return () if self.customer_id is None else (self.customer_id,)


class Payment(Record, frozen=True, kw_only=True):
    amount: int  # before tax
    currency: str
    status: str
    method: str
    details: dict[str, Any]
    tax: int = 0
    fee: int = 0  # what the method costs the shopper on top
    session_id: str | None = None
    customer_id: str | None = None
    description: str | None = None
    external_order_num: str | None = None
    locale: str | None = None
    mcc: str | None = None
    statement_descriptor: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    is_manual: bool = False  # the shop captures it
    deadline: datetime | None = None
    captured_at: datetime | None = None

    @property
    def total(self) -> int:
        return self.amount + self.tax + self.fee

    @property
    def due_at(self) -> datetime | None:
        return self.deadline if self.status == "authorized" else None

    @property
    def parents(self) -> tuple[str, ...]:
        return tuple(id for id in (self.session_id, self.customer_id) if id)


class Refund(Record, frozen=True, kw_only=True):
    payment_id: str
    amount: int
    currency: str
    description: str | None = None
    is_chargeback: bool = False

    @property
    def parents(self) -> tuple[str, ...]:
        return (self.payment_id,)


class Customer(Record, frozen=True, kw_only=True):
    email: str | None = None
    source: dict[str, Any] | None = None  # None: cannot be charged
    metadata: dict[str, str] = field(default_factory=dict)
    deleted_at: datetime | None = None


class Event(Record, frozen=True, kw_only=True):
    type: str
    about: str  # the id of the payment or customer
    data: dict[str, Any]  # as it was at that moment

    @property
    def parents(self) -> tuple[str, ...]:
        return (self.about,)


class Hook(Record, frozen=True, kw_only=True):
    """A webhook as KOMOJU's dashboard would have it."""

    url: str
    secret: str
    events: tuple[str, ...] = ()  # empty: all of them
    deleted_at: datetime | None = None


class Delivery(record.Delivery, frozen=True, kw_only=True):
    """One event to one hook; the bytes are fixed when it is made, as is their signature."""

    event_id: str
    body: bytes
    signature: str
    is_held: bool = False  # until a later one has overtaken it
    releases: str | None = None  # the delivery that waits for this one, to arrive after it
