"""Billing policies in memory. tests/contract/test_billing_policies.py holds them to PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from domain.kernel.events import Event
from domain.kernel.ids import AppUuid
from domain.subscriptions.policy import BillingPolicy, default_policy
from tests.fakes.catalog import FakeOutbox
from tests.fakes.clock import NOON


class HasPolicy(Protocol):
    policy: BillingPolicy | None


class FakeBillingPolicies:
    """Every app was made at noon."""

    def __init__(self, app_uuid: AppUuid, rows: HasPolicy) -> None:
        self._app_uuid, self._rows = app_uuid, rows

    async def get(self) -> BillingPolicy:
        return self._rows.policy or default_policy(self._app_uuid, NOON)

    async def get_for_update(self) -> BillingPolicy:
        return await self.get()

    async def put(self, policy: BillingPolicy) -> None:
        first = (self._rows.policy or policy).created_at
        self._rows.policy = replace(policy, app_uuid=self._app_uuid, created_at=first)


class PolicyRows(Struct):
    policy: BillingPolicy | None = None
    events: list[Event] = field(default_factory=list)


class FakePoliciesTx:
    def __init__(self, app_uuid: AppUuid, rows: PolicyRows) -> None:
        self.billing_policies = FakeBillingPolicies(app_uuid, rows)
        self.outbox = FakeOutbox(rows)


class FakePolicies:
    """A unit of work. `rows` is what is committed, by app."""

    def __init__(self) -> None:
        self.rows: dict[AppUuid, PolicyRows] = {}

    @asynccontextmanager
    async def begin(self, app_uuid: AppUuid) -> AsyncIterator[FakePoliciesTx]:
        before = self.rows.get(app_uuid, PolicyRows())
        rows = PolicyRows(before.policy, copy(before.events))
        yield FakePoliciesTx(app_uuid, rows)
        self.rows[app_uuid] = rows
