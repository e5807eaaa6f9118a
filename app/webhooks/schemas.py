"""Webhook endpoints and deliveries as clients see them. A secret is told once, and never again."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from app.http.bodies import Body
from app.http.envelope import Timestamp, maybe_stamp, stamp
from app.http.fields import check_line
from domain.kernel.errors import Violation
from domain.webhooks.delivery import Delivery, DeliveryStatus, Try
from domain.webhooks.endpoint import DisabledReason, EndpointStatus, WebhookEndpoint
from domain.webhooks.endpoint_service import (
    OLD_SECRET_LIVES,
    OLD_SECRET_LIVES_MAX,
    EndpointChange,
    NewEndpoint,
)
from domain.webhooks.event_types import EventType
from domain.webhooks.ports import Period
from domain.webhooks.public_event import PublicEvent

Target = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        description="A public https address, port 443 or 8443. Redirects are not followed",
        examples=["https://app.example.com/hooks/kontor"],
    ),
]
EventTypes = Annotated[
    list[Annotated[str, Meta(max_length=100)]],
    Meta(
        max_length=200,
        description="What to send; empty: everything, also types that are added later",
        examples=[["checkout_session.completed", "payment.paid"]],
    ),
]
Description = Annotated[
    str,
    Meta(max_length=200, description="For your own eyes", examples=["The billing service"]),
]
Instant = Annotated[datetime, Meta(tz=True)]
_DAY_S = OLD_SECRET_LIVES // timedelta(seconds=1)
_WEEK_S = OLD_SECRET_LIVES_MAX // timedelta(seconds=1)


class CreateEndpointBody(Body, frozen=True, kw_only=True):
    url: Target
    event_types: EventTypes = field(default_factory=list)
    description: Description | None = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("description"), "description")

    def new(self) -> NewEndpoint:
        return NewEndpoint(
            url=self.url, event_types=tuple(self.event_types), description=self.description
        )


class UpdateEndpointBody(Body, frozen=True, kw_only=True):
    """Send what is to change."""

    url: Target | UnsetType = UNSET
    event_types: EventTypes | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    status: EndpointStatus | UnsetType = UNSET

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("description"), "description")

    def change(self) -> EndpointChange:
        types = self.event_types
        return EndpointChange(
            url=self.url,
            event_types=UNSET if types is UNSET else tuple(types),
            description=self.description,
            status=self.status,
        )


class RollSecretBody(Body, frozen=True, kw_only=True):
    previous_secret_lifetime_seconds: Annotated[
        int,
        Meta(ge=0, le=_WEEK_S, description="How long the secret of before goes on signing as well"),
    ] = _DAY_S

    @property
    def old_lives(self) -> timedelta:
        return timedelta(seconds=self.previous_secret_lifetime_seconds)


class ReplayBody(Body, frozen=True, kw_only=True):
    """One event, whatever the filter says; or all of a period that pass it."""

    event_uuid: UUID | None = None
    from_at: Annotated[Instant | None, Meta(description="Events that happened then, or later")] = (
        field(default=None, name="from")
    )
    to_at: Annotated[Instant | None, Meta(description="Events that happened before")] = field(
        default=None, name="to"
    )

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        one, begin, end = (given.get(name) for name in ("event_uuid", "from_at", "to_at"))
        if (one is None) == (begin is None and end is None):
            yield Violation("send either eventUuid, or from and to", "eventUuid")
        elif one is None:
            if begin is None or end is None:
                yield Violation("is required for a period", "from" if begin is None else "to")
            elif begin >= end:
                yield Violation("must be later than from", "to")

    @property
    def period(self) -> Period:
        assert self.from_at is not None and self.to_at is not None
        return Period(self.from_at, self.to_at)


class WebhookEndpointView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    app_uuid: UUID
    url: str
    event_types: list[str]
    description: str | None
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    failing_since: Timestamp | None
    secret: str | None
    previous_secret_expires_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp
    deleted_at: Timestamp | None

    @classmethod
    def of(cls, endpoint: WebhookEndpoint, secret: str | None = None) -> "WebhookEndpointView":
        return cls(
            uuid=endpoint.uuid,
            app_uuid=endpoint.app_uuid,
            url=endpoint.url,
            event_types=list(endpoint.event_types),
            description=endpoint.description,
            status=endpoint.status,
            disabled_reason=endpoint.disabled_reason,
            failing_since=maybe_stamp(endpoint.failing_since),
            secret=secret,
            previous_secret_expires_at=maybe_stamp(endpoint.previous_secret_expires_at),
            created_at=stamp(endpoint.created_at),
            updated_at=stamp(endpoint.updated_at),
            deleted_at=maybe_stamp(endpoint.deleted_at),
        )


class DeliveryView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    app_uuid: UUID
    webhook_endpoint_uuid: UUID
    event_uuid: UUID
    event_type: str
    aggregate_uuid: UUID
    sequence: int
    is_replay: bool
    status: DeliveryStatus
    tries: int
    next_try_at: Timestamp | None
    created_at: Timestamp
    settled_at: Timestamp | None


class TryView(Struct, frozen=True, kw_only=True, rename="camel"):
    number: int
    tried_at: Timestamp
    duration_ms: int
    http_status: int | None
    error: str | None
    response_excerpt: str


class DeliveryLogView(DeliveryView, frozen=True, kw_only=True, rename="camel"):
    log: list[TryView]


def delivery_view(found: tuple[Delivery, PublicEvent]) -> DeliveryView:
    return DeliveryView(**_facts(*found))


def delivery_log_view(
    delivery: Delivery, event: PublicEvent, tries: tuple[Try, ...]
) -> DeliveryLogView:
    return DeliveryLogView(**_facts(delivery, event), log=[_try_view(made) for made in tries])


def _facts(delivery: Delivery, event: PublicEvent) -> dict[str, Any]:
    return {
        "uuid": delivery.uuid,
        "app_uuid": delivery.app_uuid,
        "webhook_endpoint_uuid": delivery.webhook_endpoint_uuid,
        "event_uuid": event.uuid,
        "event_type": event.type,
        "aggregate_uuid": event.aggregate_uuid,
        "sequence": event.sequence,
        "is_replay": delivery.is_replay,
        "status": delivery.status,
        "tries": delivery.tries,
        "next_try_at": maybe_stamp(delivery.due_at),
        "created_at": stamp(delivery.created_at),
        "settled_at": maybe_stamp(delivery.settled_at),
    }


def _try_view(made: Try) -> TryView:
    return TryView(
        number=made.number,
        tried_at=stamp(made.tried_at),
        duration_ms=made.duration_ms,
        http_status=made.http_status,
        error=made.error,
        response_excerpt=made.excerpt,
    )


class ReplayView(Struct, frozen=True, kw_only=True, rename="camel"):
    webhook_endpoint_uuid: UUID
    deliveries: int


class EventTypeView(Struct, frozen=True, kw_only=True, rename="camel"):
    type: str
    version: int
    description: str
    facts: list[str]

    @classmethod
    def of(cls, told: EventType) -> "EventTypeView":
        return cls(
            type=told.type,
            version=told.version,
            description=told.description,
            facts=list(told.facts),
        )
