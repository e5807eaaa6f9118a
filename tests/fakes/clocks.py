"""Test clocks in memory. tests/contract/test_test_clocks.py holds them to PostgreSQL."""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.errors import NotFound
from domain.kernel.pages import Page, PageRequest
from domain.payments.attempt import AttemptStatus
from domain.subscriptions import test_clock
from tests.fakes.checkout_rows import CheckoutRows, newest


class FakeClocks:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def add(self, clock: test_clock.TestClock) -> None:
        self._rows.clocks[clock.uuid] = clock

    async def save(self, clock: test_clock.TestClock) -> None:
        held = self._rows.clocks[clock.uuid]
        fixed = {"name": held.name, "created_at": held.created_at}
        self._rows.clocks[clock.uuid] = replace(clock, **fixed)

    async def get(self, uuid: UUID) -> test_clock.TestClock:
        clock = self._rows.clocks.get(uuid)
        if clock is None or clock.deleted_at is not None:
            raise NotFound("test clock", uuid)
        return clock

    async def get_for_update(self, uuid: UUID) -> test_clock.TestClock:
        return await self.get(uuid)

    async def list(self, request: PageRequest) -> Page[test_clock.TestClock]:
        return newest((c for c in self._rows.clocks.values() if c.deleted_at is None), request)

    async def next_due(self, uuid: UUID, *, until: datetime) -> tuple[datetime, UUID] | None:
        on_it = (s for s in self._rows.subscriptions.values() if s.test_clock_uuid == uuid)
        due = ((s.due_at, s.uuid) for s in on_it if s.due_at is not None and s.due_at <= until)
        return min(due, default=None)

    async def under_way(self, uuid: UUID) -> test_clock.UnderWay:
        on_it = {s.uuid for s in self._rows.subscriptions.values() if s.test_clock_uuid == uuid}
        bills = {
            bill.uuid
            for bill in self._rows.bills.values()
            if bill.is_open and bill.subscription_uuid in on_it
        }
        attempts = (a for a in self._rows.attempts.values() if a.bill_uuid in bills)
        payments = (p for p in self._rows.payments.values() if p.bill_uuid in bills and p.is_live)
        return test_clock.UnderWay(
            attempts=tuple(
                sorted(a.uuid for a in attempts if a.status is AttemptStatus.SUBMITTING)
            ),
            payments=tuple(
                (p.payment_provider_uuid, p.provider_ref)
                for p in sorted(payments, key=lambda p: p.uuid)
            ),
        )

    async def has_living_subscriptions(self, uuid: UUID) -> bool:
        on_it = (s for s in self._rows.subscriptions.values() if s.test_clock_uuid == uuid)
        return any(not s.has_ended for s in on_it)

    async def wake(self, uuid: UUID, *, due_at: datetime, at: datetime) -> None:
        clock = self._rows.clocks[uuid]
        if clock.deleted_at is None and clock.due_at is None and clock.now >= due_at:
            self._rows.clocks[uuid] = replace(clock, due_at=at)
