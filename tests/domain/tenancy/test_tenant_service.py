"""What tenants and members allow, to whom, and what is told about it."""

from datetime import timedelta

import pytest

from domain.kernel.errors import Conflict, Forbidden, NotFound, Refused
from domain.kernel.pages import PageRequest
from domain.tenancy.caller import Scope
from domain.tenancy.tenant import Role
from domain.tenancy.tenant_service import NewTenant, TenantChange, TenantService
from tests.fakes.clock import FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.tenancy import FakeTenancyTx, FakeTenants
from tests.make import (
    APP,
    NOON,
    OTHER_TENANT,
    OTHER_USER,
    TENANT,
    USER,
    a_tenant,
    a_uuid,
    an_actor,
)

BACKEND = an_actor(Scope.TENANTS_WRITE)
READER = an_actor(Scope.TENANTS_READ)
ADMIN = an_actor(tenants={TENANT: Role.ADMIN})
MEMBER = an_actor(tenants={TENANT: Role.MEMBER})
STRANGER = an_actor(tenants={OTHER_TENANT: Role.ADMIN})
NOBODY = an_actor()
SEAT = (TENANT, OTHER_USER)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def service(clock):
    return TenantService(clock, FakeIds())


@pytest.fixture
def tx():
    other = a_tenant(uuid=OTHER_TENANT, name="Other", created_at=NOON + timedelta(seconds=1))
    return FakeTenancyTx(FakeTenants(other, a_tenant()))


def told(tx) -> list[tuple[str, dict]]:
    return [(event.type, dict(event.facts)) for event in tx.outbox.events]


async def test_a_new_tenant_gets_a_uuid_unless_the_app_has_one_for_it(service, tx):
    made = await service.create(tx, BACKEND, NewTenant(name="Bakery"))
    given = await service.create(tx, BACKEND, NewTenant(name="Mill", uuid=USER))

    assert made.uuid.version == 7
    assert given.uuid == USER
    assert await tx.tenants.get(made.uuid) == made
    assert (made.app_uuid, made.created_at, made.updated_at) == (APP, NOON, NOON)
    assert told(tx) == [
        ("tenant.created", {"tenantUuid": str(made.uuid)}),
        ("tenant.created", {"tenantUuid": str(USER)}),
    ]


async def test_the_same_tenant_cannot_be_made_twice(service, tx):
    with pytest.raises(Conflict):
        await service.create(tx, BACKEND, NewTenant(name="Bakery", uuid=TENANT))
    assert told(tx) == []


@pytest.mark.parametrize("actor", [READER, ADMIN, MEMBER, NOBODY])
async def test_only_who_may_write_tenants_makes_or_changes_one(service, tx, actor):
    with pytest.raises(Forbidden):
        await service.create(tx, actor, NewTenant(name="Bakery"))
    with pytest.raises(Forbidden):
        await service.update(tx, actor, TENANT, TenantChange(name="Bakery"))
    assert told(tx) == []


async def test_an_update_changes_what_is_said_and_nothing_else(service, tx, clock):
    await service.update(tx, BACKEND, TENANT, TenantChange(email="a@example.com"))
    clock.advance(timedelta(hours=1))
    changed = await service.update(tx, BACKEND, TENANT, TenantChange(name="New", email=None))

    assert changed == a_tenant(name="New", updated_at=NOON + timedelta(hours=1))
    assert await tx.tenants.get(TENANT) == changed
    assert [what for what, _ in told(tx)] == ["tenant.updated", "tenant.updated"]


async def test_an_update_that_changes_nothing_is_told_to_nobody(service, tx, clock):
    clock.advance(timedelta(hours=1))
    same = await service.update(tx, BACKEND, TENANT, TenantChange(name=a_tenant().name))
    assert same == a_tenant()
    assert told(tx) == []


async def test_a_tenant_that_is_not_there_cannot_be_changed(service, tx):
    with pytest.raises(NotFound):
        await service.update(tx, BACKEND, USER, TenantChange(name="New"))


@pytest.mark.parametrize("actor", [BACKEND, READER, ADMIN, MEMBER])
async def test_a_tenant_is_read_by_the_app_and_by_its_users(service, tx, actor):
    assert await service.get(tx, actor, TENANT) == a_tenant()


@pytest.mark.parametrize("actor", [STRANGER, NOBODY])
async def test_another_users_tenant_does_not_exist(service, tx, actor):
    with pytest.raises(NotFound):
        await service.get(tx, actor, TENANT)
    with pytest.raises(NotFound):
        await service.put_member(tx, actor, SEAT, Role.MEMBER)
    with pytest.raises(NotFound):
        await service.remove_member(tx, actor, SEAT)


@pytest.mark.parametrize(
    ("actor", "seen"),
    [
        (BACKEND, [TENANT, OTHER_TENANT]),
        (READER, [TENANT, OTHER_TENANT]),
        (MEMBER, [TENANT]),
        (STRANGER, [OTHER_TENANT]),
        (NOBODY, []),
    ],
)
async def test_a_list_holds_the_apps_tenants_or_the_users_own(service, tx, actor, seen):
    page = await service.list(tx, actor, PageRequest())
    assert [tenant.uuid for tenant in page.items] == seen
    assert page.total == len(seen)


@pytest.mark.parametrize("actor", [BACKEND, ADMIN])
async def test_the_app_and_the_tenants_admins_manage_its_members(service, tx, actor):
    added = await service.put_member(tx, actor, SEAT, Role.MEMBER)
    removed = await service.remove_member(tx, actor, SEAT)

    assert (added.app_uuid, added.tenant_uuid, added.user_uuid) == (APP, *SEAT)
    assert removed == added
    ids = {"tenantUuid": str(TENANT), "userUuid": str(OTHER_USER)}
    assert told(tx) == [("member.added", ids), ("member.removed", ids)]


@pytest.mark.parametrize("actor", [MEMBER, an_actor("tenants:read", tenants=MEMBER.tenants)])
async def test_a_plain_member_manages_nobody(service, tx, actor):
    with pytest.raises(Forbidden):
        await service.put_member(tx, actor, SEAT, Role.MEMBER)
    with pytest.raises(Forbidden):
        await service.remove_member(tx, actor, SEAT)
    assert told(tx) == []


async def test_a_member_put_twice_is_told_once(service, tx, clock):
    first = await service.put_member(tx, BACKEND, SEAT, Role.MEMBER)
    clock.advance(timedelta(hours=1))
    assert await service.put_member(tx, BACKEND, SEAT, Role.MEMBER) == first
    assert len(told(tx)) == 1


async def test_a_new_role_keeps_the_day_of_joining(service, tx, clock):
    await service.put_member(tx, BACKEND, SEAT, Role.MEMBER)
    clock.advance(timedelta(hours=1))
    changed = await service.put_member(tx, BACKEND, SEAT, Role.ADMIN)
    assert (changed.role, changed.created_at) == (Role.ADMIN, NOON)
    assert await tx.tenants.member(*SEAT) == changed


async def test_nobody_joins_a_tenant_that_is_not_there(service, tx):
    with pytest.raises(NotFound):
        await service.put_member(tx, BACKEND, (USER, OTHER_USER), Role.MEMBER)


async def test_who_is_no_member_cannot_be_removed(service, tx):
    with pytest.raises(NotFound):
        await service.remove_member(tx, BACKEND, SEAT)
    assert told(tx) == []


async def test_a_tenant_lives_by_a_test_clock_from_the_beginning_or_never(service):
    clock = a_uuid(91)
    tx = FakeTenancyTx(FakeTenants(clocks={clock}))
    made = await service.create(tx, BACKEND, NewTenant(name="Bakery", test_clock_uuid=clock))
    assert made.test_clock_uuid == clock
    renamed = await service.update(tx, BACKEND, made.uuid, TenantChange(name="Mill"))
    assert renamed.test_clock_uuid == clock
    with pytest.raises(Refused) as refused:
        await service.create(tx, BACKEND, NewTenant(name="Mill", test_clock_uuid=a_uuid(92)))
    assert refused.value.field == "testClockUuid"
