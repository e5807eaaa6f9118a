"""Sends events again: one, or all of a period. Each is a new delivery of the same event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict, Refused
from domain.kernel.ids import Ids
from domain.tenancy.caller import Actor, Scope
from domain.webhooks.delivery import Delivery
from domain.webhooks.endpoint import WebhookEndpoint
from domain.webhooks.endpoint_service import need_enabled
from domain.webhooks.ports import Period, WebhooksTx
from domain.webhooks.public_event import PublicEvent

REPLAYS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class ReplayEvents:
    clock: Clock
    ids: Ids

    async def one(self, tx: WebhooksTx, actor: Actor, endpoint_uuid: UUID, event_uuid: UUID) -> int:
        """Whatever the endpoint's filter says: somebody asked for this one."""
        endpoint = await self._endpoint(tx, actor, endpoint_uuid)
        event = await tx.events.get(event_uuid)
        return await self._add(tx, endpoint, [event])

    async def of_period(
        self, tx: WebhooksTx, actor: Actor, endpoint_uuid: UUID, period: Period
    ) -> int:
        """What happened then and passes the endpoint's filter. Returns how many are sent."""
        endpoint = await self._endpoint(tx, actor, endpoint_uuid)
        events = await tx.events.of_period(
            period, types=endpoint.event_types, limit=REPLAYS_MAX + 1
        )
        if len(events) > REPLAYS_MAX:
            raise Refused(f"more than {REPLAYS_MAX} events: ask for a shorter period", field="to")
        return await self._add(tx, endpoint, events)

    async def _endpoint(self, tx: WebhooksTx, actor: Actor, uuid: UUID) -> WebhookEndpoint:
        actor.need(Scope.WEBHOOKS_WRITE)
        endpoint = await tx.webhook_endpoints.get_for_update(uuid)
        if endpoint.deleted_at is not None:
            raise Conflict("the webhook endpoint is deleted")
        return need_enabled(endpoint)

    async def _add(
        self, tx: WebhooksTx, endpoint: WebhookEndpoint, events: Sequence[PublicEvent]
    ) -> int:
        """All but those that are on their way anyway."""
        now = self.clock.now()
        pending = await tx.webhook_deliveries.pending(endpoint.uuid, [e.uuid for e in events])
        deliveries = [
            Delivery(
                uuid=self.ids.new(),
                app_uuid=endpoint.app_uuid,
                webhook_endpoint_uuid=endpoint.uuid,
                event_uuid=event.uuid,
                aggregate_uuid=event.aggregate_uuid,
                is_replay=True,
                created_at=now,
            )
            for event in events
            if event.uuid not in pending
        ]
        await tx.webhook_deliveries.add(deliveries, at=now)
        return len(deliveries)
