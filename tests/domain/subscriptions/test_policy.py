"""The billing policy: its defaults, its limits, and who may change it."""

from datetime import timedelta

import pytest
from msgspec import UNSET

from domain.kernel.errors import Forbidden, Invalid
from domain.subscriptions.policy import (
    BillingPolicy,
    ChargebackAction,
    FinalAction,
    MissedPeriods,
    default_policy,
    mistakes,
)
from domain.subscriptions.policy_service import PolicyChange, PolicyService
from domain.tenancy.caller import Scope
from tests.fakes.billing_policies import FakePolicies
from tests.fakes.clock import NOON, FakeClock
from tests.make import APP, an_actor

EDITOR = an_actor(Scope.BILLING_WRITE)
READER = an_actor(Scope.BILLING_READ)
LATER = NOON + timedelta(hours=1)
SERVICE = PolicyService(FakeClock(LATER))


async def changed(policies: FakePolicies, change: PolicyChange) -> BillingPolicy:
    async with policies.begin(APP) as tx:
        return await SERVICE.update(tx, EDITOR, change)


def wrong(**fields: object) -> list[str | None]:
    said = {"app_uuid": APP, "created_at": NOON, "updated_at": NOON} | fields
    return [violation.field for violation in mistakes(BillingPolicy(**said))]  # type: ignore[arg-type]


def test_the_defaults():
    policy = default_policy(APP, NOON)
    assert policy == BillingPolicy(
        app_uuid=APP,
        time_zone="UTC",
        retry_days=(3, 5, 7),
        grace_days=7,
        final_action=FinalAction.CANCEL,
        missed_periods=MissedPeriods.BILL,
        chargeback_action=ChargebackAction.SUSPEND,
        minimum_charge_minor=0,
        created_at=NOON,
        updated_at=NOON,
    )
    assert list(mistakes(policy)) == []


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+12", "Asia/Kathmandu"]
)
def test_a_time_zone_has_a_name_that_the_world_knows(zone: str):
    assert wrong(time_zone=zone) == []


@pytest.mark.parametrize(
    "zone",
    [
        "", "CEST", "europe/berlin", "Europe/Atlantis", "+02:00", "../../etc/passwd", "Europe",
        "localtime", "Factory", "posix/Europe/Berlin", "Europe/Berlin ", "Europe/Berlin\0",
    ],
)  # fmt: skip
def test_other_names_are_refused(zone: str):
    assert wrong(time_zone=zone) == ["timeZone"]


@pytest.mark.parametrize("days", [(), (1,), (60,), (1, 2), tuple(range(1, 11))])
def test_retry_days_grow(days: tuple[int, ...]):
    assert wrong(retry_days=days) == []


@pytest.mark.parametrize(
    "days", [(0,), (61,), (-1, 1), (3, 3), (5, 3), (1, 5, 4), tuple(range(1, 12))]
)
def test_other_retry_days_are_refused(days: tuple[int, ...]):
    assert wrong(retry_days=days) == ["retryDays"]


def test_all_mistakes_are_told_at_once():
    assert wrong(time_zone="Mars", retry_days=(2, 1), grace_days=61, minimum_charge_minor=-1) == [
        "timeZone",
        "retryDays",
        "graceDays",
        "minimumCharge",
    ]
    assert wrong(grace_days=-1) == ["graceDays"]
    assert wrong(minimum_charge_minor=100_001) == ["minimumCharge"]
    assert wrong(grace_days=0) == wrong(grace_days=60) == []


async def test_what_is_not_said_stays():
    policies = FakePolicies()
    await changed(policies, PolicyChange(time_zone="Europe/Berlin", retry_days=()))
    after = await changed(policies, PolicyChange(final_action=FinalAction.PAUSE))
    assert (after.time_zone, after.retry_days) == ("Europe/Berlin", ())
    assert (after.final_action, after.grace_days) == (FinalAction.PAUSE, 7)
    assert (after.created_at, after.updated_at) == (NOON, LATER)
    assert policies.rows[APP].policy == after
    first, second = policies.rows[APP].events
    assert {first.type, second.type} == {"billing_policy.updated"}
    assert second.facts["finalAction"] == "pause"


async def test_a_change_that_changes_nothing_is_not_told():
    policies = FakePolicies()
    await changed(policies, PolicyChange(grace_days=7))
    await changed(policies, PolicyChange())
    assert policies.rows[APP].events == []
    assert policies.rows[APP].policy is None


async def test_a_change_with_a_mistake_changes_nothing():
    policies = FakePolicies()
    with pytest.raises(Invalid) as caught:
        await changed(policies, PolicyChange(grace_days=3, time_zone="Mars", retry_days=(9, 1)))
    assert [violation.field for violation in caught.value.violations] == ["timeZone", "retryDays"]
    assert policies.rows == {}


async def test_reading_and_changing_need_their_scopes():
    policies = FakePolicies()
    async with policies.begin(APP) as tx:
        assert await SERVICE.get(tx, READER) == default_policy(APP, NOON)
        for nobody in (an_actor(), an_actor(Scope.CATALOG_WRITE)):
            with pytest.raises(Forbidden):
                await SERVICE.get(tx, nobody)
        with pytest.raises(Forbidden):
            await SERVICE.update(tx, READER, PolicyChange(grace_days=1))


def test_every_rule_of_a_policy_can_be_changed():
    fixed = {"app_uuid", "created_at", "updated_at"}
    assert set(PolicyChange.__struct_fields__) == set(BillingPolicy.__struct_fields__) - fixed
    change = PolicyChange()
    assert {getattr(change, name) for name in PolicyChange.__struct_fields__} == {UNSET}
