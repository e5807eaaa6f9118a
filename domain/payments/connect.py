"""What connecting an account by a merchant's consent (OAuth) needs from outside.

The merchant allows us in at the provider; a code comes back, good once; tokens follow from it.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.ids import AppUuid
from domain.payments.accounts import AccountsTx
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName


class Tokens(Struct, frozen=True, kw_only=True):
    access: str
    refresh: str
    lives_s: int
    """For how many seconds the access token is good. The refresh token has no end of its own."""


class Merchant(Struct, frozen=True, kw_only=True):
    """Who has let us in, and how far it has come at the provider."""

    organization_ref: str
    organization_name: str
    profile_refs: tuple[str, ...]
    """The oldest first, as the provider lists them. Payments are made for one of them."""
    onboarding_status: str
    can_receive_payments: bool
    can_receive_settlements: bool
    onboarding_url: str
    """The provider's page on which what is missing is told."""


class ConnectPort(Protocol):
    """Of a provider whose merchants can let us in. Each method makes one bounded call or a few,
    never inside a transaction, and raises what all ports of a provider raise."""

    def unset_setting(self) -> str | None:
        """The setting that the operator has to set first. None: all are there."""
        ...

    def address(self, state: str) -> str:
        """The provider's page that asks the merchant for consent."""
        ...

    async def exchange(self, code: str) -> Tokens | None:
        """None: the code is not good. It never is a second time."""
        ...

    async def merchant(self, access: str) -> Merchant:
        """Whom an access token opens."""
        ...

    async def refresh(self, refresh: str) -> Tokens | None:
        """None: the merchant has taken its consent back."""
        ...

    async def revoke(self, refresh: str) -> None:
        """The token, and all access that came of it, is over. Doing it twice is no error."""
        ...


class Grant(Struct, frozen=True, kw_only=True):
    """An account's consent: how it is being asked for, and the sealed tokens it has led to."""

    app_uuid: AppUuid
    payment_provider_uuid: UUID
    state_hash: bytes | None = None
    """SHA-256 of the `state` that was issued last."""
    state_issued_at: datetime | None = None
    code_hash: bytes | None = None
    """Of the code that was brought with it: from then on both are used."""
    code_used_at: datetime | None = None
    finished_at: datetime | None = None
    """When that code had led to a connected account."""
    organization_ref: str | None = None
    """Who was connected last. It stays when the account is disconnected."""
    profile_ref: str | None = None
    """Whom payments were made for last. So does this."""
    onboarding_url: str | None = None
    refresh_sealed: bytes | None = None
    access_sealed: bytes | None = None
    access_since: datetime | None = None
    access_expires_at: datetime | None = None
    """Of the last one, also when it is deleted."""
    lease_until: datetime | None = None
    """Somebody is renewing the access token, until then at the latest."""
    fence: int = 0
    """Grows whenever the tokens are anybody's to change: who holds an older one writes nothing."""

    def without_tokens(self) -> "Grant":
        """The end of the access token stays: until then a process may still have it in memory."""
        return replace(
            self,
            refresh_sealed=None,
            access_sealed=None,
            access_since=None,
            lease_until=None,
            fence=self.fence + 1,
        )


class Grants(Protocol):
    """Locked after the account's own row, where both are."""

    async def add(self, grant: Grant) -> None: ...

    async def get(self, account_uuid: UUID) -> Grant | None:
        """None: it is not an account that a merchant connects."""
        ...

    async def get_for_update(self, account_uuid: UUID) -> Grant | None: ...

    async def save(self, grant: Grant) -> None: ...

    async def account(
        self, name: ProviderName, mode: ProviderMode, *, lock: bool = False
    ) -> PaymentProvider | None:
        """The app's one account of this kind that is not deleted."""
        ...

    async def deleted_account(
        self, name: ProviderName, mode: ProviderMode, *, with_tokens: bool = False
    ) -> PaymentProvider | None:
        """The newest of this kind that is deleted, locked. `with_tokens`: of those that we are
        still let into."""
        ...

    async def account_is_used(self, account_uuid: UUID) -> bool:
        """Whether there are customers at the account: no payment is asked for without one."""
        ...


class ConnectTx(AccountsTx, Protocol):
    @property
    def grants(self) -> Grants: ...


def refresh_context(grant: Grant) -> str:
    return f"{grant.app_uuid}|provider_grants|refresh_token|{grant.payment_provider_uuid}"


def access_context(grant: Grant) -> str:
    return f"{grant.app_uuid}|provider_grants|access_token|{grant.payment_provider_uuid}"
