"""Billing policies: what the fake does, PostgreSQL does too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

import pytest
from msgspec.structs import replace

from domain.kernel.ids import AppUuid
from domain.subscriptions.policy import (
    BillingPolicy,
    ChargebackAction,
    FinalAction,
    MissedPeriods,
    default_policy,
)
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.fakes.billing_policies import FakePolicies, FakePoliciesTx
from tests.fakes.clock import NOON
from tests.make import APP, OTHER_APP, an_app

LATER = NOON + timedelta(days=1)
OWN = BillingPolicy(
    app_uuid=APP,
    time_zone="America/Argentina/ComodRivadavia",
    retry_days=(1, 2, 60),
    grace_days=0,
    final_action=FinalAction.KEEP,
    missed_periods=MissedPeriods.SKIP,
    chargeback_action=ChargebackAction.WRITE_OFF,
    minimum_charge_minor=100,
    created_at=NOON,
    updated_at=LATER,
)


class Policies(Protocol):
    def begin(
        self, app_uuid: AppUuid
    ) -> AbstractAsyncContextManager[FakePoliciesTx | PostgresTx]: ...


@pytest.fixture
async def tables(clean_database: str) -> AsyncIterator[Database[PostgresTx]]:
    database = Database(clean_database, PostgresTx)
    async with database.open():
        for app_uuid in (APP, OTHER_APP):
            async with database.begin(app_uuid) as tx:
                await tx.apps.add(an_app(app_uuid=app_uuid))
        yield database


@pytest.fixture(params=["fake", "postgres"])
def policies(request: pytest.FixtureRequest) -> Policies:
    if request.param == "fake":
        return FakePolicies()
    found: Database[PostgresTx] = request.getfixturevalue("tables")
    return found


async def found(policies: Policies, app_uuid: AppUuid = APP) -> BillingPolicy:
    async with policies.begin(app_uuid) as tx:
        policy = await tx.billing_policies.get()
        assert await tx.billing_policies.get_for_update() == policy
    return policy


async def put(policies: Policies, policy: BillingPolicy) -> None:
    async with policies.begin(APP) as tx:
        await tx.billing_policies.put(policy)


async def test_without_one_the_default_rules_as_old_as_the_app(policies: Policies):
    assert await found(policies) == default_policy(APP, NOON)


async def test_what_is_put_comes_back(policies: Policies):
    await put(policies, OWN)
    assert await found(policies) == OWN


async def test_a_second_one_takes_its_place_and_keeps_its_birthday(policies: Policies):
    await put(policies, OWN)
    second = replace(
        default_policy(APP, LATER), retry_days=(), updated_at=LATER + timedelta(days=1)
    )
    await put(policies, second)
    assert await found(policies) == replace(second, created_at=NOON)


async def test_another_app_has_its_own(policies: Policies):
    await put(policies, OWN)
    assert await found(policies, OTHER_APP) == default_policy(OTHER_APP, NOON)


@pytest.mark.parametrize("is_first", [True, False])
async def test_two_who_change_it_at_once_do_not_undo_each_other(
    tables: Database[PostgresTx], is_first: bool
):
    if not is_first:
        await put(tables, OWN)

    async def change(**fields: object) -> None:
        async with tables.begin(APP) as tx:
            before = await tx.billing_policies.get_for_update()
            await tx.billing_policies.put(replace(before, **fields))

    await asyncio.gather(change(grace_days=9), change(time_zone="Asia/Tokyo"))

    after = await found(tables)
    assert (after.grace_days, after.time_zone) == (9, "Asia/Tokyo")
