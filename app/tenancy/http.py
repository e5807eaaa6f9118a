"""Tenants and their members over HTTP."""

from typing import Final
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.http.caller import bearer_or_key
from app.http.desk import Desk
from app.http.envelope import Envelope, many, one
from app.http.pages import PageLimit, PageNumber
from app.tenancy.schemas import (
    CreateTenantBody,
    MemberView,
    PutMemberBody,
    TenantView,
    UpdateTenantBody,
)
from domain.kernel.ids import TenantUuid, UserUuid
from domain.kernel.pages import PageRequest
from domain.tenancy.caller import Actor
from domain.tenancy.ports import TenancyTx
from domain.tenancy.tenant_service import TenantService

TENANTS: Final = "tenants"
MEMBERS: Final = "members"
SEAT: Final = "/{tenant_uuid:uuid}/members/{user_uuid:uuid}"


class TenantsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/tenants"
    tags = ("Tenants",)
    guards = (bearer_or_key,)

    @get("/", operation_id="listTenants")
    async def page(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        tenants: NamedDependency[TenantService],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[TenantView]:
        """List the app's tenants, oldest first; a tenant's user sees only the user's own."""
        async with desk.read() as (tx, actor):
            found = await tenants.list(tx, actor, PageRequest(page, limit))
        return many(TENANTS, found, TenantView.of)

    @post("/", operation_id="createTenant", status_code=201)
    async def create(
        self,
        app_uuid: FromPath[UUID],
        data: JSONBody[CreateTenantBody],
        desk: NamedDependency[Desk],
        tenants: NamedDependency[TenantService],
    ) -> Response[Envelope[TenantView]]:
        """Register a tenant: an organisation that will pay."""

        async def work(tx: TenancyTx, actor: Actor) -> TenantView:
            return TenantView.of(await tenants.create(tx, actor, data.new()))

        return await desk.write(work, kind=TENANTS, status=201)

    @get("/{tenant_uuid:uuid}", operation_id="getTenant")
    async def read(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        tenants: NamedDependency[TenantService],
    ) -> Envelope[TenantView]:
        """Read one tenant."""
        async with desk.read() as (tx, actor):
            tenant = await tenants.get(tx, actor, TenantUuid(tenant_uuid))
        return one(TENANTS, TenantView.of(tenant))

    @put("/{tenant_uuid:uuid}", operation_id="updateTenant")
    async def update(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        data: JSONBody[UpdateTenantBody],
        desk: NamedDependency[Desk],
        tenants: NamedDependency[TenantService],
    ) -> Response[Envelope[TenantView]]:
        """Change a tenant. What you do not send stays; null empties a field."""

        async def work(tx: TenancyTx, actor: Actor) -> TenantView:
            uuid = TenantUuid(tenant_uuid)
            return TenantView.of(await tenants.update(tx, actor, uuid, data.change()))

        return await desk.write(work, kind=TENANTS)

    @put(SEAT, operation_id="putMember")
    async def put_member(
        self,
        tenant_uuid: FromPath[UUID],
        user_uuid: FromPath[UUID],
        data: JSONBody[PutMemberBody],
        desk: NamedDependency[Desk],
        tenants: NamedDependency[TenantService],
    ) -> Response[Envelope[MemberView]]:
        """Let a user act for a tenant, or change the user's role in it."""
        seat = (TenantUuid(tenant_uuid), UserUuid(user_uuid))

        async def work(tx: TenancyTx, actor: Actor) -> MemberView:
            return MemberView.of(await tenants.put_member(tx, actor, seat, data.role))

        return await desk.write(work, kind=MEMBERS)

    @delete(SEAT, operation_id="removeMember", status_code=200)
    async def remove_member(
        self,
        tenant_uuid: FromPath[UUID],
        user_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        tenants: NamedDependency[TenantService],
    ) -> Response[Envelope[MemberView]]:
        """Stop a user from acting for a tenant. Answers with the membership that ended."""
        seat = (TenantUuid(tenant_uuid), UserUuid(user_uuid))

        async def work(tx: TenancyTx, actor: Actor) -> MemberView:
            return MemberView.of(await tenants.remove_member(tx, actor, seat))

        return await desk.write(work, kind=MEMBERS)
