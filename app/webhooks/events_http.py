"""The feed of events, for who would rather ask than be called; and which types there are."""

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from app.http.caller import bearer_or_key, public
from app.http.desk import Desk
from app.http.envelope import Envelope, many, one
from app.http.pages import PageLimit
from app.webhooks.schemas import EventTypeView
from domain.kernel.errors import Invalid, Violation
from domain.kernel.pages import Page
from domain.tenancy.caller import Scope
from domain.webhooks.event_types import EVENT_TYPES
from domain.webhooks.public_event import EventPayload, PublicEvent, body_of

KIND: Final = "events"


class EventsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/events"
    tags = ("Events",)
    guards = (bearer_or_key,)

    @get("/", operation_id="listEvents")
    async def feed(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        limit: PageLimit = 10,
        after: Annotated[
            UUID | None,
            QueryParameter(description="the last event that you know; none: from the beginning"),
        ] = None,
        event_type: Annotated[
            str | None, QueryParameter(name="type", description="only events of this type")
        ] = None,
    ) -> Envelope[EventPayload]:
        """What happened in the app, oldest first. Ask on with the last `id`, for as long as you
        like: nothing is ever put before what you have read. `totalItems` is not counted."""
        if event_type is not None and event_type not in EVENT_TYPES:
            raise Invalid([Violation("there is no such event type", "type")])
        async with desk.read() as (tx, actor):
            actor.need(Scope.WEBHOOKS_READ)
            types = () if event_type is None else (event_type,)
            found = await tx.events.after(after, types=types, limit=limit)

        def view(event: PublicEvent) -> EventPayload:
            return body_of(event, actor.app_uuid)

        return many(KIND, Page(found, 0), view)

    @get("/{uuid:uuid}", operation_id="getEvent")
    async def read(
        self, app_uuid: FromPath[UUID], uuid: FromPath[UUID], desk: NamedDependency[Desk]
    ) -> Envelope[EventPayload]:
        """One event, as its webhook tells it."""
        async with desk.read() as (tx, actor):
            actor.need(Scope.WEBHOOKS_READ)
            found = await tx.events.get(uuid)
        return one(KIND, body_of(found, actor.app_uuid))


class EventTypesController(Controller):
    path = "/api/v1/event-types"
    tags = ("Events",)

    @get("/", operation_id="listEventTypes", guards=[public])
    async def types(self) -> Envelope[EventTypeView]:
        """Every type of event, with the version of its `data` and what is in it."""
        told = tuple(EVENT_TYPES.values())
        return many("eventTypes", Page(told, len(told)), EventTypeView.of)
