"""An app's webhook endpoints: registered, changed, tested, given a new secret, deleted.

A secret is made here, told once, and sealed before anything is stored.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.kernel.change import given
from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict, Invalid, Refused, Violation
from domain.kernel.ids import Ids
from domain.kernel.pages import Page, PageRequest
from domain.payments.ports import Vault
from domain.tenancy.caller import Actor, Scope
from domain.webhooks.endpoint import (
    DisabledReason,
    EndpointStatus,
    WebhookEndpoint,
    disabled,
    enabled,
    endpoint_event,
    secret_context,
)
from domain.webhooks.event_types import EVENT_TYPES
from domain.webhooks.ports import NewSecret, WebhooksTx
from domain.webhooks.targets import target_mistake

ENDPOINTS_MAX: Final = 20
"""Each event is written down once more for every endpoint that wants it."""

OLD_SECRET_LIVES: Final = timedelta(hours=24)
OLD_SECRET_LIVES_MAX: Final = timedelta(days=7)


class NewEndpoint(Struct, frozen=True, kw_only=True):
    url: str
    event_types: tuple[str, ...] = ()
    description: str | None = None


class EndpointChange(Struct, frozen=True, kw_only=True):
    url: str | UnsetType = UNSET
    event_types: tuple[str, ...] | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    status: EndpointStatus | UnsetType = UNSET


class WithSecret(Struct, frozen=True):
    endpoint: WebhookEndpoint
    secret: str
    """In plain text, this once."""


@dataclass(frozen=True, slots=True)
class EndpointService:
    vault: Vault
    new_secret: NewSecret
    clock: Clock
    ids: Ids
    near_targets: bool = False
    """Development: private addresses and http are fine."""

    async def create(self, tx: WebhooksTx, actor: Actor, new: NewEndpoint) -> WithSecret:
        actor.need(Scope.WEBHOOKS_WRITE)
        self._check(new.url, new.event_types)
        if await tx.webhook_endpoints.count() >= ENDPOINTS_MAX:
            raise Refused(f"an app has {ENDPOINTS_MAX} webhook endpoints at most: delete one")
        uuid, secret, now = self.ids.new(), self.new_secret(), self.clock.now()
        endpoint = WebhookEndpoint(
            uuid=uuid,
            app_uuid=actor.app_uuid,
            url=new.url,
            event_types=new.event_types,
            description=new.description,
            secret_sealed=self.vault.seal(secret, context=secret_context(uuid, actor.app_uuid)),
            created_at=now,
            updated_at=now,
        )
        await tx.webhook_endpoints.add(endpoint)
        await tx.outbox.append(endpoint_event("created", endpoint, at=now))
        return WithSecret(endpoint, secret)

    async def get(self, tx: WebhooksTx, actor: Actor, uuid: UUID) -> WebhookEndpoint:
        """Deleted ones too: their deliveries refer to them."""
        actor.need(Scope.WEBHOOKS_READ)
        return await tx.webhook_endpoints.get(uuid)

    async def page(
        self, tx: WebhooksTx, actor: Actor, request: PageRequest
    ) -> Page[WebhookEndpoint]:
        actor.need(Scope.WEBHOOKS_READ)
        return await tx.webhook_endpoints.page(request)

    async def update(
        self, tx: WebhooksTx, actor: Actor, uuid: UUID, change: EndpointChange
    ) -> WebhookEndpoint:
        """Enabling it again clears what it failed before; disabling gives up what is pending."""
        before = await self._held(tx, actor, uuid)
        facts, now = given(change), self.clock.now()
        self._check(facts.get("url"), facts.get("event_types", ()))
        status = facts.pop("status", before.status)
        after = replace(before, **facts)
        if status is EndpointStatus.ENABLED and not after.is_enabled:
            after = enabled(after, at=now)
        is_ending = status is EndpointStatus.DISABLED and after.is_enabled
        if after == before and not is_ending:
            return before
        after = replace(after, updated_at=now)
        if is_ending:
            after, events = disabled(after, DisabledReason.BY_HAND, at=now)
            await tx.webhook_deliveries.give_up(uuid, at=now)
        else:
            events = (endpoint_event("updated", after, at=now),)
        await tx.webhook_endpoints.save(after)
        await tx.outbox.append(*events)
        return after

    async def roll_secret(
        self, tx: WebhooksTx, actor: Actor, uuid: UUID, old_lives: timedelta
    ) -> WithSecret:
        """Both sign until the old one has lived its time. One that was older still ends now."""
        assert timedelta() <= old_lives <= OLD_SECRET_LIVES_MAX, old_lives
        before = await self._held(tx, actor, uuid)
        secret, now = self.new_secret(), self.clock.now()
        after = replace(
            before,
            secret_sealed=self.vault.seal(secret, context=secret_context(uuid, actor.app_uuid)),
            previous_secret_sealed=before.secret_sealed,
            previous_secret_expires_at=now + old_lives,
            updated_at=now,
        )
        await tx.webhook_endpoints.save(after)
        await tx.outbox.append(endpoint_event("secret_rolled", after, at=now))
        return WithSecret(after, secret)

    async def test(self, tx: WebhooksTx, actor: Actor, uuid: UUID) -> WebhookEndpoint:
        """An event for this endpoint alone, on the way that all events go."""
        endpoint = need_enabled(await self._held(tx, actor, uuid))
        await tx.outbox.append(endpoint_event("test", endpoint, at=self.clock.now()))
        return endpoint

    async def delete(self, tx: WebhooksTx, actor: Actor, uuid: UUID) -> WebhookEndpoint:
        actor.need(Scope.WEBHOOKS_WRITE)
        before = await tx.webhook_endpoints.get_for_update(uuid)
        if before.deleted_at is not None:
            return before
        now = self.clock.now()
        after, _ = disabled(before, DisabledReason.DELETED, at=now)
        after = replace(after, deleted_at=now)
        await tx.webhook_deliveries.give_up(uuid, at=now)
        await tx.webhook_endpoints.save(after)
        await tx.outbox.append(endpoint_event("deleted", after, at=now))
        return after

    async def _held(self, tx: WebhooksTx, actor: Actor, uuid: UUID) -> WebhookEndpoint:
        actor.need(Scope.WEBHOOKS_WRITE)
        endpoint = await tx.webhook_endpoints.get_for_update(uuid)
        if endpoint.deleted_at is not None:
            raise Conflict("the webhook endpoint is deleted")
        return endpoint

    def _check(self, url: str | None, event_types: tuple[str, ...]) -> None:
        mistakes = [
            Violation(f"there is no event type {type}", f"eventTypes[{place}]")
            for place, type in enumerate(event_types)
            if type not in EVENT_TYPES
        ]
        if url is not None and (mistake := target_mistake(url, near=self.near_targets)):
            mistakes.append(Violation(mistake, "url"))
        if mistakes:
            raise Invalid(mistakes)


def need_enabled(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Raises Conflict."""
    if not endpoint.is_enabled:
        raise Conflict("the webhook endpoint is disabled: enable it first")
    return endpoint
