"""A tenant: a paying organisation inside an app. A membership: a user who acts for it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import AppUuid, TenantUuid, UserUuid


class Role(StrEnum):
    ADMIN = "admin"
    MEMBER = "member"


class Tenant(Struct, frozen=True, kw_only=True):
    uuid: TenantUuid
    app_uuid: AppUuid
    name: str
    email: str | None = None
    metadata: Mapping[str, object] = {}
    test_clock_uuid: UUID | None = None
    """Whose time it lives in. None: real time. Chosen once, when it is made."""
    created_at: datetime
    updated_at: datetime


class Membership(Struct, frozen=True, kw_only=True):
    app_uuid: AppUuid
    tenant_uuid: TenantUuid
    user_uuid: UserUuid
    role: Role
    created_at: datetime
