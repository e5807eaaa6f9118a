"""What telling the apps of events needs from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.kernel.events import Outbox
from domain.kernel.ids import AppUuid
from domain.kernel.pages import Page, PageRequest
from domain.webhooks.delivery import Delivery, DeliveryStatus, Try
from domain.webhooks.endpoint import WebhookEndpoint
from domain.webhooks.public_event import NewEvent, PublicEvent


class Unpublished(Struct, frozen=True):
    """What is to be numbered next, in order, and where counting stands."""

    events: tuple[NewEvent, ...]
    position: int
    sequences: Mapping[UUID, int]
    """By aggregate; those without any event in the feed are missing."""


class Period(Struct, frozen=True):
    """When events happened: from, inclusive, to, exclusive."""

    from_at: datetime
    to_at: datetime


class EventFeed(Protocol):
    async def unpublished(self, limit: int) -> Unpublished | None:
        """One publisher in an app, until the transaction ends. None: another one is at it."""
        ...

    async def publish(self, events: Sequence[PublicEvent], *, at: datetime) -> None: ...

    async def get(self, uuid: UUID) -> PublicEvent:
        """Raises NotFound; also for an event that is not in the feed yet."""
        ...

    async def after(
        self, after: UUID | None, *, types: Sequence[str], limit: int
    ) -> tuple[PublicEvent, ...]:
        """Oldest first. No types: all. Raises Invalid when `after` is no event of the feed."""
        ...

    async def of_period(
        self, period: Period, *, types: Sequence[str], limit: int
    ) -> tuple[PublicEvent, ...]:
        """In the feed's order, the tests left out."""
        ...


class WebhookEndpoints(Protocol):
    """Deleted ones are found by `get` alone: deliveries still refer to them."""

    async def add(self, endpoint: WebhookEndpoint) -> None: ...
    async def count(self) -> int: ...
    async def get(self, uuid: UUID) -> WebhookEndpoint:
        """Deleted or not. Raises NotFound."""
        ...

    async def get_for_update(self, uuid: UUID) -> WebhookEndpoint:
        """Everybody who adds deliveries, or settles one, holds their endpoint."""
        ...

    async def page(self, request: PageRequest) -> Page[WebhookEndpoint]:
        """Newest first."""
        ...

    async def enabled(self) -> tuple[WebhookEndpoint, ...]: ...
    async def enabled_for_update(self) -> tuple[WebhookEndpoint, ...]: ...
    async def save(self, endpoint: WebhookEndpoint) -> None: ...


class WebhookDeliveries(Protocol):
    """Whoever adds, settles or ends deliveries holds their endpoint: lines stay in order."""

    async def add(self, deliveries: Sequence[Delivery], *, at: datetime) -> None:
        """To the ends of their lines. The first of a line is due at once."""
        ...

    async def claim(
        self, rooms: Mapping[UUID, int], *, now: datetime, until: datetime
    ) -> tuple[tuple[Delivery, PublicEvent], ...]:
        """Due ones, at most so many for each endpoint; due again at `until`, one try later."""
        ...

    async def add_try(self, delivery_uuid: UUID, made: Try) -> None: ...

    async def settle(self, claimed: Delivery, status: DeliveryStatus, *, at: datetime) -> bool:
        """The next in line becomes due. False: it was settled, or claimed by another, meanwhile."""
        ...

    async def postpone(self, claimed: Delivery, *, due_at: datetime) -> None: ...

    async def give_up(self, endpoint_uuid: UUID, *, at: datetime) -> None:
        """All that are pending for an endpoint have failed."""
        ...

    async def pending(self, endpoint_uuid: UUID, events: Sequence[UUID]) -> frozenset[UUID]:
        """Those of the events that are on their way to the endpoint."""
        ...

    async def get(self, endpoint_uuid: UUID, uuid: UUID) -> tuple[Delivery, PublicEvent]:
        """Raises NotFound."""
        ...

    async def tries(self, uuid: UUID) -> tuple[Try, ...]: ...

    async def log(
        self,
        endpoint_uuid: UUID,
        *,
        status: DeliveryStatus | None,
        after: UUID | None,
        limit: int,
    ) -> tuple[tuple[Delivery, PublicEvent], ...]:
        """Newest first. Raises Invalid when `after` is none of the endpoint's."""
        ...

    async def forget(self, *, settled_before: datetime) -> None: ...


class WebhooksTx(Protocol):
    """The part of a transaction that webhook use cases may touch."""

    @property
    def events(self) -> EventFeed: ...
    @property
    def webhook_endpoints(self) -> WebhookEndpoints: ...
    @property
    def webhook_deliveries(self) -> WebhookDeliveries: ...
    @property
    def outbox(self) -> Outbox: ...


class Parcel(Struct, frozen=True, kw_only=True):
    """One webhook, ready to be signed and sent."""

    url: str
    event_uuid: UUID
    sent_at: datetime
    body: bytes
    secrets: tuple[str, ...]
    """Each makes a signature; the newest first."""


class Answered(Struct, frozen=True, kw_only=True):
    status: int
    excerpt: str
    retry_after: timedelta | None = None


class Unanswered(Struct, frozen=True):
    reason: str
    """In our words; never an address."""


class WebhookSender(Protocol):
    """Sends to public addresses only, looked up and checked anew each time; follows no redirect."""

    async def send(self, parcel: Parcel) -> Answered | Unanswered: ...


class Jitter(Protocol):
    def permille(self, within: int) -> int:
        """A random number from -within to +within."""
        ...


class NewSecret(Protocol):
    def __call__(self) -> str:
        """`whsec_` and 32 random bytes in base64."""
        ...


class WebhookDirectory(Protocol):
    async def apps_with_due_webhooks(self, at: datetime) -> tuple[AppUuid, ...]: ...
