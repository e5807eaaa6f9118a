"""Moves a test clock on: from one instant at which something is due to the next, in order.

Every move is committed before what is due there is done, so GET shows it going, and whoever takes
over from a dead worker carries on where it was. What has been asked of a provider is waited for, as
long as a card takes; a bank that takes days is not, and says later what became of it.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.clock import Clock, Pause
from domain.kernel.errors import (
    DomainError,
    NotFound,
    ProviderBusy,
    ProviderUnavailable,
    ProviderUnreadable,
)
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.observe_payment import ObservePayment
from domain.payments.recover_attempt import RecoverAttempt
from domain.subscriptions.advance_subscription import AdvanceSubscription
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.test_clock import ClockStatus, TestClock, UnderWay, arrived, moved
from domain.subscriptions.test_clock_service import told

STEPS_MAX: Final = 50
"""In one go. Then the app's other work gets its turn."""
LOOK_EVERY_S: Final = 0.25
LOOKS_MAX: Final = 8
"""Two seconds for a provider to decide."""
TRY_AGAIN: Final = timedelta(seconds=10)


class _Lost(Exception):
    """Somebody else sees to the clock now, or nobody need any more."""


@dataclass(slots=True)
class _Hold:
    """The clock's `due_at` is whose turn it is: who finds another one there has lost it."""

    app_uuid: AppUuid
    uuid: UUID
    until: datetime
    looks: Counter[object] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class AdvanceClock:
    unit_of_work: UnitOfWork[SubscriptionsTx]
    advance: AdvanceSubscription
    observe: ObservePayment
    recover: RecoverAttempt
    clock: Clock
    pause: Pause
    lease: timedelta

    async def __call__(
        self, app_uuid: AppUuid, uuid: UUID, held_until: datetime
    ) -> DomainError | None:
        """What a provider kept it from, if it did: it is then tried again later.

        `held_until`: what the caller's claim has written as the clock's `due_at`.
        """
        hold = _Hold(app_uuid, uuid, held_until)
        try:
            for _ in range(STEPS_MAX):
                await self._settle(hold)
                subscription_uuid = await self._move_on(hold)
                if subscription_uuid is None:
                    return None
                kept_from = await self.advance(app_uuid, subscription_uuid)
                if kept_from is not None:
                    raise kept_from
            await self._let_go(hold, due_in=timedelta(0))
        except _Lost:
            return None
        except (ProviderUnavailable, ProviderUnreadable) as error:
            await self._fail(hold, error)
            return error
        return None

    async def _settle(self, hold: _Hold) -> None:
        """Before time goes on: what providers will have decided in a moment is taken in."""
        while True:
            found = await self._under_way(hold)
            if not found.attempts and not found.payments:
                return
            await self.pause(LOOK_EVERY_S)
            for attempt_uuid in found.attempts:
                kept_from = await self.recover(hold.app_uuid, attempt_uuid)
                if kept_from is not None:
                    raise kept_from
            for account_uuid, ref in found.payments:
                await self.observe(hold.app_uuid, account_uuid, ref)

    async def _under_way(self, hold: _Hold) -> UnderWay:
        """What is worth another look."""
        async with self.unit_of_work.begin(hold.app_uuid) as tx:
            await tx.test_clocks.save(await self._held(tx, hold))
            found = await tx.test_clocks.under_way(hold.uuid)
        waited_for = tuple(p for p in found.payments if hold.looks[p] < LOOKS_MAX)
        hold.looks.update((*found.attempts, *waited_for))
        if any(hold.looks[attempt] > LOOKS_MAX for attempt in found.attempts):
            raise ProviderUnavailable("a charge is still being asked for")
        return UnderWay(attempts=found.attempts, payments=waited_for)

    async def _move_on(self, hold: _Hold) -> UUID | None:
        """To the next instant at which something is due. None: it has arrived."""
        async with self.unit_of_work.begin(hold.app_uuid) as tx:
            clock, at = await self._held(tx, hold), self.clock.now()
            found = await tx.test_clocks.next_due(hold.uuid, until=clock.target)
            if found is not None:
                due_at, subscription_uuid = found
                await tx.test_clocks.save(moved(clock, due_at, at=at))
                return subscription_uuid
            there = arrived(clock, at=at)
            await tx.test_clocks.save(there)
            if clock.status is ClockStatus.ADVANCING:
                await tx.outbox.append(told("ready", there, at=at))
        return None

    async def _fail(self, hold: _Hold, error: DomainError) -> None:
        wait = TRY_AGAIN
        if isinstance(error, ProviderBusy):
            wait = timedelta(seconds=error.retry_after_s)
        await self._let_go(hold, due_in=wait, failure=str(error))

    async def _let_go(self, hold: _Hold, *, due_in: timedelta, failure: str | None = None) -> None:
        try:
            async with self.unit_of_work.begin(hold.app_uuid) as tx:
                clock, at = await self._held(tx, hold), self.clock.now()
                free = replace(clock, failure=failure, due_at=at + due_in, updated_at=at)
                await tx.test_clocks.save(free)
        except _Lost:
            pass

    async def _held(self, tx: SubscriptionsTx, hold: _Hold) -> TestClock:
        """The clock, locked, and ours for another lease once it is saved."""
        try:
            clock = await tx.test_clocks.get_for_update(hold.uuid)
        except NotFound:
            raise _Lost from None
        if clock.due_at != hold.until:
            raise _Lost
        hold.until = self.clock.now() + self.lease
        return replace(clock, due_at=hold.until)
