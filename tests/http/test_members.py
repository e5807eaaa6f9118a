"""Tenants and their members: the app manages all of them, a tenant's admin its own."""

from typing import Final

import pytest

from tests.http.examples import UNKNOWN
from tests.http.house import House, Json, code, problems
from tests.make import a_uuid

NEW: Final = str(a_uuid(51))
MEMBER: Final = {"appUuid", "tenantUuid", "userUuid", "role", "createdAt"}
TENANT: Final = {
    "uuid", "appUuid", "name", "email", "metadata", "testClockUuid", "createdAt", "updatedAt",
}  # fmt: skip


def seat(house: House, user: str = NEW, tenant: str = "tenant") -> str:
    return f"/tenants/{house.app.ids[tenant]}/members/{user}"


async def can_see(house: House, user: str, tenant: str = "tenant") -> bool:
    house.app.ids["somebody"] = user
    who = house.app.user("somebody")
    return (await house.ask(who, "GET", f"/tenants/{house.app.ids[tenant]}")).status_code == 200


async def test_a_member_is_put_promoted_and_removed(house: House):
    assert not await can_see(house, NEW)
    joined = await house.ok(house.app.admin, "PUT", seat(house), {"role": "member"})
    assert set(joined) == MEMBER
    assert (joined["userUuid"], joined["role"]) == (NEW, "member")
    assert joined["tenantUuid"] == house.app.ids["tenant"]
    assert await can_see(house, NEW)
    promoted = await house.ok(house.app.admin, "PUT", seat(house), {"role": "admin"})
    assert promoted == joined | {"role": "admin"}
    gone = await house.ok(house.app.admin, "DELETE", seat(house))
    assert gone == promoted
    assert not await can_see(house, NEW)
    assert code(await house.ask(house.app.admin, "DELETE", seat(house))) == "404 [E4040]"


async def test_putting_the_same_member_twice_is_once(house: House):
    await house.ok(house.app.admin, "PUT", seat(house), {"role": "member"})
    before = await house.rows()
    await house.ok(house.app.admin, "PUT", seat(house), {"role": "member"})
    assert await house.rows() == before


async def test_a_tenants_admin_manages_its_own_members_and_no_others(house: House):
    owner = house.app.user("owner")
    await house.ok(owner, "PUT", seat(house), {"role": "admin"})
    await house.ok(owner, "DELETE", seat(house, house.app.ids["member"]))
    before = await house.rows()
    for method, body in (("PUT", {"role": "admin"}), ("DELETE", None)):
        for tenant in ("other_tenant", "nowhere"):
            house.app.ids.setdefault("nowhere", UNKNOWN)
            path = seat(house, house.app.ids["neighbour"], tenant)
            answer = await house.ask(owner, method, path, ... if body is None else body)
            assert code(answer) == "404 [E4040]"
    assert await house.rows() == before


async def test_a_member_manages_nobody_and_cannot_promote_itself(house: House):
    member = house.app.user("member")
    before = await house.rows()
    for user in (house.app.ids["member"], NEW):
        answer = await house.ask(member, "PUT", seat(house, user), {"role": "admin"})
        assert code(answer) == "403 [E4031]"
    answer = await house.ask(member, "DELETE", seat(house, house.app.ids["owner"]))
    assert code(answer) == "403 [E4031]"
    assert await house.rows() == before


async def test_who_was_promoted_may_manage_at_once(house: House):
    await house.ok(house.app.user("owner"), "PUT", seat(house), {"role": "admin"})
    house.app.ids["promoted"] = NEW
    promoted = house.app.user("promoted")
    await house.ok(promoted, "DELETE", seat(house, house.app.ids["member"]))


async def test_a_tenants_admin_does_not_rename_it(house: House):
    path = f"/tenants/{house.app.ids['tenant']}"
    answer = await house.ask(house.app.user("owner"), "PUT", path, {"name": "x"})
    assert code(answer) == "403 [E4031]"


async def test_no_seat_in_a_tenant_that_is_not_there(house: House):
    path = f"/tenants/{UNKNOWN}/members/{NEW}"
    answer = await house.ask(house.app.admin, "PUT", path, {"role": "member"})
    assert code(answer) == "404 [E4040]"


async def test_a_tenant_is_made_with_the_apps_own_id_or_a_new_one(house: House):
    body: Json = {"uuid": NEW, "name": "Initech", "email": "a@b.example", "metadata": {"a": 1}}
    tenant = await house.ok(house.app.key("write"), "POST", "/tenants", body)
    assert set(tenant) == TENANT
    assert {name: tenant[name] for name in body} == body
    assert await house.ok(house.app.key("read"), "GET", f"/tenants/{NEW}") == tenant
    again = await house.ask(house.app.admin, "POST", "/tenants", body)
    assert code(again) == "409 [E4090]"
    other = await house.ok(house.app.admin, "POST", "/tenants", {"name": "Initech"})
    assert other["uuid"] != NEW and other["email"] is None


async def test_the_same_tenant_id_in_two_apps_is_two_tenants(house: House):
    theirs = house.other.ids["tenant"]
    mine = await house.ok(house.app.admin, "POST", "/tenants", {"uuid": theirs, "name": "Mine"})
    assert mine["appUuid"] == str(house.app.app_uuid)
    path = house.other.path(f"/tenants/{theirs}")
    found = (await house.door.get(path, headers=dict(house.other.admin))).json()["items"][0]
    assert (found["name"], found["appUuid"]) == ("Acme GmbH", str(house.other.app_uuid))


async def test_a_tenant_changes_in_what_is_sent_and_null_empties(house: House):
    path = f"/tenants/{house.app.ids['tenant']}"
    await house.ok(house.app.admin, "PUT", path, {"email": "a@b.example"})
    after = await house.ok(house.app.admin, "PUT", path, {"name": "Acme AG"})
    assert (after["name"], after["email"]) == ("Acme AG", "a@b.example")
    assert (await house.ok(house.app.admin, "PUT", path, {"email": None}))["email"] is None
    answer = await house.ask(house.app.admin, "PUT", path, {"name": None})
    assert problems(answer).keys() == {"name"}


async def test_a_user_lists_its_own_tenants_and_the_app_all_of_them(house: House):
    async def names(who: object) -> list[str]:
        return [t["name"] for t in (await house.ask(who, "GET", "/tenants")).json()["items"]]

    assert await names(house.app.user("member")) == ["Acme GmbH"]
    assert await names(house.app.user("neighbour")) == ["Globex BV"]
    assert await names(house.app.user("guest")) == []
    for all_seeing in (house.app.admin, house.app.key("read")):
        assert await names(all_seeing) == ["Acme GmbH", "Globex BV"]


@pytest.mark.parametrize("role", ["owner", "ADMIN", "", None, 1])
async def test_a_role_is_member_or_admin(house: House, role: object):
    answer = await house.ask(house.app.admin, "PUT", seat(house), {"role": role})
    assert (code(answer), problems(answer).keys()) == ("400 [E4000]", {"role"})
