"""A subscription, and the periods of it that were paid. Period boundaries are facts."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.catalog.quote import Quote
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.kernel.pages import Page, PageRequest


class SubscriptionStatus(StrEnum):
    ACTIVE = "active"


class Period(Struct, frozen=True, kw_only=True):
    number: int
    starts_at: datetime
    ends_at: datetime
    payment_uuid: UUID
    amount: Quote


class Subscription(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    tenant_uuid: TenantUuid
    user_uuid: UserUuid | None
    payment_provider_uuid: UUID
    checkout_session_uuid: UUID
    product_uuid: UUID
    price_uuid: UUID
    tax_rate_uuid: UUID | None
    quantity: int
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE
    anchor_at: datetime
    """The instant of the first payment; every boundary is counted from it."""
    current_period: Period
    created_at: datetime
    updated_at: datetime


class Subscriptions(Protocol):
    async def add(self, subscription: Subscription) -> None:
        """The subscription and its current period."""
        ...

    async def list(self, tenant_uuid: TenantUuid, request: PageRequest) -> Page[Subscription]: ...
