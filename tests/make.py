"""Makers of test entities: valid by themselves, and each field can be said otherwise."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.tenancy.api_key import ApiKey
from domain.tenancy.app import App
from domain.tenancy.caller import Actor, KeyType
from domain.tenancy.tenant import Role, Tenant

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_uuid(number: int) -> UUID:
    """The same number, the same uuid: a version 7, as ours are."""
    return UUID(f"0198c5a0-0000-7000-8000-{number:012x}")


APP: Final = AppUuid(a_uuid(1))
OTHER_APP: Final = AppUuid(a_uuid(2))
TENANT: Final = TenantUuid(a_uuid(11))
OTHER_TENANT: Final = TenantUuid(a_uuid(12))
USER: Final = UserUuid(a_uuid(21))
OTHER_USER: Final = UserUuid(a_uuid(22))


def an_app(**said: Any) -> App:
    usual = {"app_uuid": APP, "name": "Example Notes", "created_at": NOON, "updated_at": NOON}
    return App(**{**usual, **said})


def a_tenant(**said: Any) -> Tenant:
    usual = {"uuid": TENANT, "app_uuid": APP, "name": "Example Bakery Ltd"}
    return Tenant(**{**usual, "created_at": NOON, "updated_at": NOON, **said})


def an_api_key(**said: Any) -> ApiKey:
    usual = {"uuid": a_uuid(31), "app_uuid": APP, "key_type": KeyType.WRITE}
    return ApiKey(**{**usual, "name": "backend", "hint": "abcd", "created_at": NOON, **said})


def an_actor(*scopes: str, tenants: Mapping[TenantUuid, Role] | None = None) -> Actor:
    """A user of the app. Without scopes and tenants: nobody in particular."""
    return Actor(
        app_uuid=APP,
        id=f"user:{USER}",
        user_uuid=USER,
        scopes=frozenset(scopes),
        tenants=tenants or {},
    )
