"""A one-time payment: what a paid session in `payment` mode leaves behind."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from domain.catalog.quote import Quote
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid


class OneTimePayment(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    tenant_uuid: TenantUuid
    user_uuid: UserUuid | None
    payment_provider_uuid: UUID
    checkout_session_uuid: UUID
    payment_uuid: UUID
    product_uuid: UUID
    price_uuid: UUID
    tax_rate_uuid: UUID | None
    units: int
    amount: Quote
    paid_at: datetime
    created_at: datetime
    updated_at: datetime
