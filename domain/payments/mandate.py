"""A mandate: the permission to charge a tenant again, kept at a provider."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import AppUuid, TenantUuid
from domain.payments.ports import MandateStatus


class Mandate(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    payment_provider_uuid: UUID
    tenant_uuid: TenantUuid
    customer_ref: str
    provider_ref: str
    method: str
    status: MandateStatus
    is_default: bool = False
    """What a subscription of the tenant is charged on when it has no mandate of its own."""
    details: Mapping[str, str] = {}
    created_at: datetime
    updated_at: datetime
