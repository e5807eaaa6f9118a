"""What tenancy needs from outside."""

from typing import Protocol
from uuid import UUID

from domain.kernel.events import Outbox
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.kernel.pages import Page, PageRequest
from domain.tenancy.admission import Admissions
from domain.tenancy.api_key import ApiKey
from domain.tenancy.app import App, JwtIssuer
from domain.tenancy.caller import UserCaller
from domain.tenancy.tenant import Membership, Tenant


class TokenVerifier(Protocol):
    async def verify(self, app_uuid: AppUuid, token: str) -> UserCaller:
        """Check signature, issuer, audience (= the app) and expiry of a bearer JWT.

        Raises Unauthenticated for everything that is wrong with the token, and Unavailable when
        the issuer's keys cannot be had and none are cached.
        """
        ...

    async def identify(self, token: str) -> UserCaller:
        """The same, where nothing but the token says which app it is for: its audience does, if it
        names exactly one."""
        ...


class Apps(Protocol):
    async def add(self, app: App) -> None: ...
    async def save(self, app: App) -> None: ...
    async def get(self) -> App:
        """The app of this transaction. Raises NotFound."""
        ...

    async def add_issuer(self, issuer: JwtIssuer) -> None:
        """Raises Conflict when the app has an issuer of that name."""
        ...

    async def issuers(self) -> tuple[JwtIssuer, ...]: ...
    async def add_api_key(self, key: ApiKey, *, secret_hash: bytes) -> None: ...
    async def api_key(self, uuid: UUID) -> ApiKey: ...
    async def save_api_key(self, key: ApiKey) -> None: ...


class Tenants(Protocol):
    async def add(self, tenant: Tenant) -> None:
        """Raises Conflict when the app has a tenant of that uuid."""
        ...

    async def save(self, tenant: Tenant) -> None: ...
    async def clock_is_usable(self, uuid: UUID) -> bool:
        """Whether a tenant may begin something by this test clock."""
        ...

    async def get(self, uuid: TenantUuid) -> Tenant:
        """Raises NotFound."""
        ...

    async def get_for_update(self, uuid: TenantUuid) -> Tenant:
        """Nobody else can change it before this transaction ends."""
        ...

    async def list(
        self, request: PageRequest, *, only: frozenset[TenantUuid] | None
    ) -> Page[Tenant]:
        """Oldest first. `only`: None is every tenant of the app."""
        ...

    async def member(self, tenant_uuid: TenantUuid, user_uuid: UserUuid) -> Membership | None: ...
    async def put_member(self, membership: Membership) -> None:
        """Add a member, or change the role of one. Raises NotFound without the tenant."""
        ...

    async def remove_member(self, tenant_uuid: TenantUuid, user_uuid: UserUuid) -> Membership:
        """Raises NotFound."""
        ...


class TenancyTx(Protocol):
    """The part of a transaction that tenancy may touch."""

    @property
    def admissions(self) -> Admissions: ...
    @property
    def apps(self) -> Apps: ...
    @property
    def tenants(self) -> Tenants: ...
    @property
    def outbox(self) -> Outbox: ...
