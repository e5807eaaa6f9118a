"""Tenants and an outbox in memory. Promises what the ports promise."""

from collections.abc import Container
from dataclasses import dataclass, field
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.errors import Conflict, NotFound
from domain.kernel.events import Event
from domain.kernel.ids import TenantUuid, UserUuid
from domain.kernel.pages import Page, PageRequest
from domain.tenancy.admission import Admissions
from domain.tenancy.ports import Apps
from domain.tenancy.tenant import Membership, Tenant


class FakeTenants:
    def __init__(self, *tenants: Tenant, clocks: Container[UUID] = ()) -> None:
        self._tenants, self._clocks = {tenant.uuid: tenant for tenant in tenants}, clocks
        self._members: dict[tuple[TenantUuid, UserUuid], Membership] = {}

    async def add(self, tenant: Tenant) -> None:
        if tenant.uuid in self._tenants:
            raise Conflict("the app has a tenant of this uuid already")
        self._tenants[tenant.uuid] = tenant

    async def save(self, tenant: Tenant) -> None:
        await self.get(tenant.uuid)
        self._tenants[tenant.uuid] = tenant

    async def clock_is_usable(self, uuid: UUID) -> bool:
        return uuid in self._clocks

    async def get(self, uuid: TenantUuid) -> Tenant:
        if uuid not in self._tenants:
            raise NotFound("tenant", uuid)
        return self._tenants[uuid]

    async def get_for_update(self, uuid: TenantUuid) -> Tenant:
        return await self.get(uuid)

    async def list(
        self, request: PageRequest, *, only: frozenset[TenantUuid] | None
    ) -> Page[Tenant]:
        mine = [t for t in self._tenants.values() if only is None or t.uuid in only]
        mine.sort(key=lambda tenant: (tenant.created_at, tenant.uuid))
        end = request.offset + request.limit
        return Page(tuple(mine[request.offset : end]), len(mine))

    async def member(self, tenant_uuid: TenantUuid, user_uuid: UserUuid) -> Membership | None:
        return self._members.get((tenant_uuid, user_uuid))

    async def put_member(self, membership: Membership) -> None:
        await self.get(membership.tenant_uuid)
        seat = (membership.tenant_uuid, membership.user_uuid)
        held = self._members.get(seat, membership)
        self._members[seat] = replace(held, role=membership.role)

    async def remove_member(self, tenant_uuid: TenantUuid, user_uuid: UserUuid) -> Membership:
        if (tenant_uuid, user_uuid) not in self._members:
            raise NotFound("member", user_uuid)
        return self._members.pop((tenant_uuid, user_uuid))


class FakeOutbox:
    def __init__(self) -> None:
        self.events: list[Event] = []

    async def append(self, *events: Event) -> None:
        self.events += events


@dataclass
class FakeTenancyTx:
    """For services of tenants: who is let in, and apps, are none of their business."""

    tenants: FakeTenants = field(default_factory=FakeTenants)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)

    @property
    def admissions(self) -> Admissions:
        raise AssertionError("a service asks nobody whom to let in")

    @property
    def apps(self) -> Apps:
        raise AssertionError("a service of tenants changes no app")
