"""A pen: a subscription's book being written, and an account of what was written.

What happens to a subscription is told (events), posted (ledger) and kept (history) as it is
written. Nothing is read or sent here; a use case saves the book and all of it in one transaction.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.events import Event
from domain.kernel.ids import Ids
from domain.kernel.money import Money
from domain.ledger.posting import Posting
from domain.ledger.rules import Fact
from domain.payments.mandate import Mandate
from domain.subscriptions.bill import Bill
from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.subscription import (
    MOVES,
    HistoryRow,
    IllegalSubscriptionMove,
    Subscription,
    SubscriptionStatus,
)


class Charge(Struct, frozen=True):
    """To be asked of the provider once the book is saved."""

    bill: Bill
    amount: Money
    mandate: Mandate


@dataclass(slots=True)
class Pen:
    book: SubscriptionBook
    ids: Ids
    real_now: datetime
    """For rows' own bookkeeping. What happens to the subscription is in business time."""
    events: list[Event] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)
    charge: Charge | None = None

    @property
    def subscription(self) -> Subscription:
        return self.book.subscription

    @property
    def now(self) -> datetime:
        return self.book.business(self.real_now)

    def change(self, **fields: object) -> None:
        """Fields of the subscription itself."""
        changed = replace(self.subscription, **fields, updated_at=self.real_now)
        self.book = replace(self.book, subscription=changed)

    def move(self, to: SubscriptionStatus, reason: str, *, at: datetime) -> None:
        """Raises IllegalSubscriptionMove. Moving to where it is changes nothing."""
        old = self.subscription.status
        if to is old:
            return
        if to not in MOVES[old]:
            raise IllegalSubscriptionMove(old, to)
        self.change(status=to)
        self.history.append(HistoryRow(old_status=old, new_status=to, reason=reason, at=at))

    def say(self, what: str, *, at: datetime, **facts: object) -> None:
        """An event of the subscription; `what` is its type's second half, or the whole type."""
        subscription = self.subscription
        type = what if "." in what else f"subscription.{what}"
        own = {
            "subscriptionUuid": str(subscription.uuid),
            "tenantUuid": str(subscription.tenant_uuid),
            "status": subscription.status,
        }
        event = Event(type=type, aggregate_uuid=subscription.uuid, at=at, facts=own | facts)
        self.events.append(event)

    def say_of(self, bill: Bill, what: str, *, at: datetime, **facts: object) -> None:
        """An event of a bill, in the subscription's stream."""
        own = {
            "billUuid": str(bill.uuid),
            "periodNumber": bill.period_number,
            "currency": bill.amount.total.currency,
            "amountTotal": bill.amount.total.minor,
            "amountOpen": bill.open.minor,
        }
        self.say(f"bill.{what}", at=at, **(own | facts))

    def post(self, *postings: Posting) -> None:
        self.postings += postings

    def fact(self, source_uuid: UUID, *, at: datetime, **facts: str) -> Fact:
        own = {"subscriptionUuid": str(self.subscription.uuid)}
        tenant_uuid = self.subscription.tenant_uuid
        return Fact(source_uuid=source_uuid, tenant_uuid=tenant_uuid, at=at, facts=own | facts)

    def write_bill(self, bill: Bill) -> Bill:
        bill = replace(bill, updated_at=self.real_now)
        self.book = self.book.with_bill(bill)
        return bill
