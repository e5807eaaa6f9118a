"""Connected accounts and their grants in memory, and a unit of work around them.

tests/contract/test_grants.py holds it to what PostgreSQL does. Nothing in a transaction waits, so
transactions never overlap; a transaction that fails leaves nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.errors import Conflict, NotFound
from domain.kernel.events import Event
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.connect import Grant
from domain.payments.payment_provider import (
    ConnectedBy,
    PaymentProvider,
    ProviderMode,
    ProviderName,
)


class FakeGrantRows:
    """Implements `Grants`, of all apps: their ids are enough to tell them apart."""

    def __init__(self, app_uuid: AppUuid, world: "FakeGrants") -> None:
        self._app_uuid, self._world = app_uuid, world

    async def add(self, grant: Grant) -> None:
        self._world.rows[self._app_uuid, grant.payment_provider_uuid] = grant

    async def get(self, account_uuid: UUID) -> Grant | None:
        return self._world.rows.get((self._app_uuid, account_uuid))

    get_for_update = get

    async def save(self, grant: Grant) -> None:
        self._world.rows[self._app_uuid, grant.payment_provider_uuid] = grant

    async def account(
        self, name: ProviderName, mode: ProviderMode, *, lock: bool = False
    ) -> PaymentProvider | None:
        for account in self._world.of(self._app_uuid):
            is_one = account.connected_by is ConnectedBy.OAUTH and account.deleted_at is None
            if is_one and (account.name, account.mode) == (name, mode):
                return account
        return None

    async def deleted_account(
        self, name: ProviderName, mode: ProviderMode, *, with_tokens: bool = False
    ) -> PaymentProvider | None:
        for account in reversed(self._world.of(self._app_uuid)):
            grant = self._world.rows.get((self._app_uuid, account.uuid))
            if grant is None or account.deleted_at is None:
                continue
            is_one = grant.refresh_sealed is not None or not with_tokens
            if is_one and (account.name, account.mode) == (name, mode):
                return account
        return None

    async def account_is_used(self, account_uuid: UUID) -> bool:
        return account_uuid in self._world.used


class FakeAccounts:
    """Implements `PaymentProviders`, as far as connected accounts need it."""

    def __init__(self, app_uuid: AppUuid, world: "FakeGrants") -> None:
        self._app_uuid, self._world = app_uuid, world

    async def add(self, account: PaymentProvider) -> PaymentProvider:
        kind = account.name, account.mode
        is_one = account.connected_by is ConnectedBy.OAUTH
        if is_one and any((a.name, a.mode) == kind and not a.deleted_at for a in self._connected()):
            raise Conflict("the account was made at the same time: ask again")
        numbered = replace(account, id=len(self._world.accounts) + 1)
        self._world.accounts[self._app_uuid, account.uuid] = numbered
        return numbered

    def _connected(self) -> list[PaymentProvider]:
        return [a for a in self._world.of(self._app_uuid) if a.connected_by is ConnectedBy.OAUTH]

    async def get(self, uuid: UUID) -> PaymentProvider:
        if (found := self._world.accounts.get((self._app_uuid, uuid))) is None:
            raise NotFound("payment provider", uuid)
        return found

    get_for_update = get

    async def default(self, name: ProviderName) -> PaymentProvider | None:
        for account in self._world.of(self._app_uuid):
            if account.is_default and account.name is name and account.deleted_at is None:
                return account
        return None

    async def usual(
        self, tenant_uuid: TenantUuid, mandate_uuid: UUID | None
    ) -> PaymentProvider | None:
        raise AssertionError("nobody is charged here")

    async def page(self, request: PageRequest) -> Page[PaymentProvider]:
        found = tuple(self._world.of(self._app_uuid))
        return Page(found, len(found))

    async def save(self, account: PaymentProvider) -> None:
        self._world.accounts[self._app_uuid, account.uuid] = account

    async def clear_default(self, name: ProviderName, *, at: datetime) -> None:
        raise AssertionError("nobody chooses another default here")


class FakeOutbox:
    def __init__(self, world: "FakeGrants") -> None:
        self._world = world

    async def append(self, *events: Event) -> None:
        self._world.events += events


class FakeConnectTx:
    def __init__(self, app_uuid: AppUuid, world: "FakeGrants") -> None:
        self.grants = FakeGrantRows(app_uuid, world)
        self.payment_providers = FakeAccounts(app_uuid, world)
        self.outbox = FakeOutbox(world)


class FakeGrants:
    """The world: a unit of work over it, and what a test looks at."""

    def __init__(self) -> None:
        self.rows: dict[tuple[AppUuid, UUID], Grant] = {}
        self.accounts: dict[tuple[AppUuid, UUID], PaymentProvider] = {}
        self.events: list[Event] = []
        self.used: set[UUID] = set()
        """Accounts with customers or payments."""
        self.begun = 0

    def of(self, app_uuid: AppUuid) -> list[PaymentProvider]:
        return [account for (app, _), account in self.accounts.items() if app == app_uuid]

    @asynccontextmanager
    async def begin(self, app_uuid: AppUuid) -> AsyncIterator[FakeConnectTx]:
        self.begun += 1
        before = dict(self.rows), dict(self.accounts), list(self.events)
        try:
            yield FakeConnectTx(app_uuid, self)
        except BaseException:
            self.rows, self.accounts, self.events = before
            raise
