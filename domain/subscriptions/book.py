"""A subscription's book: the subscription and all that its next step depends on, under one lock.

Only what is still open is in it, and the bill that is asked about: a book does not grow with the
years.
"""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from domain.catalog.price import Recurrence
from domain.catalog.quote import Quote, Tax, quote
from domain.catalog.reverse_charge import charged_to
from domain.kernel.money import Money
from domain.payments.attempt import AttemptStatus, PaymentAttempt
from domain.payments.chargeback import Chargeback
from domain.payments.mandate import Mandate, usual
from domain.payments.payment import Payment
from domain.payments.refund import Refund
from domain.payments.sighting import PaymentFile, Sighting
from domain.subscriptions.bill import Bill, Sold
from domain.subscriptions.policy import BillingPolicy
from domain.subscriptions.subscription import Period, Subscription


class Plan(Struct, frozen=True, kw_only=True):
    """What a unit costs, how often, and how it is taxed."""

    price_uuid: UUID
    product_uuid: UUID
    product_name: str
    unit_amount: Money
    recurrence: Recurrence
    tax_rate_uuid: UUID | None
    tax: Tax | None

    @property
    def sold(self) -> Sold:
        return Sold(self.product_uuid, self.price_uuid, self.tax_rate_uuid)

    def quote(self, quantity: int) -> Quote:
        return quote(self.unit_amount, quantity, self.tax)


class SubscriptionBook(Struct, frozen=True, kw_only=True):
    subscription: Subscription
    plans: tuple[Plan, ...]
    """The subscription's, and those of changes that wait to take effect."""
    policy: BillingPolicy
    clock_now: datetime | None = None
    """What the tenant's test clock shows, if it has one."""
    new_periods: tuple[Period, ...] = ()
    """Those that this step adds or changes, the current one with them."""
    bills: tuple[Bill, ...] = ()
    """Oldest first: the open ones, and the one that is asked about."""
    attempts: tuple[PaymentAttempt, ...] = ()
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    chargebacks: tuple[Chargeback, ...] = ()
    mandates: tuple[Mandate, ...] = ()
    """All that the tenant has at the account, oldest first."""
    balance: Money
    """The tenant's credit in the plan's currency."""

    @property
    def plan(self) -> Plan:
        return self.plan_of(self.subscription.price_uuid, self.subscription.tax_rate_uuid)

    def plan_of(self, price_uuid: UUID, tax_rate_uuid: UUID | None) -> Plan:
        wanted = (price_uuid, tax_rate_uuid)
        plan = next(p for p in self.plans if (p.price_uuid, p.tax_rate_uuid) == wanted)
        return self.as_charged(plan)

    def as_charged(self, plan: Plan) -> Plan:
        """With the tax as it is for this buyer."""
        return replace(plan, tax=charged_to(plan.tax, self.subscription.tax_id_country))

    @property
    def zone(self) -> ZoneInfo:
        return self.policy.zone

    @property
    def open_bills(self) -> tuple[Bill, ...]:
        return tuple(bill for bill in self.bills if bill.is_open)

    @property
    def collectable(self) -> tuple[Bill, ...]:
        """Bills that a charge would be for: open, and no other charge under way. A change's has
        its own."""
        return tuple(
            bill
            for bill in self.open_bills
            if not bill.is_of_change and not self.is_being_tried(bill)
        )

    @property
    def collectable_amount(self) -> Money:
        return sum((b.open for b in self.collectable), Money(0, self.balance.currency))

    def business(self, real: datetime) -> datetime:
        """What time it is for the tenant."""
        return self.clock_now or real

    def bill(self, uuid: UUID) -> Bill:
        return next(bill for bill in self.bills if bill.uuid == uuid)

    def attempt(self, uuid: UUID) -> PaymentAttempt:
        return next(attempt for attempt in self.attempts if attempt.uuid == uuid)

    def attempts_of(self, bill: Bill) -> tuple[PaymentAttempt, ...]:
        return tuple(a for a in self.attempts if a.bill_uuid == bill.uuid)

    def is_being_tried(self, bill: Bill) -> bool:
        """A charge for it is under way, or nobody can say what became of it."""
        unknown = (AttemptStatus.SUBMITTING, AttemptStatus.NEEDS_REVIEW)
        return any(a.status in unknown for a in self.attempts_of(bill)) or any(
            p.bill_uuid == bill.uuid and p.is_live for p in self.payments
        )

    def payment_of(self, attempt: PaymentAttempt) -> Payment | None:
        return next(
            (p for p in self.payments if p.attempt_uuid == attempt.uuid and not p.is_surplus), None
        )

    def payment_in(self, sighting: Sighting) -> Payment | None:
        wanted = (sighting.account_uuid, sighting.payment.ref)
        return next(
            (p for p in self.payments if (p.payment_provider_uuid, p.provider_ref) == wanted), None
        )

    def file_of(self, payment: Payment) -> PaymentFile:
        return PaymentFile(
            payment=payment,
            refunds=tuple(r for r in self.refunds if r.payment_uuid == payment.uuid),
            chargebacks=tuple(c for c in self.chargebacks if c.payment_uuid == payment.uuid),
            mandate=next((m for m in self.mandates if m.provider_ref == payment.mandate_ref), None),
        )

    def mandate(self) -> Mandate | None:
        """What is charged: the subscription's own, or else the tenant's usual one.

        Its own may be pending or invalid; another is never taken in its place.
        """
        own = self.subscription.mandate_uuid
        if own is not None:
            return next((m for m in self.mandates if m.uuid == own), None)
        return usual(self.mandates)

    def with_bill(self, bill: Bill) -> "SubscriptionBook":
        others = tuple(b for b in self.bills if b.uuid != bill.uuid)
        return replace(self, bills=tuple(sorted((*others, bill), key=lambda b: b.uuid)))

    def with_attempt(self, attempt: PaymentAttempt) -> "SubscriptionBook":
        """In its place, if it is known: of a bill's attempts the last is the newest."""
        known = {a.uuid: a for a in self.attempts} | {attempt.uuid: attempt}
        return replace(self, attempts=tuple(known.values()))

    def with_period(self, period: Period) -> "SubscriptionBook":
        """It is the current one now, or the current one as it has become."""
        others = tuple(p for p in self.new_periods if p.number != period.number)
        subscription = replace(self.subscription, current_period=period)
        return replace(self, subscription=subscription, new_periods=(*others, period))

    def with_file(self, file: PaymentFile) -> "SubscriptionBook":
        uuid, mandates = file.payment.uuid, self.mandates
        if file.mandate is not None:
            known = {m.uuid: m for m in mandates} | {file.mandate.uuid: file.mandate}
            mandates = tuple(sorted(known.values(), key=lambda m: m.uuid))
        return replace(
            self,
            payments=(*(p for p in self.payments if p.uuid != uuid), file.payment),
            refunds=(*(r for r in self.refunds if r.payment_uuid != uuid), *file.refunds),
            chargebacks=(
                *(c for c in self.chargebacks if c.payment_uuid != uuid),
                *file.chargebacks,
            ),
            mandates=mandates,
        )
