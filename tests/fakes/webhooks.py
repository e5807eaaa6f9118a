"""The feed, endpoints and deliveries in memory. Promises what the ports promise."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.errors import Invalid, NotFound, Violation
from domain.kernel.events import Event
from domain.kernel.ids import AppUuid
from domain.kernel.pages import Page, PageRequest
from domain.webhooks.delivery import Delivery, DeliveryStatus, Try
from domain.webhooks.endpoint import WebhookEndpoint
from domain.webhooks.event_types import TEST
from domain.webhooks.ports import Answered, Parcel, Period, Unanswered, Unpublished
from domain.webhooks.public_event import NewEvent, PublicEvent
from tests.fakes.ids import FakeIds

PENDING = DeliveryStatus.PENDING


@dataclass
class Rows:
    """One app's."""

    waiting: list[NewEvent] = field(default_factory=list)
    feed: list[PublicEvent] = field(default_factory=list)
    endpoints: dict[UUID, WebhookEndpoint] = field(default_factory=dict)
    deliveries: dict[UUID, Delivery] = field(default_factory=dict)
    """In the order in which they were added."""
    tries: list[tuple[UUID, Try]] = field(default_factory=list)
    ids: FakeIds = field(default_factory=lambda: FakeIds(series=12))

    def of(self, delivery: Delivery) -> tuple[Delivery, PublicEvent]:
        return delivery, next(e for e in self.feed if e.uuid == delivery.event_uuid)


class FakeOutbox:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def append(self, *events: Event) -> None:
        self._rows.waiting += [
            NewEvent(
                uuid=self._rows.ids.new(),
                type=event.type,
                aggregate_uuid=event.aggregate_uuid,
                facts=event.facts,
                happened_at=event.at,
            )
            for event in events
        ]


class FakeFeed:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def unpublished(self, limit: int) -> Unpublished | None:
        feed = self._rows.feed
        return Unpublished(
            events=tuple(self._rows.waiting[:limit]),
            position=feed[-1].position if feed else 0,
            sequences={event.aggregate_uuid: event.sequence for event in feed},
        )

    async def publish(self, events: Sequence[PublicEvent], *, at: datetime) -> None:
        del self._rows.waiting[: len(events)]
        self._rows.feed += events

    async def get(self, uuid: UUID) -> PublicEvent:
        for event in self._rows.feed:
            if event.uuid == uuid:
                return event
        raise NotFound("event", uuid)

    async def after(
        self, after: UUID | None, *, types: Sequence[str], limit: int
    ) -> tuple[PublicEvent, ...]:
        position = 0
        if after is not None:
            known = [event.position for event in self._rows.feed if event.uuid == after]
            if not known:
                raise Invalid([Violation("is no event of this app's feed", "after")])
            position = known[0]
        wanted = [e for e in self._rows.feed if not types or e.type in types]
        return tuple(e for e in wanted if e.position > position)[:limit]

    async def of_period(
        self, period: Period, *, types: Sequence[str], limit: int
    ) -> tuple[PublicEvent, ...]:
        wanted = [e for e in self._rows.feed if not types or e.type in types]
        then = (e for e in wanted if period.from_at <= e.happened_at < period.to_at)
        return tuple(event for event in then if event.type != TEST)[:limit]


class FakeEndpoints:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, endpoint: WebhookEndpoint) -> None:
        self._rows.endpoints[endpoint.uuid] = endpoint

    async def count(self) -> int:
        return len(self._used())

    async def get(self, uuid: UUID) -> WebhookEndpoint:
        if uuid not in self._rows.endpoints:
            raise NotFound("webhook endpoint", uuid)
        return self._rows.endpoints[uuid]

    async def get_for_update(self, uuid: UUID) -> WebhookEndpoint:
        return await self.get(uuid)

    async def page(self, request: PageRequest) -> Page[WebhookEndpoint]:
        used = sorted(self._used(), key=lambda e: e.uuid, reverse=True)
        return Page(tuple(used[request.offset : request.offset + request.limit]), len(used))

    async def enabled(self) -> tuple[WebhookEndpoint, ...]:
        return tuple(sorted((e for e in self._used() if e.is_enabled), key=lambda e: e.uuid))

    async def enabled_for_update(self) -> tuple[WebhookEndpoint, ...]:
        return await self.enabled()

    async def save(self, endpoint: WebhookEndpoint) -> None:
        await self.get(endpoint.uuid)
        self._rows.endpoints[endpoint.uuid] = endpoint

    def _used(self) -> list[WebhookEndpoint]:
        return [e for e in self._rows.endpoints.values() if e.deleted_at is None]


class FakeDeliveries:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, deliveries: Sequence[Delivery], *, at: datetime) -> None:
        for delivery in deliveries:
            is_first = not self._line(delivery)
            made = replace(delivery, due_at=at if is_first else None)
            self._rows.deliveries[delivery.uuid] = made

    async def claim(
        self, rooms: Mapping[UUID, int], *, now: datetime, until: datetime
    ) -> tuple[tuple[Delivery, PublicEvent], ...]:
        found = []
        for endpoint_uuid, places in rooms.items():
            due = [
                d
                for d in self._rows.deliveries.values()
                if d.webhook_endpoint_uuid == endpoint_uuid and d.due_at and d.due_at <= now
            ]
            due.sort(key=lambda d: d.due_at or now)
            for delivery in due[:places]:
                found.append(self._save(delivery, due_at=until, tries=delivery.tries + 1))
        order = list(self._rows.deliveries)
        found.sort(key=lambda delivery: order.index(delivery.uuid))
        return tuple(self._rows.of(delivery) for delivery in found)

    async def add_try(self, delivery_uuid: UUID, made: Try) -> None:
        self._rows.tries.append((delivery_uuid, made))

    async def settle(self, claimed: Delivery, status: DeliveryStatus, *, at: datetime) -> bool:
        if not self._is_held(claimed):
            return False
        self._save(claimed, status=status, due_at=None, settled_at=at)
        for following in self._line(claimed)[:1]:
            self._save(following, due_at=at)
        return True

    async def postpone(self, claimed: Delivery, *, due_at: datetime) -> None:
        if self._is_held(claimed):
            self._save(claimed, due_at=due_at)

    async def give_up(self, endpoint_uuid: UUID, *, at: datetime) -> None:
        for delivery in self._rows.deliveries.values():
            if delivery.webhook_endpoint_uuid == endpoint_uuid and delivery.status is PENDING:
                self._save(delivery, status=DeliveryStatus.FAILED, due_at=None, settled_at=at)

    async def pending(self, endpoint_uuid: UUID, events: Sequence[UUID]) -> frozenset[UUID]:
        return frozenset(
            d.event_uuid
            for d in self._rows.deliveries.values()
            if d.webhook_endpoint_uuid == endpoint_uuid
            and d.status is PENDING
            and d.event_uuid in events
        )

    async def get(self, endpoint_uuid: UUID, uuid: UUID) -> tuple[Delivery, PublicEvent]:
        delivery = self._rows.deliveries.get(uuid)
        if delivery is None or delivery.webhook_endpoint_uuid != endpoint_uuid:
            raise NotFound("delivery", uuid)
        return self._rows.of(delivery)

    async def tries(self, uuid: UUID) -> tuple[Try, ...]:
        return tuple(made for delivery_uuid, made in self._rows.tries if delivery_uuid == uuid)

    async def log(
        self, endpoint_uuid: UUID, *, status: DeliveryStatus | None, after: UUID | None, limit: int
    ) -> tuple[tuple[Delivery, PublicEvent], ...]:
        rows = [
            d for d in self._rows.deliveries.values() if d.webhook_endpoint_uuid == endpoint_uuid
        ]
        rows.reverse()
        if after is not None:
            places = [place for place, d in enumerate(rows) if d.uuid == after]
            if not places:
                raise Invalid([Violation("is no delivery to this endpoint", "after")])
            rows = rows[places[0] + 1 :]
        found = [d for d in rows if status is None or d.status is status]
        return tuple(self._rows.of(delivery) for delivery in found[:limit])

    async def forget(self, *, settled_before: datetime) -> None:
        old = [d for d in self._rows.deliveries.values() if d.settled_at]
        for delivery in old:
            if delivery.settled_at and delivery.settled_at < settled_before:
                del self._rows.deliveries[delivery.uuid]
                self._rows.tries = [t for t in self._rows.tries if t[0] != delivery.uuid]

    def _line(self, like: Delivery) -> list[Delivery]:
        return [
            d
            for d in self._rows.deliveries.values()
            if d.status is PENDING
            and d.webhook_endpoint_uuid == like.webhook_endpoint_uuid
            and d.aggregate_uuid == like.aggregate_uuid
        ]

    def _is_held(self, claimed: Delivery) -> bool:
        held = self._rows.deliveries[claimed.uuid]
        return held.status is PENDING and held.tries == claimed.tries

    def _save(self, delivery: Delivery, **facts: object) -> Delivery:
        self._rows.deliveries[delivery.uuid] = replace(delivery, **facts)
        return self._rows.deliveries[delivery.uuid]


class FakeWebhooksTx:
    def __init__(self, rows: Rows) -> None:
        self.events = FakeFeed(rows)
        self.webhook_endpoints = FakeEndpoints(rows)
        self.webhook_deliveries = FakeDeliveries(rows)
        self.outbox = FakeOutbox(rows)


class FakeWebhooks:
    """A unit of work. Knows whether a transaction is open, because nobody may send in one."""

    def __init__(self) -> None:
        self.rows: dict[AppUuid, Rows] = {}
        self.open = 0

    @asynccontextmanager
    async def begin(self, app_uuid: AppUuid) -> AsyncIterator[FakeWebhooksTx]:
        self.open += 1
        try:
            yield FakeWebhooksTx(self.rows.setdefault(app_uuid, Rows()))
        finally:
            self.open -= 1


class FakeReceiver:
    """A sender and who it sends to. `answers` is what it says next; 204 when that runs out."""

    def __init__(self, house: FakeWebhooks) -> None:
        self._house = house
        self.answers: list[Answered | Unanswered] = []
        self.parcels: list[Parcel] = []

    async def send(self, parcel: Parcel) -> Answered | Unanswered:
        assert self._house.open == 0, "nobody waits for a receiver with a transaction open"
        self.parcels.append(parcel)
        return self.answers.pop(0) if self.answers else Answered(status=204, excerpt="")


class NoJitter:
    def __init__(self, permille: int = 0) -> None:
        self._permille = permille

    def permille(self, within: int) -> int:
        assert -within <= self._permille <= within
        return self._permille
