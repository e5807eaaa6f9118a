"""An app's accounts at payment providers: connected, rotated, chosen as default, let go.

A credential comes in and never goes out again: it is sealed here, before anything is stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.kernel.change import given
from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict, Invalid, Refused, Violation
from domain.kernel.events import Event
from domain.kernel.ids import Ids
from domain.kernel.pages import Page, PageRequest
from domain.payments.accounts import AccountsTx
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName
from domain.payments.ports import Vault, credential_context
from domain.tenancy.caller import Actor, Scope

HINT_LENGTH: Final = 4
_MOLLIE_PREFIXES: Final = {"test_": ProviderMode.TEST, "live_": ProviderMode.LIVE}
_KOMOJU_PREFIX: Final = "sk_"


class NewProvider(Struct, frozen=True, kw_only=True):
    name: ProviderName
    credential: str
    mode: ProviderMode | None = None
    """None: as the credential says. KOMOJU's do not say it."""
    title: str | None = None
    verification_amount_minor: int | None = None


class ProviderChange(Struct, frozen=True, kw_only=True):
    credential: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    verification_amount_minor: int | UnsetType | None = UNSET


def mode_of(name: ProviderName, credential: str) -> ProviderMode | None:
    """Test or live, where the credential tells."""
    if name is ProviderName.KOMOJU:
        return None
    return _MOLLIE_PREFIXES.get(credential[:5])


def credential_mistakes(
    name: ProviderName, credential: str, mode: ProviderMode | None
) -> Iterator[Violation]:
    """What is wrong with a new account's credential, and with the mode claimed for it."""
    told = mode_of(name, credential)
    if name is ProviderName.KOMOJU:
        if not credential.startswith(_KOMOJU_PREFIX):
            yield Violation("must be a secret key, which starts with sk_", "credential")
        if mode is None:
            yield Violation("is required: a KOMOJU key does not tell test from live", "mode")
    elif told is None:
        yield Violation("must be an API key, which starts with test_ or live_", "credential")
    elif mode not in (None, told):
        yield Violation(f"the credential is for {told}", "mode")


@dataclass(frozen=True, slots=True)
class ProviderService:
    vault: Vault
    clock: Clock
    ids: Ids

    async def create(self, tx: AccountsTx, actor: Actor, new: NewProvider) -> PaymentProvider:
        """The first account of a name becomes the app's default for it."""
        actor.need(Scope.PROVIDERS_WRITE)
        if mistakes := list(credential_mistakes(new.name, new.credential, new.mode)):
            raise Invalid(mistakes)
        mode = new.mode or mode_of(new.name, new.credential)
        assert mode is not None
        uuid, now = self.ids.new(), self.clock.now()
        context = credential_context(uuid, actor.app_uuid)
        account = await tx.payment_providers.add(
            PaymentProvider(
                uuid=uuid,
                app_uuid=actor.app_uuid,
                name=new.name,
                mode=mode,
                title=new.title or f"{new.name.capitalize()} ({mode})",
                is_default=await tx.payment_providers.default(new.name) is None,
                credential_sealed=self.vault.seal(new.credential, context=context),
                credential_hint=new.credential[-HINT_LENGTH:],
                verification_amount_minor=new.verification_amount_minor,
                created_at=now,
                updated_at=now,
            )
        )
        await tx.outbox.append(_event("created", account, at=now))
        return account

    async def get(self, tx: AccountsTx, actor: Actor, uuid: UUID) -> PaymentProvider:
        """Deleted ones too: old payments refer to them."""
        actor.need(Scope.PROVIDERS_READ)
        return await tx.payment_providers.get(uuid)

    async def page(
        self, tx: AccountsTx, actor: Actor, request: PageRequest
    ) -> Page[PaymentProvider]:
        actor.need(Scope.PROVIDERS_READ)
        return await tx.payment_providers.page(request)

    async def update(
        self, tx: AccountsTx, actor: Actor, uuid: UUID, change: ProviderChange
    ) -> PaymentProvider:
        """A new credential of the same mode takes the old one's place: that is rotation."""
        actor.need(Scope.PROVIDERS_WRITE)
        before = await tx.payment_providers.get_for_update(uuid)
        if before.deleted_at is not None:
            raise Conflict("the payment provider is deleted")
        if before.is_default and change.is_default is False:
            raise Refused("make another account the default instead", field="isDefault")
        facts = given(change)
        credential = facts.pop("credential", None)
        after = replace(before, **facts)
        if credential is not None:
            after = self._rotated(after, credential)
        if after == before:
            return before
        now = self.clock.now()
        after = replace(after, updated_at=now)
        if after.is_default and not before.is_default:
            await tx.payment_providers.clear_default(after.name, at=now)
        await tx.payment_providers.save(after)
        what = "updated" if credential is None else "credential_rotated"
        await tx.outbox.append(_event(what, after, at=now))
        return after

    async def delete(self, tx: AccountsTx, actor: Actor, uuid: UUID) -> PaymentProvider:
        """No new payments through it. If it was the default, there is none until one is chosen:
        picking one here could move an app from test to live unasked."""
        actor.need(Scope.PROVIDERS_WRITE)
        before = await tx.payment_providers.get_for_update(uuid)
        if before.deleted_at is not None:
            return before
        now = self.clock.now()
        after = replace(before, deleted_at=now, updated_at=now, is_default=False)
        await tx.payment_providers.save(after)
        await tx.outbox.append(_event("deleted", after, at=now))
        return after

    def _rotated(self, account: PaymentProvider, credential: str) -> PaymentProvider:
        claimed = account.mode if account.name is ProviderName.KOMOJU else None
        if mistakes := list(credential_mistakes(account.name, credential, claimed)):
            raise Invalid(mistakes)
        if mode_of(account.name, credential) not in (None, account.mode):
            raise Refused(
                f"the account is {account.mode}: connect the other mode as another account",
                field="credential",
            )
        context = credential_context(account.uuid, account.app_uuid)
        return replace(
            account,
            credential_sealed=self.vault.seal(credential, context=context),
            credential_hint=credential[-HINT_LENGTH:],
        )


def _event(what: str, account: PaymentProvider, *, at: datetime) -> Event:
    facts = {
        "paymentProviderUuid": str(account.uuid),
        "name": account.name,
        "mode": account.mode,
        "isDefault": account.is_default,
    }
    return Event(type=f"payment_provider.{what}", aggregate_uuid=account.uuid, at=at, facts=facts)
