"""Exchanges a merchant's code for tokens, and makes the account one that we are let into.

That the code is used is committed before. A provider takes a code once: when its answer is lost,
or we die before the tokens are kept, the merchant has to be asked again, and is told so.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import (
    Conflict,
    ProviderUnavailable,
    ProviderUnreadable,
    Refused,
)
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.access_tokens import granted
from domain.payments.connect import (
    ConnectPort,
    ConnectTx,
    Grant,
    Merchant,
    Tokens,
    refresh_context,
)
from domain.payments.connect_service import AGAIN, Connected, Exchange, connected, digest
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Providers, Vault
from domain.payments.provider_service import account_event

_ANOTHER: Final = (
    "the code is of another organisation than the customers and payments of this account: delete "
    "this payment provider, and make another account for {}"
)
# What was asked for in the name of one profile is not in the lists of another, and would be asked
# for again.
_MOVED: Final = (
    "the profile that this account's payments were made for is gone at the provider: delete this "
    "payment provider, and make another account"
)


@dataclass(frozen=True, slots=True)
class FinishConnecting:
    unit_of_work: UnitOfWork[ConnectTx]
    providers: Providers
    vault: Vault
    clock: Clock

    async def __call__(self, begun: Exchange) -> Connected:
        """Raises Refused that blames the code, Conflict when another has begun meanwhile, and
        ProviderUnavailable or ProviderUnreadable: all of them mean to begin again."""
        port = self.providers[begun.account.name].connect
        assert port is not None
        try:
            tokens = await port.exchange(begun.code)
        except ProviderUnavailable as error:
            raise ProviderUnavailable(f"{error}; the code may be used up: {AGAIN}") from None
        if tokens is None:
            raise Refused(f"is used, too old, or not one of ours: {AGAIN}", field="code")
        merchant = None
        try:
            merchant = await port.merchant(tokens.access)
            done, over = await self._kept(begun, tokens, merchant)
        except Exception:
            # Nobody would ever use these tokens. But a connected account may have the same ones,
            # unless they are somebody else's, and would be shut out.
            ref = begun.account.account_ref if merchant is None else merchant.organization_ref
            if not begun.account.is_connected or ref != begun.account.account_ref:
                await _revoke(port, tokens.refresh)
            raise
        if over is not None:
            await _revoke(port, over)
        return done

    async def _kept(
        self, begun: Exchange, tokens: Tokens, merchant: Merchant
    ) -> tuple[Connected, str | None]:
        """And the refresh token of another organisation, which is over now."""
        async with self.unit_of_work.begin(begun.account.app_uuid) as tx:
            before = await tx.payment_providers.get_for_update(begun.account.uuid)
            grant = await tx.grants.get_for_update(before.uuid)
            if grant is None or not _is_still(begun, before, grant):
                raise Conflict(f"the connecting was begun again, or given up, meanwhile: {AGAIN}")
            is_another = grant.organization_ref not in (None, merchant.organization_ref)
            profile = _profile(grant, merchant)
            is_moved = grant.profile_ref not in (None, profile)
            if (is_another or is_moved) and await tx.grants.account_is_used(before.uuid):
                said = _ANOTHER.format(merchant.organization_ref) if is_another else _MOVED
                raise Refused(said, field="code")
            now = self.clock.now()
            default = await tx.payment_providers.default(before.name)
            after = replace(
                before,
                is_connected=True,
                account_ref=merchant.organization_ref,
                profile_ref=profile,
                provider_metadata=standing(merchant),
                disconnected_because=None,
                updated_at=now,
            )
            if default is None and after.can_be_paid:
                after = replace(after, is_default=True)
            await tx.payment_providers.save(after)
            over = None
            if is_another and grant.refresh_sealed is not None:
                over = self.vault.open(grant.refresh_sealed, context=refresh_context(grant))
            # A token of an earlier consent may be in use until its end.
            since = max(now, grant.access_expires_at or now)
            grant = replace(
                granted(grant, tokens, self.vault, at=now),
                access_since=since,
                finished_at=now,
                organization_ref=merchant.organization_ref,
                profile_ref=profile,
                onboarding_url=merchant.onboarding_url,
            )
            await tx.grants.save(grant)
            await tx.outbox.append(account_event("connected", after, at=now))
        return connected(after, grant), over


async def _revoke(port: ConnectPort, refresh: str) -> None:
    """With no transaction open, as well as it goes."""
    with suppress(ProviderUnavailable, ProviderUnreadable):
        await port.revoke(refresh)


def _is_still(begun: Exchange, account: PaymentProvider, grant: Grant) -> bool:
    is_same = (grant.state_hash, grant.code_hash) == (begun.state_hash, digest(begun.code))
    return is_same and account.deleted_at is None


def _profile(grant: Grant, merchant: Merchant) -> str | None:
    """The one that it had, or the oldest."""
    if grant.profile_ref in merchant.profile_refs:
        return grant.profile_ref
    return next(iter(merchant.profile_refs), None)


def standing(merchant: Merchant) -> dict[str, object]:
    has_profile = bool(merchant.profile_refs)
    return {
        "onboardingStatus": merchant.onboarding_status,
        "organizationName": merchant.organization_name,
        "canReceivePayments": merchant.can_receive_payments and has_profile,
        "canReceiveSettlements": merchant.can_receive_settlements,
        "missingFields": [] if has_profile else ["profile"],
    }
