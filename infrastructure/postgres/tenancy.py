"""Apps, tenants and keys of one app, inside one transaction; and who is let in."""

from typing import Any, Literal
from uuid import UUID

from domain.kernel.errors import Conflict, NotFound
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.kernel.pages import Page, PageRequest
from domain.tenancy.admission import AdmissionFacts
from domain.tenancy.api_key import ApiKey
from domain.tenancy.app import App, JwtIssuer, SigningAlgorithm
from domain.tenancy.caller import Caller, KeyCaller, KeyType, UserCaller
from domain.tenancy.tenant import Membership, Role, Tenant
from infrastructure.postgres.database import Connection


class PostgresAdmissions:
    """One statement per request."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def facts(self, caller: Caller) -> AdmissionFacts:
        if isinstance(caller, KeyCaller):
            return await self._of_key(caller.key_hash)
        return await self._of_user(caller)

    async def _of_user(self, caller: UserCaller) -> AdmissionFacts:
        rows = await self._connection.fetch(
            """
            select a.is_disabled, m.tenant_uuid, m.role
              from apps a
              left join memberships m on m.app_uuid = a.app_uuid and m.user_uuid = $2
             where a.app_uuid = $1
            """,
            self._app_uuid,
            # A token that names its tenants is believed: the registered ones are not asked.
            caller.user_uuid if caller.tenants is None else None,
        )
        return AdmissionFacts(
            app_is_disabled=rows[0]["is_disabled"] if rows else None,
            memberships={
                TenantUuid(row["tenant_uuid"]): Role(row["role"])
                for row in rows
                if row["tenant_uuid"] is not None
            },
        )

    async def _of_key(self, key_hash: bytes) -> AdmissionFacts:
        row = await self._connection.fetchrow(
            """
            select a.is_disabled, a.app_uuid, k.uuid, k.key_type, k.name, k.hint, k.expires_at,
                   k.revoked_at, k.created_at
              from apps a
              left join api_keys k on k.app_uuid = a.app_uuid and k.secret_hash = $2
             where a.app_uuid = $1
            """,
            self._app_uuid,
            key_hash,
        )
        if row is None:
            return AdmissionFacts(app_is_disabled=None)
        return AdmissionFacts(
            app_is_disabled=row["is_disabled"],
            api_key=None if row["uuid"] is None else _api_key(row),
        )


class PostgresApps:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, app: App) -> None:
        await self._connection.execute(
            """
            insert into apps (app_uuid, name, is_disabled, allowed_hosts, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6)
            """,
            app.app_uuid,
            app.name,
            app.is_disabled,
            list(app.allowed_hosts),
            app.created_at,
            app.updated_at,
        )

    async def save(self, app: App) -> None:
        status = await self._connection.execute(
            """
            update apps
               set name = $2, is_disabled = $3, allowed_hosts = $4, updated_at = $5
             where app_uuid = $1
            """,
            self._app_uuid,
            app.name,
            app.is_disabled,
            list(app.allowed_hosts),
            app.updated_at,
        )
        _need_row(status, "app", self._app_uuid)

    async def get(self) -> App:
        row = await self._connection.fetchrow(
            """
            select app_uuid, name, is_disabled, allowed_hosts, created_at, updated_at
              from apps
             where app_uuid = $1
            """,
            self._app_uuid,
        )
        if row is None:
            raise NotFound("app", self._app_uuid)
        return App(
            app_uuid=AppUuid(row["app_uuid"]),
            name=row["name"],
            is_disabled=row["is_disabled"],
            allowed_hosts=tuple(row["allowed_hosts"]),
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )

    async def add_issuer(self, issuer: JwtIssuer) -> None:
        await self._connection.execute(
            """
            insert into jwt_issuers (app_uuid, uuid, issuer, algorithm, jwks_url, public_keys,
                   created_at)
            values ($1, $2, $3, $4, $5, $6, $7)
            """,
            self._app_uuid,
            issuer.uuid,
            issuer.issuer,
            issuer.algorithm,
            issuer.jwks_url,
            list(issuer.public_keys),
            issuer.created_at,
        )

    async def issuers(self) -> tuple[JwtIssuer, ...]:
        rows = await self._connection.fetch(
            """
            select app_uuid, uuid, issuer, algorithm, jwks_url, public_keys, created_at
              from jwt_issuers
             where app_uuid = $1
             order by uuid
            """,
            self._app_uuid,
        )
        return tuple(_issuer(row) for row in rows)

    async def add_api_key(self, key: ApiKey, *, secret_hash: bytes) -> None:
        await self._connection.execute(
            """
            insert into api_keys (app_uuid, uuid, key_type, name, secret_hash, hint, expires_at,
                   revoked_at, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            self._app_uuid,
            key.uuid,
            key.key_type,
            key.name,
            secret_hash,
            key.hint,
            key.expires_at,
            key.revoked_at,
            key.created_at,
        )

    async def api_key(self, uuid: UUID) -> ApiKey:
        row = await self._connection.fetchrow(
            """
            select app_uuid, uuid, key_type, name, hint, expires_at, revoked_at, created_at
              from api_keys
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("API key", uuid)
        return _api_key(row)

    async def save_api_key(self, key: ApiKey) -> None:
        """Type, secret and hint never change."""
        status = await self._connection.execute(
            """
            update api_keys
               set name = $3, expires_at = $4, revoked_at = $5
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            key.uuid,
            key.name,
            key.expires_at,
            key.revoked_at,
        )
        _need_row(status, "API key", key.uuid)


class PostgresTenants:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, tenant: Tenant) -> None:
        status = await self._connection.execute(
            """
            insert into tenants (app_uuid, uuid, name, email, metadata, test_clock_uuid,
                   created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (app_uuid, uuid) do nothing
            """,
            self._app_uuid,
            tenant.uuid,
            tenant.name,
            tenant.email,
            tenant.metadata,
            tenant.test_clock_uuid,
            tenant.created_at,
            tenant.updated_at,
        )
        if status.endswith(" 0"):
            raise Conflict("the app has a tenant of this uuid already")

    async def save(self, tenant: Tenant) -> None:
        status = await self._connection.execute(
            """
            update tenants
               set name = $3, email = $4, metadata = $5, updated_at = $6
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            tenant.uuid,
            tenant.name,
            tenant.email,
            tenant.metadata,
            tenant.updated_at,
        )
        _need_row(status, "tenant", tenant.uuid)

    async def clock_is_usable(self, uuid: UUID) -> bool:
        found: bool = await self._connection.fetchval(
            """
            select exists (
                select from test_clocks
                 where app_uuid = $1 and uuid = $2 and deleted_at is null)
            """,
            self._app_uuid,
            uuid,
        )
        return found

    async def get(self, uuid: TenantUuid) -> Tenant:
        return await self._one(uuid, "")

    async def get_for_update(self, uuid: TenantUuid) -> Tenant:
        return await self._one(uuid, "for update")

    async def _one(self, uuid: TenantUuid, lock: Literal["", "for update"]) -> Tenant:
        row = await self._connection.fetchrow(
            f"""
            select app_uuid, uuid, name, email, metadata, test_clock_uuid, created_at,
                   updated_at
              from tenants
             where app_uuid = $1 and uuid = $2
             {lock}
            """,
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("tenant", uuid)
        return _tenant(row)

    async def list(
        self, request: PageRequest, *, only: frozenset[TenantUuid] | None
    ) -> Page[Tenant]:
        # The count stands on the left, so that a page behind the last one still has a total.
        rows = await self._connection.fetch(
            """
            with mine as (
                select app_uuid, uuid, name, email, metadata, test_clock_uuid, created_at,
                       updated_at
                  from tenants
                 where app_uuid = $1 and ($2::uuid[] is null or uuid = any($2))
            )
            select counted.total, paged.app_uuid, paged.uuid, paged.name, paged.email,
                   paged.metadata, paged.test_clock_uuid, paged.created_at, paged.updated_at
              from (select count(*) as total from mine) counted
              left join (select app_uuid, uuid, name, email, metadata, test_clock_uuid,
                                created_at, updated_at
                           from mine
                          order by created_at, uuid
                          limit $3 offset $4) paged on true
             order by paged.created_at, paged.uuid
            """,
            self._app_uuid,
            None if only is None else list(only),
            request.limit,
            request.offset,
        )
        items = tuple(_tenant(row) for row in rows if row["uuid"] is not None)
        return Page(items, rows[0]["total"])

    async def member(self, tenant_uuid: TenantUuid, user_uuid: UserUuid) -> Membership | None:
        row = await self._connection.fetchrow(
            """
            select app_uuid, tenant_uuid, user_uuid, role, created_at
              from memberships
             where app_uuid = $1 and tenant_uuid = $2 and user_uuid = $3
            """,
            self._app_uuid,
            tenant_uuid,
            user_uuid,
        )
        return None if row is None else _membership(row)

    async def put_member(self, membership: Membership) -> None:
        await self._connection.execute(
            """
            insert into memberships (app_uuid, tenant_uuid, user_uuid, role, created_at)
            values ($1, $2, $3, $4, $5)
            on conflict (app_uuid, tenant_uuid, user_uuid) do update set role = excluded.role
            """,
            self._app_uuid,
            membership.tenant_uuid,
            membership.user_uuid,
            membership.role,
            membership.created_at,
        )

    async def remove_member(self, tenant_uuid: TenantUuid, user_uuid: UserUuid) -> Membership:
        row = await self._connection.fetchrow(
            """
            delete from memberships
             where app_uuid = $1 and tenant_uuid = $2 and user_uuid = $3
            returning app_uuid, tenant_uuid, user_uuid, role, created_at
            """,
            self._app_uuid,
            tenant_uuid,
            user_uuid,
        )
        if row is None:
            raise NotFound("member", user_uuid)
        return _membership(row)


def _need_row(status: str, kind: str, uuid: UUID) -> None:
    """`status` is PostgreSQL's word on what a statement did, for example `UPDATE 0`."""
    if status.endswith(" 0"):
        raise NotFound(kind, uuid)


def _issuer(row: Any) -> JwtIssuer:
    return JwtIssuer(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        issuer=row["issuer"],
        algorithm=SigningAlgorithm(row["algorithm"]),
        jwks_url=row["jwks_url"],
        public_keys=tuple(row["public_keys"]),
        created_at=row["created_at"],
    )


def _api_key(row: Any) -> ApiKey:
    return ApiKey(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        key_type=KeyType(row["key_type"]),
        name=row["name"],
        hint=row["hint"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        created_at=row["created_at"],
    )


def _tenant(row: Any) -> Tenant:
    return Tenant(
        uuid=TenantUuid(row["uuid"]),
        app_uuid=AppUuid(row["app_uuid"]),
        name=row["name"],
        email=row["email"],
        metadata=row["metadata"],
        test_clock_uuid=row["test_clock_uuid"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _membership(row: Any) -> Membership:
    return Membership(
        app_uuid=AppUuid(row["app_uuid"]),
        tenant_uuid=TenantUuid(row["tenant_uuid"]),
        user_uuid=UserUuid(row["user_uuid"]),
        role=Role(row["role"]),
        created_at=row["created_at"],
    )
