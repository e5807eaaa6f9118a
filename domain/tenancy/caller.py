"""Who is calling, in two steps.

A `Caller` is what the request's credential claims; the HTTP edge has checked its signature.
An `Actor` is a caller whom the app has admitted, inside the transaction that does the work: the
app is enabled, the API key is alive, the memberships are known. Only actors get anything done.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from domain.kernel.errors import Forbidden, NotFound
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.tenancy.tenant import Role


class Scope(StrEnum):
    CATALOG_READ = "catalog:read"
    CATALOG_WRITE = "catalog:write"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    REFUNDS_READ = "refunds:read"
    REFUNDS_WRITE = "refunds:write"
    PROVIDERS_READ = "providers:read"
    PROVIDERS_WRITE = "providers:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    TENANTS_READ = "tenants:read"
    TENANTS_WRITE = "tenants:write"


class KeyType(StrEnum):
    READ = "read"
    WRITE = "write"


class UserCaller(Struct, frozen=True, kw_only=True):
    """A verified token of the app's own issuer."""

    app_uuid: AppUuid
    user_uuid: UserUuid
    scopes: frozenset[str]
    tenants: Mapping[TenantUuid, Role] | None
    """From the token's `tenants` claim; None: ask the registered memberships."""


class KeyCaller(Struct, frozen=True, kw_only=True):
    """An API key that nobody has looked up yet."""

    app_uuid: AppUuid
    key_hash: bytes
    key_type: KeyType


Caller = UserCaller | KeyCaller


class Actor(Struct, frozen=True, kw_only=True):
    app_uuid: AppUuid
    id: str
    """`user:<uuid>` or `key:<uuid>`: the scope of idempotency keys."""
    user_uuid: UserUuid | None
    scopes: frozenset[str]
    tenants: Mapping[TenantUuid, Role]
    """The tenants that a user may act for. An API key needs none: it has scopes."""

    def may(self, scope: Scope) -> bool:
        """`x:write` includes `x:read`."""
        return scope in self.scopes or scope.replace(":read", ":write") in self.scopes

    def need(self, scope: Scope) -> None:
        if not self.may(scope):
            raise Forbidden(f"this needs the scope {scope}")

    def need_tenant(self, tenant_uuid: TenantUuid, scope: Scope) -> None:
        """A tenant that is not the actor's does not exist for the actor.

        Who may read all of the app's tenants is told that the scope is missing instead.
        """
        if tenant_uuid in self.tenants or self.may(scope):
            return
        reading = Scope(scope.replace(":write", ":read"))
        if self.may(reading):
            raise Forbidden(f"this needs the scope {scope}")
        raise NotFound("tenant", tenant_uuid)

    def visible_tenants(self, scope: Scope) -> frozenset[TenantUuid] | None:
        """None: all of the app's. Otherwise these alone."""
        return None if self.may(scope) else frozenset(self.tenants)


KEY_SCOPES: Mapping[KeyType, frozenset[str]] = {
    KeyType.READ: frozenset(s for s in Scope if s.endswith(":read")),
    KeyType.WRITE: frozenset(Scope),
}
