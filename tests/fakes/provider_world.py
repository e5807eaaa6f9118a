"""What one account of the fake provider sees, and the arithmetic of its refunds and mandates."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.money import Money
from domain.payments.ports import (
    MandateStatus,
    NewPayment,
    ProviderMandate,
    ProviderPayment,
    ProviderRefund,
    RefundStatus,
)

NO_MONEY_BACK: Final = (RefundStatus.FAILED, RefundStatus.CANCELED)


class KnownCustomer(Struct, frozen=True):
    ref: str
    uuid: UUID
    created_at: datetime


class KnownRefund(Struct, frozen=True):
    refund: ProviderRefund
    payment_ref: str
    created_at: datetime


class Remembered(Struct, frozen=True):
    request: bytes
    answer: object
    at: datetime


@dataclass
class World:
    """What one account sees."""

    customers: dict[str, KnownCustomer] = field(default_factory=dict)
    payments: dict[str, ProviderPayment] = field(default_factory=dict)
    refunds: dict[str, KnownRefund] = field(default_factory=dict)
    mandates: dict[str, ProviderMandate] = field(default_factory=dict)
    remembered: dict[UUID, Remembered] = field(default_factory=dict)


def book_refunds(world: World, payment_ref: str) -> None:
    payment = world.payments[payment_ref]
    total = Money(0, payment.amount.currency)
    for known in world.refunds.values():
        if known.payment_ref == payment_ref and known.refund.status not in NO_MONEY_BACK:
            total += known.refund.amount
    world.payments[payment_ref] = replace(payment, refunded=total)


def usable_mandate(world: World, new: NewPayment) -> ProviderMandate | None:
    for mandate in reversed(world.mandates.values()):
        is_theirs = mandate.customer_ref == new.customer_ref
        fits = mandate.method == new.payment_method and mandate.status is MandateStatus.VALID
        if is_theirs and fits:
            return mandate
    return None
