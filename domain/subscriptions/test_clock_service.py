"""Making test clocks, and asking them to go on. Going is a worker's work: see advance_clock.py.

Authorization is the first line of each method: they are the app's own, and no tenant's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict, Refused
from domain.kernel.events import Event, Outbox
from domain.kernel.ids import Ids
from domain.kernel.pages import Page, PageRequest
from domain.subscriptions.test_clock import (
    EARLIEST,
    LATEST,
    ClockStatus,
    TestClock,
    TestClocks,
    set_off,
)
from domain.tenancy.caller import Actor, Scope


class TestClocksTx(Protocol):
    @property
    def test_clocks(self) -> TestClocks: ...
    @property
    def outbox(self) -> Outbox: ...


class NewClock(Struct, frozen=True, kw_only=True):
    now: datetime
    name: str | None = None


@dataclass(frozen=True, slots=True)
class TestClockService:
    clock: Clock
    ids: Ids

    async def create(self, tx: TestClocksTx, actor: Actor, new: NewClock) -> TestClock:
        actor.need(Scope.BILLING_WRITE)
        if not EARLIEST <= new.now < LATEST:
            message = f"must be from {EARLIEST.year} to {LATEST.year - 1}"
            raise Refused(message, field="now")
        at = self.clock.now()
        made = TestClock(
            uuid=self.ids.new(),
            app_uuid=actor.app_uuid,
            name=new.name,
            now=new.now.astimezone(UTC),
            created_at=at,
            updated_at=at,
        )
        await tx.test_clocks.add(made)
        await tx.outbox.append(told("created", made, at=at))
        return made

    async def get(self, tx: TestClocksTx, actor: Actor, uuid: UUID) -> TestClock:
        actor.need(Scope.BILLING_READ)
        return await tx.test_clocks.get(uuid)

    async def list(self, tx: TestClocksTx, actor: Actor, request: PageRequest) -> Page[TestClock]:
        actor.need(Scope.BILLING_READ)
        return await tx.test_clocks.list(request)

    async def advance(self, tx: TestClocksTx, actor: Actor, uuid: UUID, to: datetime) -> TestClock:
        """Raises Conflict while it is advancing, and Refused for where it cannot go."""
        actor.need(Scope.BILLING_WRITE)
        at = self.clock.now()
        going = set_off(await tx.test_clocks.get_for_update(uuid), to, at=at)
        await tx.test_clocks.save(going)
        await tx.outbox.append(told("advancing", going, at=at))
        return going

    async def delete(self, tx: TestClocksTx, actor: Actor, uuid: UUID) -> TestClock:
        """Its tenants stay on it, and can begin no more. Raises Conflict while it is in use."""
        actor.need(Scope.BILLING_WRITE)
        clock = await tx.test_clocks.get_for_update(uuid)
        if clock.status is ClockStatus.ADVANCING:
            raise Conflict("the test clock is advancing: wait until it is ready")
        if await tx.test_clocks.has_living_subscriptions(uuid):
            raise Conflict("subscriptions live by the test clock: cancel them first")
        at = self.clock.now()
        gone = replace(clock, due_at=None, deleted_at=at, updated_at=at)
        await tx.test_clocks.save(gone)
        await tx.outbox.append(told("deleted", gone, at=at))
        return gone


def told(what: str, clock: TestClock, *, at: datetime) -> Event:
    to = clock.advancing_to
    facts = {
        "testClockUuid": str(clock.uuid),
        "now": clock.now.isoformat(),
        "advancingTo": None if to is None else to.isoformat(),
    }
    return Event(type=f"test_clock.{what}", aggregate_uuid=clock.uuid, at=at, facts=facts)
