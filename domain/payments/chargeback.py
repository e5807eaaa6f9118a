"""A chargeback: money that the shopper's bank took back, and perhaps gave to us after all."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import AppUuid
from domain.kernel.money import Money
from domain.kernel.pages import Page, PageRequest


class Chargeback(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    payment_provider_uuid: UUID
    payment_uuid: UUID
    provider_ref: str
    amount: Money
    reason: str | None = None
    """The bank's code, where it gives one."""
    received_at: datetime
    reversed_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class Chargebacks(Protocol):
    async def list(self, payment_uuid: UUID, request: PageRequest) -> Page[Chargeback]: ...
