"""Delivers events to webhook endpoints: claim, send, record. No transaction is open while we send.

A worker that dies in between leaves a claim that lapses; the event is sent again, under the same
id. At least once, and in order for each aggregate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from msgspec import Struct

from domain.kernel.clock import Clock
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.ports import Vault
from domain.webhooks.delivery import (
    JITTER_PERMILLE,
    Delivery,
    DeliveryStatus,
    Try,
    next_try_at,
)
from domain.webhooks.endpoint import WebhookEndpoint, failed, secret_context, succeeded
from domain.webhooks.ports import (
    Answered,
    Jitter,
    Parcel,
    Unanswered,
    WebhookSender,
    WebhooksTx,
)
from domain.webhooks.public_event import PublicEvent, payload

LEASE: Final = timedelta(minutes=1)
"""Four times what a receiver gets, so that nobody else sends while an answer is awaited."""


class Claimed(Struct, frozen=True, kw_only=True):
    """A delivery that is ours for one try."""

    delivery: Delivery
    event: PublicEvent
    endpoint: WebhookEndpoint


class Outcome(Struct, frozen=True, kw_only=True):
    claimed: Claimed
    made: Try
    is_disabled: bool = False
    """This failure disabled the endpoint."""


@dataclass(frozen=True, slots=True)
class DeliverWebhooks:
    unit_of_work: UnitOfWork[WebhooksTx]
    sender: WebhookSender
    vault: Vault
    clock: Clock
    jitter: Jitter

    async def claim(
        self, app_uuid: AppUuid, room: Callable[[WebhookEndpoint], int]
    ) -> tuple[Claimed, ...]:
        """`room`: how many may be sent to an endpoint now."""
        async with self.unit_of_work.begin(app_uuid) as tx:
            endpoints = {e.uuid: e for e in await tx.webhook_endpoints.enabled()}
            rooms = {uuid: n for uuid, e in endpoints.items() if (n := room(e)) > 0}
            if not rooms:
                return ()
            now = self.clock.now()
            found = await tx.webhook_deliveries.claim(rooms, now=now, until=now + LEASE)
        return tuple(
            Claimed(delivery=d, event=event, endpoint=endpoints[d.webhook_endpoint_uuid])
            for d, event in found
        )

    async def __call__(self, claimed: Claimed) -> Outcome | None:
        """Send once. None: it was too late to begin; the claim lapses, and another one does it."""
        endpoint, delivery = claimed.endpoint, claimed.delivery
        began_at = self.clock.now()
        assert delivery.due_at is not None
        if began_at > delivery.due_at - LEASE / 2:
            return None  # we were held up: another worker may be sending it soon
        context = secret_context(endpoint.uuid, endpoint.app_uuid)
        answer = await self.sender.send(
            Parcel(
                url=endpoint.url,
                event_uuid=claimed.event.uuid,
                sent_at=began_at,
                body=payload(claimed.event, endpoint.app_uuid),
                secrets=tuple(
                    self.vault.open(sealed, context=context)
                    for sealed in endpoint.sealed_secrets(began_at)
                ),
            )
        )
        duration = self.clock.now() - began_at
        made = Try(
            number=delivery.tries,
            tried_at=began_at,
            duration_ms=max(0, duration // timedelta(milliseconds=1)),
            http_status=answer.status if isinstance(answer, Answered) else None,
            error=answer.reason if isinstance(answer, Unanswered) else None,
            excerpt=answer.excerpt if isinstance(answer, Answered) else "",
        )
        retry_after = answer.retry_after if isinstance(answer, Answered) else None
        return await self._record(claimed, made, retry_after)

    async def _record(self, claimed: Claimed, made: Try, retry_after: timedelta | None) -> Outcome:
        now, delivery = self.clock.now(), claimed.delivery
        async with self.unit_of_work.begin(delivery.app_uuid) as tx:
            before = await tx.webhook_endpoints.get_for_update(claimed.endpoint.uuid)
            await tx.webhook_deliveries.add_try(delivery.uuid, made)
            if made.is_success:
                after = succeeded(before)
                await tx.webhook_deliveries.settle(delivery, DeliveryStatus.DELIVERED, at=now)
            else:
                after, events = failed(before, is_gone=made.is_gone, at=now)
                await tx.outbox.append(*events)
                due_at = next_try_at(
                    made.number,
                    at=now,
                    jitter_permille=self.jitter.permille(JITTER_PERMILLE),
                    retry_after=retry_after,
                )
                if due_at is None:
                    await tx.webhook_deliveries.settle(delivery, DeliveryStatus.FAILED, at=now)
                else:
                    await tx.webhook_deliveries.postpone(delivery, due_at=due_at)
            if after != before:
                await tx.webhook_endpoints.save(after)
            is_disabled = before.is_enabled and not after.is_enabled
            if is_disabled:
                await tx.webhook_deliveries.give_up(after.uuid, at=now)
        return Outcome(claimed=claimed, made=made, is_disabled=is_disabled)
