"""Publishes events: gives them their place in the feed, and puts them on their way to endpoints.

One transaction, and one publisher at a time in an app: positions become visible in their order,
so that who reads on after one misses none, however late its transaction committed.
"""

from dataclasses import dataclass
from typing import Final

from domain.kernel.clock import Clock
from domain.kernel.ids import AppUuid, Ids
from domain.kernel.unit_of_work import UnitOfWork
from domain.webhooks.delivery import Delivery
from domain.webhooks.ports import WebhooksTx
from domain.webhooks.public_event import PublicEvent, numbered

BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class PublishEvents:
    unit_of_work: UnitOfWork[WebhooksTx]
    clock: Clock
    ids: Ids

    async def __call__(self, app_uuid: AppUuid) -> list[PublicEvent]:
        """A batch of what waits; empty when nothing does, or another publisher is at it."""
        async with self.unit_of_work.begin(app_uuid) as tx:
            waiting = await tx.events.unpublished(BATCH)
            if waiting is None or not waiting.events:
                return []
            events = numbered(
                waiting.events, position=waiting.position, sequences=waiting.sequences
            )
            now = self.clock.now()
            await tx.events.publish(events, at=now)
            deliveries = [
                Delivery(
                    uuid=self.ids.new(),
                    app_uuid=app_uuid,
                    webhook_endpoint_uuid=endpoint.uuid,
                    event_uuid=event.uuid,
                    aggregate_uuid=event.aggregate_uuid,
                    created_at=now,
                )
                for endpoint in await tx.webhook_endpoints.enabled_for_update()
                for event in events
                if endpoint.wants(event.type, event.aggregate_uuid)
            ]
            await tx.webhook_deliveries.add(deliveries, at=now)
        return events
