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
    DomainError,
    ProviderUnavailable,
    ProviderUnreadable,
    Refused,
)
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.access_tokens import granted
from domain.payments.connect import ConnectPort, ConnectTx, Grant, Merchant, Tokens
from domain.payments.connect_service import AGAIN, Connected, Exchange, connected, digest
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Providers, Vault
from domain.payments.provider_service import account_event

_ANOTHER: Final = (
    "the code is of another organisation than the customers and payments of this account: delete "
    "this payment provider, and make another account for {}"
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
        try:
            merchant = await port.merchant(tokens.access)
            return await self._kept(begun, tokens, merchant)
        except DomainError as error:
            await self._let_go(port, begun, tokens, error)
            raise

    async def _kept(self, begun: Exchange, tokens: Tokens, merchant: Merchant) -> Connected:
        async with self.unit_of_work.begin(begun.account.app_uuid) as tx:
            before = await tx.payment_providers.get_for_update(begun.account.uuid)
            grant = await tx.grants.get_for_update(before.uuid)
            if grant is None or not _is_still(begun, before, grant):
                raise Conflict(f"the connecting was begun again, or given up, meanwhile: {AGAIN}")
            is_another = grant.organization_ref not in (None, merchant.organization_ref)
            if is_another and await tx.grants.account_is_used(before.uuid):
                raise Refused(_ANOTHER.format(merchant.organization_ref), field="code")
            now = self.clock.now()
            default = await tx.payment_providers.default(before.name)
            after = replace(
                before,
                is_connected=True,
                is_default=before.is_default or default is None,
                account_ref=merchant.organization_ref,
                profile_ref=_profile(before, merchant),
                provider_metadata=standing(merchant),
                disconnected_because=None,
                updated_at=now,
            )
            await tx.payment_providers.save(after)
            # A token of an earlier consent may be in use until its end.
            since = max(now, grant.access_expires_at or now)
            grant = replace(
                granted(grant, tokens, self.vault, at=now),
                access_since=since,
                finished_at=now,
                organization_ref=merchant.organization_ref,
                onboarding_url=merchant.onboarding_url,
            )
            await tx.grants.save(grant)
            await tx.outbox.append(account_event("connected", after, at=now))
        return connected(after, grant)

    async def _let_go(
        self, port: ConnectPort, begun: Exchange, tokens: Tokens, error: DomainError
    ) -> None:
        """Nobody would ever use these tokens. Where the account is connected they stay: should
        they be the same that it has, it would be shut out."""
        if isinstance(error, Refused) or not begun.account.is_connected:
            with suppress(ProviderUnavailable, ProviderUnreadable):
                await port.revoke(tokens.refresh)


def _is_still(begun: Exchange, account: PaymentProvider, grant: Grant) -> bool:
    is_same = (grant.state_hash, grant.code_hash) == (begun.state_hash, digest(begun.code))
    return is_same and account.deleted_at is None


def _profile(account: PaymentProvider, merchant: Merchant) -> str | None:
    """The one that it had, or the oldest."""
    if account.profile_ref in merchant.profile_refs:
        return account.profile_ref
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
