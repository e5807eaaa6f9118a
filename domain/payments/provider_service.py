"""An app's accounts at payment providers: connected, rotated, chosen as default, let go.

A credential comes in and never goes out again: it is sealed here, before anything is stored.
"""

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
from domain.payments.payment_provider import (
    ConnectedBy,
    PaymentProvider,
    ProviderMode,
    ProviderName,
)
from domain.payments.ports import (
    CredentialRules,
    Credentials,
    Vault,
    credential_context,
    webhook_secret_context,
)
from domain.tenancy.caller import Actor, Scope

HINT_LENGTH: Final = 4


class NewProvider(Struct, frozen=True, kw_only=True):
    name: ProviderName
    credential: str
    mode: ProviderMode | None = None
    """None: as the credential says. Not all of them say it."""
    title: str | None = None
    webhook_secret: str | None = None
    verification_amount_minor: int | None = None


class ProviderChange(Struct, frozen=True, kw_only=True):
    credential: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    webhook_secret: str | UnsetType | None = UNSET
    verification_amount_minor: int | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class ProviderService:
    vault: Vault
    credentials: Credentials
    clock: Clock
    ids: Ids

    async def create(self, tx: AccountsTx, actor: Actor, new: NewProvider) -> PaymentProvider:
        """The first account of a name becomes the app's default for it."""
        actor.need(Scope.PROVIDERS_WRITE)
        rules = self.credentials[new.name]
        mistakes = list(rules.mistakes(new.credential, new.mode))
        if new.webhook_secret is not None:
            mistakes += _secret_mistakes(new.name, rules)
        if mistakes:
            raise Invalid(mistakes)
        mode = new.mode or rules.mode_of(new.credential)
        assert mode is not None
        uuid, now = self.ids.new(), self.clock.now()
        context = credential_context(uuid, actor.app_uuid)
        account = PaymentProvider(
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
        if new.webhook_secret is not None:
            account = self._with_secret(account, new.webhook_secret)
        account = await tx.payment_providers.add(account)
        await tx.outbox.append(account_event("created", account, at=now))
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
        """A new credential of the same mode takes the old one's place: that is rotation. So does
        a new webhook secret; null lets the old one go."""
        actor.need(Scope.PROVIDERS_WRITE)
        before = await tx.payment_providers.get_for_update(uuid)
        if before.deleted_at is not None:
            raise Conflict("the payment provider is deleted")
        if before.is_default and change.is_default is False:
            raise Refused("make another account the default instead", field="isDefault")
        if change.is_default is True and not (before.is_default or before.can_be_paid):
            raise Refused("the account is not connected yet, or has no profile", field="isDefault")
        facts = given(change)
        credential = facts.pop("credential", None)
        speaks_of_secret = "webhook_secret" in facts
        secret = facts.pop("webhook_secret", None)
        after = replace(before, **facts)
        if credential is not None:
            after = self._rotated(after, credential)
        if speaks_of_secret:
            after = self._with_secret(after, secret)
        if after == before:
            return before
        now = self.clock.now()
        after = replace(after, updated_at=now)
        if after.is_default and not before.is_default:
            await tx.payment_providers.clear_default(after.name, at=now)
        await tx.payment_providers.save(after)
        what = "updated" if credential is None else "credential_rotated"
        await tx.outbox.append(account_event(what, after, at=now))
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
        await tx.outbox.append(account_event("deleted", after, at=now))
        return after

    def _rotated(self, account: PaymentProvider, credential: str) -> PaymentProvider:
        if account.connected_by is not ConnectedBy.API_KEY:
            raise Refused("the account is connected by its merchant's consent", field="credential")
        rules = self.credentials[account.name]
        told = rules.mode_of(credential)
        if mistakes := list(rules.mistakes(credential, told or account.mode)):
            raise Invalid(mistakes)
        if told not in (None, account.mode):
            raise Refused(
                f"the account is {account.mode}: connect the other mode as another account",
                field="credential",
            )
        context = credential_context(account.uuid, account.app_uuid)
        return replace(
            account,
            credential_sealed=self.vault.seal(credential, context=context),
            credential_hint=credential[-HINT_LENGTH:],
            credential_since=self.clock.now(),
        )

    def _with_secret(self, account: PaymentProvider, secret: str | None) -> PaymentProvider:
        if secret is None:
            return replace(account, webhook_secret_sealed=None)
        if mistakes := _secret_mistakes(account.name, self.credentials[account.name]):
            raise Invalid(mistakes)
        context = webhook_secret_context(account.uuid, account.app_uuid)
        sealed = self.vault.seal(secret, context=context)
        return replace(account, webhook_secret_sealed=sealed)


def _secret_mistakes(name: ProviderName, rules: CredentialRules) -> list[Violation]:
    if rules.signs_webhooks:
        return []
    return [Violation(f"the webhooks of {name} are not signed", "webhookSecret")]


def account_event(what: str, account: PaymentProvider, *, at: datetime, **more: object) -> Event:
    facts = {
        "paymentProviderUuid": str(account.uuid),
        "name": account.name,
        "mode": account.mode,
        "isDefault": account.is_default,
        **more,
    }
    return Event(type=f"payment_provider.{what}", aggregate_uuid=account.uuid, at=at, facts=facts)
