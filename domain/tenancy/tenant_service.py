"""Tenants and who acts for them: created and named by the app, joined by its users.

Authorization is the first line of each method. A tenant that is not the caller's does not exist
for the caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.kernel.change import given
from domain.kernel.clock import Clock
from domain.kernel.errors import Forbidden, Refused
from domain.kernel.events import Event
from domain.kernel.ids import Ids, TenantUuid, UserUuid
from domain.kernel.pages import Page, PageRequest
from domain.tenancy.caller import Actor, Scope
from domain.tenancy.ports import TenancyTx
from domain.tenancy.tenant import Membership, Role, Tenant


class NewTenant(Struct, frozen=True, kw_only=True):
    uuid: TenantUuid | None = None
    """The app's own id for it, where it has one: tokens and checkouts name tenants by it."""
    name: str
    email: str | None = None
    metadata: Mapping[str, object] = {}
    test_clock_uuid: UUID | None = None


class TenantChange(Struct, frozen=True, kw_only=True):
    """What is UNSET stays."""

    name: str | UnsetType = UNSET
    email: str | UnsetType | None = UNSET
    metadata: Mapping[str, object] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class TenantService:
    clock: Clock
    ids: Ids

    async def create(self, tx: TenancyTx, actor: Actor, new: NewTenant) -> Tenant:
        """Raises Conflict when the app has a tenant of that uuid, Refused without the clock."""
        actor.need(Scope.TENANTS_WRITE)
        clock_uuid = new.test_clock_uuid
        if clock_uuid is not None and not await tx.tenants.clock_is_usable(clock_uuid):
            raise Refused("the app has no such test clock", field="testClockUuid")
        now = self.clock.now()
        tenant = Tenant(
            uuid=new.uuid or TenantUuid(self.ids.new()),
            app_uuid=actor.app_uuid,
            name=new.name,
            email=new.email,
            metadata=new.metadata,
            test_clock_uuid=clock_uuid,
            created_at=now,
            updated_at=now,
        )
        await tx.tenants.add(tenant)
        await tx.outbox.append(_event("tenant.created", tenant.uuid, at=now))
        return tenant

    async def get(self, tx: TenancyTx, actor: Actor, uuid: TenantUuid) -> Tenant:
        actor.need_tenant(uuid, Scope.TENANTS_READ)
        return await tx.tenants.get(uuid)

    async def update(
        self, tx: TenancyTx, actor: Actor, uuid: TenantUuid, change: TenantChange
    ) -> Tenant:
        """A change that changes nothing is told to nobody."""
        actor.need(Scope.TENANTS_WRITE)
        tenant = await tx.tenants.get_for_update(uuid)
        now = self.clock.now()
        changed = replace(tenant, **given(change))
        if changed == tenant:
            return tenant
        changed = replace(changed, updated_at=now)
        await tx.tenants.save(changed)
        await tx.outbox.append(_event("tenant.updated", uuid, at=now))
        return changed

    async def list(self, tx: TenancyTx, actor: Actor, request: PageRequest) -> Page[Tenant]:
        """All of the app's tenants; for a user without the scope, only the user's own."""
        only = actor.visible_tenants(Scope.TENANTS_READ)
        return await tx.tenants.list(request, only=only)

    async def put_member(
        self, tx: TenancyTx, actor: Actor, seat: tuple[TenantUuid, UserUuid], role: Role
    ) -> Membership:
        """Add a member, or change the role of one. Raises NotFound without the tenant."""
        tenant_uuid, user_uuid = seat
        _need_to_manage(actor, tenant_uuid)
        held = await tx.tenants.member(tenant_uuid, user_uuid)
        if held is not None and held.role is role:
            return held
        now = self.clock.now()
        membership = Membership(
            app_uuid=actor.app_uuid,
            tenant_uuid=tenant_uuid,
            user_uuid=user_uuid,
            role=role,
            created_at=now if held is None else held.created_at,
        )
        await tx.tenants.put_member(membership)
        await tx.outbox.append(_event("member.added", tenant_uuid, user_uuid, at=now))
        return membership

    async def remove_member(
        self, tx: TenancyTx, actor: Actor, seat: tuple[TenantUuid, UserUuid]
    ) -> Membership:
        """Raises NotFound when the user is no member."""
        tenant_uuid, user_uuid = seat
        _need_to_manage(actor, tenant_uuid)
        membership = await tx.tenants.remove_member(tenant_uuid, user_uuid)
        gone = _event("member.removed", tenant_uuid, user_uuid, at=self.clock.now())
        await tx.outbox.append(gone)
        return membership


def _need_to_manage(actor: Actor, tenant_uuid: TenantUuid) -> None:
    """Apps manage the members of every tenant; a tenant's admins manage its own."""
    actor.need_tenant(tenant_uuid, Scope.TENANTS_WRITE)
    is_admin = actor.tenants.get(tenant_uuid) is Role.ADMIN
    if not is_admin and not actor.may(Scope.TENANTS_WRITE):
        raise Forbidden("this needs the role admin in the tenant")


def _event(
    what: str, tenant_uuid: TenantUuid, user_uuid: UserUuid | None = None, *, at: datetime
) -> Event:
    facts = {"tenantUuid": str(tenant_uuid)}
    if user_uuid is not None:
        facts["userUuid"] = str(user_uuid)
    return Event(type=what, aggregate_uuid=tenant_uuid, at=at, facts=facts)
