"""What providers say, in our words: what they hold at this moment, or that they will not."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.kernel.money import Money


class SequenceType(StrEnum):
    ONEOFF = "oneoff"
    FIRST = "first"
    """Leaves a mandate behind."""
    RECURRING = "recurring"


class PaymentStatus(StrEnum):
    OPEN = "open"
    PENDING = "pending"
    AUTHORIZED = "authorized"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


class MandateStatus(StrEnum):
    PENDING = "pending"
    VALID = "valid"
    INVALID = "invalid"


class RefundStatus(StrEnum):
    """`requested` and `declined` are ours: before the provider has it, and when it said no."""

    REQUESTED = "requested"
    QUEUED = "queued"
    PENDING = "pending"
    PROCESSING = "processing"
    REFUNDED = "refunded"
    FAILED = "failed"
    CANCELED = "canceled"
    DECLINED = "declined"


class CaptureStatus(StrEnum):
    """`requested` and `declined` are ours: before the provider has it, and when it said no."""

    REQUESTED = "requested"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DECLINED = "declined"


class ProviderPayment(Struct, frozen=True, kw_only=True):
    """A payment as the provider holds it at this moment: all that matters about it."""

    ref: str
    status: PaymentStatus
    amount: Money
    sequence_type: SequenceType
    refunded: Money
    """Sum of refunds that are not failed or canceled; zero of the payment's currency at first."""
    charged_back: Money
    captured: Money | None = None
    """Of one that is authorized first and captured later: as much as is captured by now."""
    attempt_uuid: UUID | None
    """From our metadata; None when the payment is not one that we made."""
    method: str | None = None
    checkout_url: str | None = None
    """Only while the shopper can still pay."""
    customer_ref: str | None = None
    mandate_ref: str | None = None
    failure_reason: str | None = None
    """The provider's code for why it failed, the most specific that it gives."""
    is_cancelable: bool = False
    paid_at: datetime | None = None
    created_at: datetime

    @property
    def worth(self) -> Money:
        """What is asked for; once it is paid, what was captured of that."""
        if self.status is PaymentStatus.PAID and self.captured is not None:
            return self.captured
        return self.amount


class ProviderMandate(Struct, frozen=True, kw_only=True):
    ref: str
    customer_ref: str
    status: MandateStatus
    method: str
    details: Mapping[str, str]
    """What a person recognises: `cardNumber` (last four), `cardLabel`, `cardExpiryDate`,
    `consumerAccount` (last four). Nothing that could be charged."""


class ProviderRefund(Struct, frozen=True, kw_only=True):
    ref: str
    status: RefundStatus
    amount: Money
    refund_uuid: UUID | None
    """From our metadata; None for a refund made in the provider's dashboard."""
    payment_ref: str
    created_at: datetime


class ProviderCapture(Struct, frozen=True, kw_only=True):
    ref: str
    status: CaptureStatus
    amount: Money
    capture_uuid: UUID | None
    """From our metadata; None for one that was made without us."""
    payment_ref: str
    created_at: datetime


class ProviderChargeback(Struct, frozen=True, kw_only=True):
    """Money that the shopper's bank took back."""

    ref: str
    payment_ref: str
    amount: Money
    reason: str | None = None
    """The bank's code; only direct debits have one."""
    created_at: datetime
    reversed_at: datetime | None = None
    """When it was given to us after all."""


class Declined(Struct, frozen=True):
    """The provider's considered no (a 4xx about the request): repeating it changes nothing."""

    reason: str
    field: str | None = None
    is_gone: bool = False
    """What the request names does not exist (any more): for a payment its customer, for a recurring
    one its customer or a mandate that can be charged."""
    code: str | None = None
    """Why the payer's bank said no, in the provider's word for it; None: it was not asked."""
