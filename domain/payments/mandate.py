"""A mandate: the permission to charge a tenant again, kept at a provider."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import AppUuid, TenantUuid
from domain.payments.answers import MandateStatus


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


def usual(mandates: Sequence[Mandate]) -> Mandate | None:
    """Of a tenant's at one account, oldest first: what is charged where none is named. The default,
    or else the newest valid one, or else the newest."""
    valid = [m for m in mandates if m.status is MandateStatus.VALID]
    default = next((m for m in valid if m.is_default), None)
    return default or (valid[-1] if valid else mandates[-1] if mandates else None)
