"""What one account of the fake provider sees, and the arithmetic of the money that goes back."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.money import Money
from domain.payments.answers import (
    ProviderChargeback,
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


class Remembered(Struct, frozen=True):
    request: bytes
    answer: object
    at: datetime


@dataclass
class World:
    """What one account sees."""

    customers: dict[str, KnownCustomer] = field(default_factory=dict)
    payments: dict[str, ProviderPayment] = field(default_factory=dict)
    refunds: dict[str, ProviderRefund] = field(default_factory=dict)
    chargebacks: dict[str, ProviderChargeback] = field(default_factory=dict)
    mandates: dict[str, ProviderMandate] = field(default_factory=dict)
    remembered: dict[UUID, Remembered] = field(default_factory=dict)


def book_money_back(world: World, payment_ref: str) -> None:
    """Refunds and chargebacks stand on the payment as two sums."""
    payment = world.payments[payment_ref]
    refunded = charged_back = Money(0, payment.amount.currency)
    for refund in world.refunds.values():
        if refund.payment_ref == payment_ref and refund.status not in NO_MONEY_BACK:
            refunded += refund.amount
    for chargeback in world.chargebacks.values():
        if chargeback.payment_ref == payment_ref and chargeback.reversed_at is None:
            charged_back += chargeback.amount
    world.payments[payment_ref] = replace(payment, refunded=refunded, charged_back=charged_back)
