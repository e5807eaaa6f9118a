"""What this sandbox holds of Mollie's world, as frozen records."""

from datetime import date, datetime
from typing import Any, Literal

from msgspec import Struct, field

from app.sandbox import record
from app.sandbox.mollie.money import Amount
from app.sandbox.record import Record

FINAL = frozenset({"paid", "canceled", "expired", "failed"})


class Hold(Struct, frozen=True, kw_only=True):
    """Money that an authorization reserves, and when something happens to it by itself."""

    capture_before: date
    expiry_due: datetime
    capture_due: datetime | None = None  # `captureDelay` is over
    release_due: datetime | None = None  # the shop has let go of what is left

    @property
    def due_at(self) -> datetime:
        return min(d for d in (self.expiry_due, self.capture_due, self.release_due) if d)


class Payment(Record, frozen=True, kw_only=True):
    token: str  # of the hosted page, never the id
    amount: Amount
    description: str
    status: str
    sequence_type: str = "oneoff"
    methods: tuple[str, ...] = ()  # what the shopper may choose from; empty: everything
    method: str | None = None
    customer_id: str | None = None
    mandate_id: str | None = None
    subscription_id: str | None = None
    redirect_url: str | None = None
    cancel_url: str | None = None
    webhook_url: str | None = None
    locale: str | None = None
    metadata: Any = None
    echoed: dict[str, Any] = field(
        default_factory=dict
    )  # accepted and given back as sent: lines, addresses, ...
    expires_at: datetime | None = None
    expiry_due: datetime | None = None  # Mollie books the expiry a little late
    outcome: str | None = None  # what a recurring charge will come to by itself
    outcome_reason: str | None = None
    outcome_due: datetime | None = None
    happened: dict[str, datetime] = field(default_factory=dict)  # status -> when
    failure_reason: str | None = None
    hold: Hold | None = None  # from the authorization on
    session_id: str | None = None
    stores_card: bool = False  # for the shopper to use again, not for the shop to charge

    @property
    def due_at(self) -> datetime | None:
        if self.status in FINAL:
            return None
        if self.status == "authorized":
            return None if self.hold is None else self.hold.due_at
        return self.outcome_due or self.expiry_due

    @property
    def parents(self) -> tuple[str, ...]:
        belongs_to = (self.customer_id, self.subscription_id, self.session_id)
        return tuple(id for id in belongs_to if id)


class Customer(Record, frozen=True, kw_only=True):
    name: str | None = None
    email: str | None = None
    locale: str | None = None
    metadata: Any = None
    deleted_at: datetime | None = None


class Mandate(Record, frozen=True, kw_only=True):
    customer_id: str
    method: str
    status: Literal["pending", "valid", "invalid"]
    details: dict[str, Any]
    reference: str | None = None
    signature_date: date | None = None
    scopes: tuple[str, ...] = ("customer-not-present",)
    valid_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def chargeable(self) -> bool:
        """Whether it is for charges without a shopper at all, whatever its status."""
        return "customer-not-present" in self.scopes

    @property
    def due_at(self) -> datetime | None:
        return self.valid_at if self.status == "pending" else None

    @property
    def parents(self) -> tuple[str, ...]:
        return (self.customer_id,)


class Refund(Record, frozen=True, kw_only=True):
    payment_id: str
    amount: Amount
    description: str
    status: str
    metadata: Any = None
    step_due: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        return self.step_due

    @property
    def parents(self) -> tuple[str, ...]:
        return (self.payment_id,)


class Capture(Record, frozen=True, kw_only=True):
    payment_id: str
    amount: Amount
    status: Literal["pending", "succeeded", "failed"]
    description: str | None = None
    metadata: Any = None
    outcome: Literal["succeeded", "failed"] | None = None  # what it will come to by itself
    outcome_due: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        return self.outcome_due if self.status == "pending" else None

    @property
    def parents(self) -> tuple[str, ...]:
        return (self.payment_id,)


class Session(Record, frozen=True, kw_only=True):
    token: str  # of the component's page, never the id
    secret: str
    amount: Amount
    description: str
    redirect_url: str
    status: Literal["open", "completed", "expired"] = "open"
    sequence_type: str = "oneoff"
    customer_id: str | None = None
    webhook_url: str | None = None
    metadata: Any = None
    echoed: dict[str, Any] = field(default_factory=dict)  # lines, addresses, ...
    profile_id: str
    expires_at: datetime
    ended_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        return self.expires_at if self.status == "open" else None


class Chargeback(Record, frozen=True, kw_only=True):
    payment_id: str
    amount: Amount
    reason: str | None = None
    reversed_at: datetime | None = None

    @property
    def parents(self) -> tuple[str, ...]:
        return (self.payment_id,)


class Subscription(Record, frozen=True, kw_only=True):
    customer_id: str
    amount: Amount
    interval: str
    description: str
    status: str
    start_date: date
    anchor: date  # what the next dates count from: the start, or the last charge before a patch
    charges_since_anchor: int = 0
    charges: int = 0
    times: int | None = None
    method: str | None = None
    mandate_id: str | None = None
    webhook_url: str | None = None
    metadata: Any = None
    echoed: dict[str, Any] = field(default_factory=dict)
    profile_id: str | None = None  # only access tokens choose one
    next_date: date | None = None
    charge_due: datetime | None = None
    canceled_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        return self.charge_due if self.status == "active" else None

    @property
    def parents(self) -> tuple[str, ...]:
        return (self.customer_id,)


class Delivery(record.Delivery, frozen=True, kw_only=True):
    """One notification to one webhook address; it names a payment and nothing else."""

    payment_id: str
