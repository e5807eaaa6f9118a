"""An event as the apps see it: numbered, in the feed and in every webhook the very same bytes.

`position` orders all of an app's events; it is the feed's, and never told. `sequence` counts the
events of one aggregate from 1, so that a receiver sees what is old and what is missing.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from domain.kernel.ids import AppUuid
from domain.webhooks.event_types import version_of


class NewEvent(Struct, frozen=True, kw_only=True):
    """Out of the outbox, and not numbered yet."""

    uuid: UUID
    type: str
    aggregate_uuid: UUID
    facts: Mapping[str, Any]
    happened_at: datetime


class PublicEvent(NewEvent, frozen=True, kw_only=True):
    position: int
    sequence: int


class EventPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is sent, signed and shown."""

    id: Annotated[UUID, Meta(description="The event's id; the same each time that it is sent")]
    type: Annotated[str, Meta(description="What happened: see the list of event types")]
    version: Annotated[int, Meta(description="Of what is in `data`")]
    timestamp: Annotated[str, Meta(description="When it happened")]
    sequence: Annotated[int, Meta(description="Counts the events of this aggregate, from 1")]
    aggregate_uuid: Annotated[UUID, Meta(description="What it happened to")]
    app_uuid: UUID
    data: Annotated[dict[str, Any], Meta(description="Ids and amounts, by type of event")]


def numbered(
    events: Iterable[NewEvent], *, position: int, sequences: Mapping[UUID, int]
) -> list[PublicEvent]:
    """Carry on counting: after `position` in the app, after `sequences` of the aggregates."""
    last, found = dict(sequences), []
    for place, event in enumerate(events, start=position + 1):
        sequence = last.get(event.aggregate_uuid, 0) + 1
        last[event.aggregate_uuid] = sequence
        found.append(
            PublicEvent(
                uuid=event.uuid,
                type=event.type,
                aggregate_uuid=event.aggregate_uuid,
                facts=event.facts,
                happened_at=event.happened_at,
                position=place,
                sequence=sequence,
            )
        )
    return found


def body_of(event: PublicEvent, app_uuid: AppUuid) -> EventPayload:
    happened_at = event.happened_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return EventPayload(
        id=event.uuid,
        type=event.type,
        version=version_of(event.type),
        timestamp=happened_at.removesuffix("+00:00") + "Z",
        sequence=event.sequence,
        aggregate_uuid=event.aggregate_uuid,
        app_uuid=app_uuid,
        data=dict(event.facts),
    )


def payload(event: PublicEvent, app_uuid: AppUuid) -> bytes:
    """The bytes of one webhook: always the same for the same event."""
    return msgspec.json.encode(body_of(event, app_uuid))
