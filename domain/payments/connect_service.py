"""The one account that an app's merchant connects at a provider: made, asked consent for, let go.

One for each app, provider and mode. Before it is connected, and after it was disconnected, it is
`pending_...`: everything that was made through it stays, and no call of its own gets through.
"""

import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import (
    Conflict,
    NotFound,
    ProviderUnavailable,
    ProviderUnreadable,
    Refused,
)
from domain.kernel.ids import Ids
from domain.payments.connect import ConnectPort, ConnectTx, Grant, refresh_context
from domain.payments.payment_provider import (
    ConnectedBy,
    Parting,
    PaymentProvider,
    ProviderMode,
    ProviderName,
)
from domain.payments.ports import Providers, Vault
from domain.payments.provider_service import account_event
from domain.tenancy.caller import Actor, Scope

STATE_LIVES: Final = timedelta(minutes=10)
EXCHANGE_TAKES: Final = timedelta(seconds=30)
"""At most: a code that was brought longer ago, and has led to nothing, never will."""
AGAIN: Final = "begin again with connected=false"


class Which(Struct, frozen=True):
    """An app has one of each."""

    name: ProviderName
    mode: ProviderMode


class Connected(Struct, frozen=True, kw_only=True):
    account: PaymentProvider
    onboarding_url: str | None
    """Where the merchant goes on, when it cannot receive payments yet."""


class Exchange(Struct, frozen=True, kw_only=True):
    """A code that may be exchanged, once, now that it is written down as used."""

    account: PaymentProvider
    code: str
    state_hash: bytes


class Revocation(Struct, frozen=True, kw_only=True):
    """What is left to say to the provider of an account that is disconnected already."""

    account: PaymentProvider
    refresh: str | None


@dataclass(frozen=True, slots=True)
class ConnectService:
    providers: Providers
    vault: Vault
    clock: Clock
    ids: Ids

    async def find(self, tx: ConnectTx, actor: Actor, which: Which) -> PaymentProvider | None:
        actor.need(Scope.PROVIDERS_READ)
        self._port(which.name)
        return await tx.grants.account(which.name, which.mode)

    async def create(self, tx: ConnectTx, actor: Actor, which: Which) -> PaymentProvider:
        """The pending account; the one that there is, if there is one."""
        actor.need(Scope.PROVIDERS_WRITE)
        self._ready(which.name)
        if (held := await tx.grants.account(which.name, which.mode)) is not None:
            return held
        # The operator's fee outlives the account: no app takes it off by making another.
        before = await tx.grants.deleted_account(which.name, which.mode)
        fee, now = None if before is None else before.application_fee, self.clock.now()
        new = PaymentProvider(
            uuid=self.ids.new(),
            app_uuid=actor.app_uuid,
            name=which.name,
            mode=which.mode,
            title=f"{which.name.capitalize()} ({which.mode})",
            is_default=False,
            credential_sealed=None,
            credential_hint="",
            connected_by=ConnectedBy.OAUTH,
            is_connected=False,
            account_ref=self._pending(),
            application_fee=fee,
            created_at=now,
            updated_at=now,
        )
        try:
            account = await tx.payment_providers.add(new)
        except Conflict:
            made = await tx.grants.account(which.name, which.mode)
            if made is None:
                raise
            return made
        await tx.grants.add(Grant(app_uuid=actor.app_uuid, payment_provider_uuid=account.uuid))
        await tx.outbox.append(account_event("created", account, at=now))
        return account

    async def begin(self, tx: ConnectTx, actor: Actor, which: Which) -> tuple[PaymentProvider, str]:
        """The address where the merchant is asked. Whatever was begun before is over."""
        actor.need(Scope.PROVIDERS_WRITE)
        port = self._ready(which.name)
        account, grant = await self._locked(tx, which)
        state = self.ids.secret()
        await tx.grants.save(
            replace(
                grant,
                state_hash=digest(state),
                state_issued_at=self.clock.now(),
                code_hash=None,
                code_used_at=None,
                finished_at=None,
            )
        )
        return account, port.address(state)

    async def bring(
        self, tx: ConnectTx, actor: Actor, which: Which, *, code: str, state: str
    ) -> Connected | Exchange:
        """Writes down that the code is used. Connected: it was, and all is done already."""
        actor.need(Scope.PROVIDERS_WRITE)
        self._ready(which.name)
        account, grant = await self._locked(tx, which)
        now = self.clock.now()
        if grant.state_hash is None or grant.state_issued_at is None:
            raise Refused(f"no state was issued for this account: {AGAIN}", field="state")
        if not hmac.compare_digest(grant.state_hash, digest(state)):
            raise Refused(f"is not the one issued last for this account: {AGAIN}", field="state")
        if grant.code_hash is not None:
            return self._brought_before(account, grant, code)
        if now >= grant.state_issued_at + STATE_LIVES:
            raise Refused(f"is older than ten minutes: {AGAIN}", field="state")
        await tx.grants.save(replace(grant, code_hash=digest(code), code_used_at=now))
        return Exchange(account=account, code=code, state_hash=grant.state_hash)

    def _brought_before(self, account: PaymentProvider, grant: Grant, code: str) -> Connected:
        assert grant.code_hash is not None and grant.code_used_at is not None
        if not hmac.compare_digest(grant.code_hash, digest(code)):
            raise Refused(f"was used before, with another code: {AGAIN}", field="state")
        if grant.finished_at is not None and account.is_connected:
            return connected(account, grant)
        if self.clock.now() < grant.code_used_at + EXCHANGE_TAKES and grant.finished_at is None:
            raise Conflict("the same code is being exchanged right now")
        # The provider takes a code once. What it answered is lost, or the consent is over since.
        raise Refused(f"was used before, and the account is not connected: {AGAIN}", field="code")

    async def disconnect(self, tx: ConnectTx, actor: Actor, which: Which) -> Revocation:
        """Nothing is left here that could be used. Payments, customers and subscriptions stay.

        Where the account is deleted already, it is that one's consent that ends.
        """
        actor.need(Scope.PROVIDERS_WRITE)
        self._port(which.name)
        before, grant = await self._locked(tx, which, or_deleted=True)
        refresh = None
        if grant.refresh_sealed is not None:
            refresh = self.vault.open(grant.refresh_sealed, context=refresh_context(grant))
        await tx.grants.save(
            replace(
                grant.without_tokens(),
                state_hash=None,
                state_issued_at=None,
                code_hash=None,
                code_used_at=None,
                finished_at=None,
            )
        )
        if not before.is_connected and before.disconnected_because is not Parting.MERCHANT:
            return Revocation(account=before, refresh=refresh)
        now = self.clock.now()
        after = replace(
            before,
            is_connected=False,
            is_default=False,
            account_ref=self._pending(),
            profile_ref=None,
            provider_metadata={},
            disconnected_because=Parting.APP,
            updated_at=now,
        )
        await tx.payment_providers.save(after)
        if before.is_connected:
            event = account_event("disconnected", after, at=now, reason=Parting.APP)
            await tx.outbox.append(event)
        return Revocation(account=after, refresh=refresh)

    async def revoke(self, over: Revocation) -> None:
        """With no transaction open, after `disconnect` is committed. As well as it goes."""
        if over.refresh is not None:
            with suppress(ProviderUnavailable, ProviderUnreadable):
                await self._port(over.account.name).revoke(over.refresh)

    def _port(self, name: ProviderName) -> ConnectPort:
        """Raises NotFound where accounts cannot be connected like this."""
        port = self.providers[name].connect
        if port is None:
            raise NotFound("payment provider to connect", name)
        return port

    def _ready(self, name: ProviderName) -> ConnectPort:
        """As `_port`, to connect. Raises Refused where the operator has not said how."""
        port = self._port(name)
        if (setting := port.unset_setting()) is not None:
            raise Refused(f"accounts cannot be connected: the operator must set {setting}")
        return port

    async def _locked(
        self, tx: ConnectTx, which: Which, *, or_deleted: bool = False
    ) -> tuple[PaymentProvider, Grant]:
        account = await tx.grants.account(which.name, which.mode, lock=True)
        if account is None and or_deleted:
            account = await tx.grants.deleted_account(which.name, which.mode, with_tokens=True)
        grant = None if account is None else await tx.grants.get_for_update(account.uuid)
        if account is None or grant is None:
            raise NotFound("account", which.mode)
        return account, grant

    def _pending(self) -> str:
        return f"pending_{UUID(bytes=digest(self.ids.secret())[:16], version=4)}"


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def connected(account: PaymentProvider, grant: Grant) -> Connected:
    can_receive = (account.provider_metadata or {}).get("canReceivePayments") is True
    return Connected(account=account, onboarding_url=None if can_receive else grant.onboarding_url)
