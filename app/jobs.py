"""What a worker does: each job claims due rows of one app, and knows how to do one of them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol
from uuid import UUID

import msgspec
import structlog

from domain.checkout.expire_session import ExpireSession
from domain.kernel.clock import Clock
from domain.kernel.errors import DomainError, ProviderUnavailable, ProviderUnreadable
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.observe_payment import ObservePayment
from domain.payments.payment import LATER_LOOKS
from domain.payments.recover_attempt import RecoverAttempt
from domain.payments.submit_capture import SubmitCapture
from domain.payments.submit_refund import SubmitRefund
from domain.payments.sweep_account import SweepAccount
from domain.subscriptions.advance_clock import AdvanceClock
from domain.subscriptions.advance_subscription import AdvanceSubscription
from domain.webhooks.due_work import WorkTx
from domain.webhooks.publish import PublishEvents
from domain.webhooks.receive import ReceiveMessage

log = structlog.get_logger("worker")

MESSAGES_KEPT = timedelta(days=30)
DELIVERIES_KEPT = timedelta(days=30)
DETAILS_KEPT = timedelta(days=30)
CALLS_KEPT = timedelta(days=8)
"""A day longer than routing looks back."""
BATCHES_AT_ONCE = 20
"""Of events, before the app's other work gets its turn."""

Task = Callable[[], Awaitable[DomainError | None]]
"""Returns what a provider kept it from, if it did: the row comes back by itself."""


class Job(Protocol):
    @property
    def name(self) -> str: ...
    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        """Due work that is now ours, ready to be done in any order."""
        ...


@dataclass(frozen=True, slots=True)
class Messages:
    unit_of_work: UnitOfWork[WorkTx]
    receive: ReceiveMessage
    lease: timedelta
    name: str = "inbox"

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        async with self.unit_of_work.begin(app_uuid) as tx:
            found = await tx.due_work.messages(now, now + self.lease)
        return [partial(self.receive.act_later, message) for message in found]


@dataclass(frozen=True, slots=True)
class Attempts:
    unit_of_work: UnitOfWork[WorkTx]
    recover: RecoverAttempt
    name: str = "recovery"

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        async with self.unit_of_work.begin(app_uuid) as tx:
            found = await tx.due_work.attempts(now)
        return [partial(self.recover, app_uuid, uuid) for uuid in found]


@dataclass(frozen=True, slots=True)
class Renewals:
    """Subscriptions for which something is due: a renewal, a retry, an end."""

    unit_of_work: UnitOfWork[WorkTx]
    advance: AdvanceSubscription
    lease: timedelta
    name: str = "renewals"

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        async with self.unit_of_work.begin(app_uuid) as tx:
            found = await tx.due_work.subscriptions(now, now + self.lease)
        return [partial(self.advance, app_uuid, uuid) for uuid in found]


@dataclass(frozen=True, slots=True)
class Clocks:
    """Test clocks on their way. Subscriptions on them are nobody else's to see to."""

    unit_of_work: UnitOfWork[WorkTx]
    advance: AdvanceClock
    lease: timedelta
    name: str = "clocks"

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        until = now + self.lease
        async with self.unit_of_work.begin(app_uuid) as tx:
            found = await tx.due_work.test_clocks(now, until)
        return [partial(self.advance, app_uuid, uuid, until) for uuid in found]


@dataclass(frozen=True, slots=True)
class Refunds:
    unit_of_work: UnitOfWork[WorkTx]
    submit: SubmitRefund
    name: str = "refunds"

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        async with self.unit_of_work.begin(app_uuid) as tx:
            found = await tx.due_work.refunds(now)
        return [partial(self.submit, app_uuid, uuid) for uuid in found]


@dataclass(frozen=True, slots=True)
class Captures:
    unit_of_work: UnitOfWork[WorkTx]
    submit: SubmitCapture
    name: str = "captures"

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        async with self.unit_of_work.begin(app_uuid) as tx:
            found = await tx.due_work.captures(now)
        return [partial(self.submit, app_uuid, uuid) for uuid in found]


@dataclass(frozen=True, slots=True)
class Looks:
    """Payments that nobody has told us about for a while."""

    unit_of_work: UnitOfWork[WorkTx]
    observe: ObservePayment
    clock: Clock
    again_after: timedelta = timedelta(minutes=2)
    name: str = "looks"

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        async with self.unit_of_work.begin(app_uuid) as tx:
            found = await tx.due_work.payments(now, now + self.again_after)
        return [partial(self._look, app_uuid, p.account_uuid, p.provider_ref) for p in found]

    async def _look(self, app_uuid: AppUuid, account_uuid: UUID, ref: str) -> DomainError | None:
        try:
            seen = await self.observe(app_uuid, account_uuid, ref)
        except (ProviderUnavailable, ProviderUnreadable) as error:
            return error
        if seen is None:
            log.warning("payment_unknown_to_provider", payment=ref)
            async with self.unit_of_work.begin(app_uuid) as tx:
                later = self.clock.now() + LATER_LOOKS
                await tx.due_work.postpone_payment(account_uuid, ref, due_at=later)
        return None


@dataclass(frozen=True, slots=True)
class Sweeps:
    """Accounts whose lists at the provider are to be read for what nobody has told us."""

    unit_of_work: UnitOfWork[WorkTx]
    sweep: SweepAccount
    again_after: timedelta = timedelta(minutes=10)
    name: str = "sweeps"

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        async with self.unit_of_work.begin(app_uuid) as tx:
            names = self.sweep.providers.keys()
            found = await tx.due_work.accounts(names, now, now + self.again_after)
        return [partial(self.sweep, app_uuid, uuid) for uuid in found]


@dataclass(frozen=True, slots=True)
class Expiry:
    unit_of_work: UnitOfWork[WorkTx]
    expire: ExpireSession
    lease: timedelta
    name: str = "expiry"

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        async with self.unit_of_work.begin(app_uuid) as tx:
            found = await tx.due_work.sessions(now, now + self.lease)
        return [partial(self.expire.by_time, app_uuid, uuid) for uuid in found]


@dataclass(frozen=True, slots=True)
class Events:
    """The outbox, to the feed and to the log. What is sent to webhook endpoints, app/courier.py
    sends: a receiver may take its time, and nothing here waits for it."""

    publish: PublishEvents
    name: str = "outbox"

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        for _ in range(BATCHES_AT_ONCE):
            found = await self.publish(app_uuid)
            for event in found:
                facts = msgspec.to_builtins(event)
                log.info("event", event_type=facts.pop("type"), app=str(app_uuid), **facts)
            if not found:
                break
        return ()


class Housekeeping:
    """Forgets what nobody asks for any more: expired idempotency keys; messages and webhook
    deliveries that were done a month ago; how providers answered, when routing looks at it no
    more; and what shoppers told of themselves for checkouts that
    ended a month ago and sold nothing. At most once an hour per app, and when the app has other
    work: a quiet app's rows do not grow. Events stay, they are the record."""

    name = "housekeeping"

    def __init__(self, unit_of_work: UnitOfWork[WorkTx]) -> None:
        self._unit_of_work = unit_of_work
        self._next: dict[AppUuid, datetime] = {}

    async def claim(self, app_uuid: AppUuid, now: datetime) -> Sequence[Task]:
        if now >= self._next.get(app_uuid, now):
            self._next[app_uuid] = now + timedelta(hours=1)
            async with self._unit_of_work.begin(app_uuid) as tx:
                await tx.idempotency.forget_expired(now=now)
                await tx.due_work.forget_messages(done_before=now - MESSAGES_KEPT)
                await tx.due_work.forget_provider_calls(made_before=now - CALLS_KEPT)
                await tx.due_work.forget_details(ended_before=now - DETAILS_KEPT)
                await tx.webhook_deliveries.forget(settled_before=now - DELIVERIES_KEPT)
        return ()
