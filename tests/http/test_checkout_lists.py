"""Sessions read back: lists in pages, what each caller sees of them, and ending one."""

from datetime import timedelta

import httpx
import pytest

from tests.http.examples import UNKNOWN
from tests.http.house import Headers, House, Json, code

LIST = "/checkout-sessions"


@pytest.fixture
async def sessions(house: House) -> list[str]:
    """Seven sessions of the tenant, oldest first; and one each of the neighbours'."""
    rows = [(await house.bought(quantity=n + 1))["uuid"] for n in range(7)]
    other = house.app.ids["other_tenant"]
    await house.bought(house.app.user("neighbour"), tenantUuid=other)
    path = house.other.path("/payment-providers/mollie/checkout-sessions")
    answer = await house.door.post(
        path, json=house.other.order(), headers=dict(house.other.user("member"))
    )
    assert answer.status_code == 200
    return rows


async def listed(house: House, who: Headers, query: str = "") -> tuple[int, list[str]]:
    """The total, and what is on the page."""
    answer = await house.ask(who, "GET", LIST + query)
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    assert (page["kind"], page["itemsLength"]) == ("checkoutSessions", len(page["items"]))
    return page["totalItems"], [row["uuid"] for row in page["items"]]


async def test_the_newest_come_first_in_pages(house: House, sessions: list[str]):
    member, newest_first = house.app.user("member"), sessions[::-1]
    assert await listed(house, member) == (7, newest_first)
    assert await listed(house, member, "?limit=3") == (7, newest_first[:3])
    assert await listed(house, member, "?limit=3&page=2") == (7, newest_first[6:])
    assert await listed(house, member, "?limit=3&page=3") == (7, [])


async def test_after_is_stable_while_others_arrive(house: House, sessions: list[str]):
    member, newest_first = house.app.user("member"), sessions[::-1]
    _, first = await listed(house, member, "?limit=3")
    await house.bought(quantity=8)
    _, second = await listed(house, member, f"?limit=3&after={first[-1]}")
    _, third = await listed(house, member, f"?limit=3&after={second[-1]}")
    assert first + second + third == newest_first
    assert (await listed(house, member, f"?after={sessions[0]}"))[1] == []


async def test_after_must_be_a_uuid(house: House):
    answer = await house.ask(house.app.admin, "GET", f"{LIST}?after=yesterday")
    assert code(answer) == "400 [E4000]"
    assert answer.json()["errors"][0]["field"] == "after"


async def test_after_what_does_not_exist_nothing_is_told(house: House, sessions: list[str]):
    """Neither of another tenant's session nor of an unknown one."""
    _, theirs = await listed(house, house.app.user("neighbour"))
    for after in (*theirs, UNKNOWN):
        answer = await house.ask(house.app.user("member"), "GET", f"{LIST}?after={after}")
        assert answer.status_code in (200, 404)
        if answer.status_code == 200:
            assert {row["tenantUuid"] for row in answer.json()["items"]} <= {
                house.app.ids["tenant"]
            }


async def test_everybody_sees_what_is_theirs(house: House, sessions: list[str]):
    app = house.app
    assert (await listed(house, app.user("neighbour")))[0] == 1
    assert await listed(house, app.user("guest")) == (0, [])
    assert await listed(house, app.user("guest", "catalog:write")) == (0, [])
    for who in (app.user("guest", "billing:read"), app.admin, app.key("read")):
        assert (await listed(house, who, "?limit=1"))[0] == 8
    mine = (await listed(house, app.user("member")))[1]
    theirs = (await listed(house, app.user("neighbour")))[1]
    assert set(mine).isdisjoint(theirs)


async def test_a_session_that_is_ended_stays_ended(house: House):
    row = await house.bought()
    path = f"{LIST}/{row['uuid']}"
    ended = await house.ok(house.app.user("member"), "POST", f"{path}/expire")
    assert (ended["status"], ended["paymentStatus"]) == ("expired", "unpaid")
    assert await house.ok(house.app.user("member"), "GET", path) == ended
    again = await house.ask(house.app.user("member"), "POST", f"{path}/expire")
    assert again.status_code in (200, 409)
    assert (await house.ok(house.app.user("member"), "GET", path))["status"] == "expired"


async def test_what_is_paid_cannot_be_ended(house: House, sandbox: httpx.AsyncClient):
    row = await house.bought()
    told = await sandbox.post(
        f"/_control/payments/{row['sessionId']}/status", json={"status": "paid"}
    )
    assert told.is_success
    path = f"{LIST}/{row['uuid']}"
    assert code(await house.ask(house.app.admin, "POST", f"{path}/expire")) == "409 [E4090]"
    after = await house.ok(house.app.admin, "GET", path)
    assert (after["status"], after["paymentStatus"]) == ("complete", "paid")


async def test_ending_is_answered_once_for_one_key(house: House):
    row = await house.bought()
    path = f"{LIST}/{row['uuid']}/expire"
    member = {**house.app.user("member"), "Idempotency-Key": "k"}
    first = await house.ask(member, "POST", path)
    second = await house.ask(member, "POST", path)
    assert first.status_code == 200
    assert second.content == first.content
    assert second.headers["Idempotent-Replayed"] == "true"


async def test_a_double_click_is_one_session(house: House):
    first, second = await house.buy(), await house.buy()
    assert first.content == second.content
    assert second.headers["Idempotent-Replayed"] == "true"
    assert await house.count("checkout_sessions") == 1
    await house.bought(quantity=2)
    await house.bought(house.app.admin)
    assert await house.count("checkout_sessions") == 3


@pytest.mark.parametrize("given", [None, "auto:1", "k"])
async def test_a_given_key_lives_for_weeks_and_a_double_click_for_seconds(
    house: House, given: str | None
):
    headers = house.app.user("member") | ({"Idempotency-Key": given} if given else {})
    await house.bought(headers)
    (kept,) = await house.connection.fetch("select expires_at - created_at from idempotency_keys")
    assert kept[0] == (timedelta(days=30) if given else timedelta(seconds=10))


async def test_a_click_after_the_session_has_ended_opens_another(house: House):
    row = await house.bought()
    await house.ok(house.app.admin, "POST", f"{LIST}/{row['uuid']}/expire")
    assert (await house.bought())["uuid"] != row["uuid"]
