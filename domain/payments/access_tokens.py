"""The access token of an account that a merchant has connected, renewed before it ends.

However many processes need it, one of them renews it: it holds a lease on the account's grant, and
no transaction, while it asks. The others go on with the token that is still good, or wait for the
new one, and never for long. A lease of somebody who died lapses; its fence keeps a late answer out.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.clock import Clock, Pause
from domain.kernel.errors import (
    CredentialRefused,
    DomainError,
    ProviderNotAsked,
    ProviderUnavailable,
    ProviderUnreadable,
)
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.connect import (
    ConnectPort,
    ConnectTx,
    Grant,
    Tokens,
    access_context,
    refresh_context,
)
from domain.payments.payment_provider import Parting, PaymentProvider, ProviderName
from domain.payments.ports import Vault
from domain.payments.provider_service import account_event

AHEAD: Final = timedelta(minutes=5)
"""So long before its end a token is renewed."""
LEASE: Final = timedelta(seconds=15)
"""Longer than any one call to a provider takes. A renewal that failed is not tried again before,
while the old token is good."""
PATIENCE: Final = timedelta(seconds=4)
"""How long to wait for somebody else's renewal."""
LOOK_EVERY_S: Final = 0.1
KEPT_MAX: Final = 256
NOT_CONNECTED: Final = "the account is not connected: let its merchant connect it"


class AccessToken(Struct, frozen=True, kw_only=True):
    value: str
    since: datetime
    """What was sent before this moment may have been sent with another token."""
    expires_at: datetime


class AccessTokens:
    """One for a process. What it keeps in memory is asked of nobody."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[ConnectTx],
        connects: Mapping[ProviderName, ConnectPort],
        vault: Vault,
        clock: Clock,
        pause: Pause,
    ) -> None:
        self._unit_of_work, self._connects, self._vault = unit_of_work, connects, vault
        self._clock, self._pause = clock, pause
        self._kept: dict[tuple[UUID, str | None], AccessToken] = {}
        self._asking: set[UUID] = set()
        """Accounts that somebody of this process is asking about: the others wait for that."""

    async def __call__(
        self, account: PaymentProvider, *, refused: str | None = None
    ) -> AccessToken:
        """`refused`: a token that the provider does not take any more, whatever its end.

        Raises CredentialRefused when nobody lets us in, and ProviderUnavailable and
        ProviderUnreadable when that cannot be told now.
        """
        if not account.is_connected:
            raise CredentialRefused(NOT_CONNECTED)
        give_up_at = self._clock.now() + PATIENCE
        while True:
            kept = self._kept.get((account.uuid, account.account_ref))
            if kept is not None and self._is_fresh(kept, refused):
                return kept
            if account.uuid not in self._asking:
                return await self._asked(account, refused, give_up_at)
            if kept is not None and self._is_good(kept, refused):
                return kept
            await self._wait(give_up_at)

    async def _asked(
        self, account: PaymentProvider, refused: str | None, give_up_at: datetime
    ) -> AccessToken:
        self._asking.add(account.uuid)
        try:
            while True:
                found = await self._look(account, refused)
                if isinstance(found, Grant):
                    found = await self._renewed(account, found, refused)
                if found is not None:
                    return self._keep(account, found)
                await self._wait(give_up_at)
        finally:
            self._asking.discard(account.uuid)

    async def _wait(self, give_up_at: datetime) -> None:
        if self._clock.now() >= give_up_at:
            raise ProviderNotAsked("somebody else is still renewing the access token")
        await self._pause(LOOK_EVERY_S)

    def _is_fresh(self, token: AccessToken, refused: str | None) -> bool:
        return token.value != refused and self._clock.now() < token.expires_at - AHEAD

    def _is_good(self, token: AccessToken, refused: str | None) -> bool:
        return token.value != refused and self._clock.now() < token.expires_at - LEASE

    def _keep(self, account: PaymentProvider, token: AccessToken) -> AccessToken:
        slot = (account.uuid, account.account_ref)
        self._kept.pop(slot, None)
        if len(self._kept) >= KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[slot] = token
        return token

    async def _look(
        self, account: PaymentProvider, refused: str | None
    ) -> AccessToken | Grant | None:
        """The token; or the grant, when it is ours to renew; None: wait for somebody else."""
        async with self._unit_of_work.begin(account.app_uuid) as tx:
            grant = await tx.grants.get_for_update(account.uuid)
            if grant is None or grant.refresh_sealed is None:
                raise CredentialRefused(NOT_CONNECTED)
            token = self._token(grant)
            if self._is_fresh(token, refused):
                return token
            now = self._clock.now()
            if grant.lease_until is not None and now < grant.lease_until:
                return token if self._is_good(token, refused) else None
            grant = replace(grant, lease_until=now + LEASE, fence=grant.fence + 1)
            await tx.grants.save(grant)
            return grant

    async def _renewed(
        self, account: PaymentProvider, grant: Grant, refused: str | None
    ) -> AccessToken | None:
        assert grant.refresh_sealed is not None
        refresh = self._vault.open(grant.refresh_sealed, context=refresh_context(grant))
        try:
            tokens = await self._connects[account.name].refresh(refresh)
        except (ProviderUnavailable, ProviderUnreadable) as error:
            return await self._do_without(grant, error, refused)
        if tokens is None:
            await self._shut_out(account, grant)
            raise CredentialRefused("the merchant has taken its consent back: connect again")
        async with self._unit_of_work.begin(account.app_uuid) as tx:
            held = await tx.grants.get_for_update(account.uuid)
            if held is None or held.fence != grant.fence:
                return None  # it is not ours any more: see what there is now
            held = granted(held, tokens, self._vault, at=self._clock.now())
            await tx.grants.save(held)
            return self._token(held)

    async def _do_without(
        self, grant: Grant, error: DomainError, refused: str | None
    ) -> AccessToken:
        """The lease stays while the old token is good: nobody tries again for that long."""
        token = self._token(grant)
        if self._is_good(token, refused):
            return token
        async with self._unit_of_work.begin(grant.app_uuid) as tx:
            held = await tx.grants.get_for_update(grant.payment_provider_uuid)
            if held is not None and held.fence == grant.fence:
                await tx.grants.save(replace(held, lease_until=None))
        raise error

    async def _shut_out(self, account: PaymentProvider, grant: Grant) -> None:
        now = self._clock.now()
        async with self._unit_of_work.begin(account.app_uuid) as tx:
            # The account first, as everywhere.
            before = await tx.payment_providers.get_for_update(account.uuid)
            held = await tx.grants.get_for_update(account.uuid)
            if held is None or held.fence != grant.fence:
                return
            after = replace(
                before,
                is_connected=False,
                disconnected_because=Parting.MERCHANT,
                updated_at=now,
            )
            await tx.payment_providers.save(after)
            await tx.grants.save(held.without_tokens())
            await tx.outbox.append(
                account_event("disconnected", after, at=now, reason=Parting.MERCHANT)
            )

    def _token(self, grant: Grant) -> AccessToken:
        assert grant.access_sealed is not None and grant.access_since is not None
        assert grant.access_expires_at is not None
        return AccessToken(
            value=self._vault.open(grant.access_sealed, context=access_context(grant)),
            since=grant.access_since,
            expires_at=grant.access_expires_at,
        )


def granted(grant: Grant, tokens: Tokens, vault: Vault, *, at: datetime) -> Grant:
    """With new tokens, sealed; nobody is renewing them."""
    return replace(
        grant,
        refresh_sealed=vault.seal(tokens.refresh, context=refresh_context(grant)),
        access_sealed=vault.seal(tokens.access, context=access_context(grant)),
        # The token of before may be kept elsewhere until its time has come, and one of an earlier
        # consent for longer still.
        access_since=max(at, grant.access_since or at, (grant.access_expires_at or at) - AHEAD),
        access_expires_at=at + timedelta(seconds=tokens.lives_s),
        lease_until=None,
        fence=grant.fence + 1,
    )
