"""A webhook endpoint: an address of an app that wants to hear of events, all or some types.

Its secrets are sealed before they reach this struct. While it fails it is tried on and on; after
five days without a success, or when it says that it is gone, it is disabled, and an event says so.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.events import Event
from domain.kernel.ids import AppUuid
from domain.webhooks.event_types import TEST

FAILING_MAX: Final = timedelta(days=5)


class EndpointStatus(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    BY_HAND = "by_hand"
    FAILING = "failing"
    GONE = "gone"
    """It answered 410."""
    DELETED = "deleted"


class WebhookEndpoint(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    url: str
    event_types: tuple[str, ...] = ()
    """Empty: all."""
    description: str | None = None
    secret_sealed: bytes
    previous_secret_sealed: bytes | None = None
    previous_secret_expires_at: datetime | None = None
    status: EndpointStatus = EndpointStatus.ENABLED
    disabled_reason: DisabledReason | None = None
    failing_since: datetime | None = None
    """The first failure after the last success."""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def is_enabled(self) -> bool:
        return self.status is EndpointStatus.ENABLED

    def wants(self, type: str, aggregate_uuid: UUID) -> bool:
        if type == TEST:
            return aggregate_uuid == self.uuid
        return not self.event_types or type in self.event_types

    def sealed_secrets(self, at: datetime) -> tuple[bytes, ...]:
        """Those that sign now, the newest first. The one before lives on for a while."""
        old, until = self.previous_secret_sealed, self.previous_secret_expires_at
        if old is None or until is None or until <= at:
            return (self.secret_sealed,)
        return (self.secret_sealed, old)


def secret_context(endpoint_uuid: UUID, app_uuid: AppUuid) -> str:
    """What binds a sealed secret to its row."""
    return f"{app_uuid}|webhook_endpoints|secret|{endpoint_uuid}"


def succeeded(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return replace(endpoint, failing_since=None)


def failed(
    endpoint: WebhookEndpoint, *, is_gone: bool, at: datetime
) -> tuple[WebhookEndpoint, tuple[Event, ...]]:
    """Disables it when it is gone, or has failed for too long."""
    if not endpoint.is_enabled:
        return endpoint, ()
    after = replace(endpoint, failing_since=endpoint.failing_since or at)
    assert after.failing_since is not None
    if is_gone:
        return disabled(after, DisabledReason.GONE, at=at)
    if at - after.failing_since >= FAILING_MAX:
        return disabled(after, DisabledReason.FAILING, at=at)
    return after, ()


def disabled(
    endpoint: WebhookEndpoint, reason: DisabledReason, *, at: datetime
) -> tuple[WebhookEndpoint, tuple[Event, ...]]:
    after = replace(endpoint, status=EndpointStatus.DISABLED, disabled_reason=reason, updated_at=at)
    return after, (endpoint_event("disabled", after, at=at),)


def enabled(endpoint: WebhookEndpoint, *, at: datetime) -> WebhookEndpoint:
    """With a clean slate: what it failed before counts no more."""
    return replace(
        endpoint,
        status=EndpointStatus.ENABLED,
        disabled_reason=None,
        failing_since=None,
        updated_at=at,
    )


def endpoint_event(what: str, endpoint: WebhookEndpoint, *, at: datetime) -> Event:
    # Not the address: an app may have put a secret into it.
    facts = {"webhookEndpointUuid": str(endpoint.uuid)}
    if endpoint.disabled_reason is not None:
        facts["reason"] = endpoint.disabled_reason
    return Event(type=f"webhook_endpoint.{what}", aggregate_uuid=endpoint.uuid, at=at, facts=facts)
