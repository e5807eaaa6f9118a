"""A billing record: something that was billed to a tenant and paid, once. A one-time payment, or a
subscription's bill, told in the same words.

It is a view and stored nowhere. What is in the list once stays in it, whatever becomes of its
money: its status says so.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.catalog.quote import Quote
from domain.kernel.ids import TenantUuid
from domain.kernel.money import Money, half_up


class RecordType(StrEnum):
    ONE_TIME_PAYMENT = "oneTimePayment"
    SUBSCRIPTION = "subscription"


class RecordStatus(StrEnum):
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"
    """A bank took its money back, and nobody has asked for it again."""
    OPEN = "open"
    """A bank took its money back, and it is owed again."""
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"
    """These two: it was owed again, and then let go."""


class RecordPayment(Struct, frozen=True, kw_only=True):
    """The payment that settled it, and perhaps others with it."""

    provider_ref: str
    amount: Money
    """Without what was too much of it: that bought nothing and goes back by itself."""
    settled_before: Money
    """As much of it as has paid earlier bills."""
    refunded: Money
    charged_back: Money


class BillingRecord(Struct, frozen=True, kw_only=True):
    uuid: UUID
    """The one-time payment's or the bill's own."""
    type: RecordType
    tenant_uuid: TenantUuid
    payment_provider_uuid: UUID
    product_uuid: UUID | None
    price_uuid: UUID | None
    """None, like the product: of a credit alone, or of a bill that does not say it."""
    tax_rate_uuid: UUID | None
    subscription_uuid: UUID | None = None
    paid_from: datetime | None = None
    paid_until: datetime | None = None
    """What was billed, in business time."""
    units: int
    amount: Quote
    balance_applied: Money
    """As much of it as the tenant's credit has paid."""
    standing: RecordStatus = RecordStatus.PAID
    """Whether it is owed, before its payment is looked at."""
    payment: RecordPayment | None = None
    """None: credit alone has paid it, or there was nothing to pay."""
    created_at: datetime
    updated_at: datetime

    @property
    def status(self) -> RecordStatus:
        if self.standing is not RecordStatus.PAID:
            return self.standing
        if self.charged_back.minor:
            return RecordStatus.CHARGED_BACK
        if not self.refunded.minor or self.payment is None:
            return RecordStatus.PAID
        is_whole = not self.payment.refunded < self.payment.amount
        return RecordStatus.REFUNDED if is_whole else RecordStatus.PARTIALLY_REFUNDED

    @property
    def refunded(self) -> Money:
        return self._share(None if self.payment is None else self.payment.refunded)

    @property
    def charged_back(self) -> Money:
        return self._share(None if self.payment is None else self.payment.charged_back)

    def _share(self, whole: Money | None) -> Money:
        """What a payment has given back belongs to all that it has settled, to each its part. The
        parts are rounded where one ends and the next begins, so they add up to the whole."""
        if whole is None or self.payment is None or not self.payment.amount.minor:
            return Money(0, self.amount.total.currency)
        paid = self.payment.amount
        begins = min(self.payment.settled_before, paid)
        ends = min(begins + self.amount.total - self.balance_applied, paid)
        back = min(whole, paid).minor
        share = half_up(back * ends.minor, paid.minor) - half_up(back * begins.minor, paid.minor)
        return Money(share, paid.currency)
