"""Test clocks over the front door: months that pass in seconds, with a provider behind."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from app.jobs import Clocks
from domain.payments.payment_provider import ProviderMode
from tests.http.house import CLOCK, NOBODY, House, Json, code, problems
from tests.http.street import HOOK, Street

JANUARY_31: Final = "2027-01-31T09:00:00.000Z"
A_YEAR_ON: Final = "2028-01-31T09:00:00.000Z"
BERLIN: Final = ZoneInfo("Europe/Berlin")
UNKNOWN: Final = "0198c5a0-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Days:
    """A tenant on a test clock, and a worker. The sandbox's clock moves only when we wait."""

    street: Street
    clocks: Clocks
    clock: Json
    tenant: str

    @property
    def house(self) -> House:
        return self.street.house

    async def ok(self, method: str, path: str, body: Any = ...) -> Json:
        return await self.house.ok(self.house.app.admin, method, path, body)

    async def control(self, path: str, **said: Any) -> None:
        answer = await self.street.sandbox.post(f"/_control/{path}", json=said)
        assert answer.is_success, answer.text

    async def banks_say(self, *said: str | Json) -> None:
        """Of the next charges; after these they are paid."""
        await self.control("settings", recurringOutcomes=list(said), recurringOutcome="paid")

    async def subscribe(self, tenant: str | None = None, **said: Any) -> Json:
        order = {"mode": "subscription", "productPriceUuid": self.house.app.ids["monthly"]}
        order |= {"tenantUuid": tenant or self.tenant} | said
        await self.street.pays(await self.house.bought(self.house.app.admin, **order))
        return (await self.listed("/subscriptions", tenant))[0]

    async def listed(self, path: str, tenant: str | None = None) -> list[Json]:
        whole = f"/tenants/{tenant or self.tenant}{path}?limit=100"
        found: list[Json] = (await self.get(whole))["items"]
        return found

    async def get(self, path: str) -> Json:
        answer = await self.house.ask(self.house.app.admin, "GET", path)
        assert answer.status_code == 200, answer.text
        whole: Json = answer.json()
        return whole

    async def now(self) -> Json:
        return await self.ok("GET", f"/test-clocks/{self.clock['uuid']}")

    async def set_off(self, to: str) -> Json:
        return await self.ok("POST", f"/test-clocks/{self.clock['uuid']}/advance", {"now": to})

    async def work(self) -> int:
        """What a worker does with the clocks that are due. How many were."""
        tasks = await self.clocks.claim(self.house.app.app_uuid, CLOCK.now())
        for task in tasks:
            await task()
        return len(tasks)

    async def pass_until(self, to: str) -> None:
        assert (await self.set_off(to))["status"] == "advancing"
        for _ in range(20):
            await self.work()
            clock = await self.now()
            if clock["status"] == "ready":
                assert (clock["now"], clock["advancingTo"], clock["failure"]) == (to, None, None)
                return
        raise AssertionError(f"it never arrives: {clock}")

    async def of(self, subscription: Json, what: str) -> list[Json]:
        """The oldest first."""
        path = f"/subscriptions/{subscription['uuid']}/{what}?limit=100"
        items: list[Json] = (await self.get(path))["items"]
        return items[::-1]

    async def seen(self, subscription: Json) -> Json:
        return await self.ok("GET", f"/subscriptions/{subscription['uuid']}")

    async def payments(self) -> list[Json]:
        return (await self.listed("/payments"))[::-1]


@pytest.fixture
async def days(street: Street) -> AsyncIterator[Days]:
    async def hurry(seconds: float) -> None:
        answer = await street.sandbox.post("/_control/clock", json={"advanceSeconds": 1})
        assert answer.is_success, answer.text

    house, admin = street.house, street.house.app.admin
    await house.ok(admin, "PUT", "/billing-policy", {"timeZone": "Europe/Berlin"})
    clock = await house.ok(admin, "POST", "/test-clocks", {"now": JANUARY_31, "name": "Days"})
    said = {"name": "Initech", "testClockUuid": clock["uuid"]}
    tenant = (await house.ok(admin, "POST", "/tenants", said))["uuid"]
    advance = replace(street.parts.advance_clock(), pause=hurry)
    clocks = Clocks(street.parts.database, advance, street.parts.lease)
    yield Days(street, clocks, clock, tenant)
    settings = {"recurringOutcomes": [], "recurringOutcome": "open", "debitDelaySeconds": 0}
    for path, back in (("settings", settings), ("clock", {"now": CLOCK.now().isoformat()})):
        answer = await street.sandbox.post(f"/_control/{path}", json=back)
        assert answer.is_success, answer.text


async def test_a_year_of_a_monthly_plan_passes_in_seconds(days: Days):
    await days.banks_say()
    subscription = await days.subscribe()
    assert subscription["currentPeriodStart"] == JANUARY_31
    assert subscription["testClockUuid"] == days.clock["uuid"]
    began = time.monotonic()
    await days.pass_until(A_YEAR_ON)
    assert time.monotonic() - began < 30
    periods = await days.of(subscription, "periods")
    starts = [datetime.fromisoformat(p["startsAt"]).astimezone(BERLIN) for p in periods]
    assert [(at.month, at.day, at.hour) for at in starts] == [
        (1, 31, 10), (2, 28, 10), (3, 31, 10), (4, 30, 10), (5, 31, 10), (6, 30, 10), (7, 31, 10),
        (8, 31, 10), (9, 30, 10), (10, 31, 10), (11, 30, 10), (12, 31, 10), (1, 31, 10),
    ]  # fmt: skip
    bills = await days.of(subscription, "bills")
    assert {bill["status"] for bill in bills} == {"paid"}
    assert [bill["issuedAt"] for bill in bills] == [p["startsAt"] for p in periods]
    assert [bill["closedAt"] for bill in bills] == [p["startsAt"] for p in periods]
    payments = await days.payments()
    assert [payment["status"] for payment in payments] == ["paid"] * 13
    for payment in payments:
        theirs = await days.street.payment(payment["paymentId"])
        assert (theirs["status"], theirs["amount"]["value"]) == ("paid", "9.99")
    assert await days.street.has_right_books()


async def test_a_decline_in_month_five_is_dunned_by_the_clock_and_recovers(days: Days):
    await days.banks_say("paid", "paid", "paid", {"outcome": "failed", "reason": "card_declined"},
                         {"outcome": "failed", "reason": "card_declined"})  # fmt: skip
    subscription = await days.subscribe()
    await days.pass_until("2027-06-01T00:00:00.000Z")
    assert (await days.seen(subscription))["status"] == "past_due"
    await days.pass_until("2027-06-04T00:00:00.000Z")
    assert (await days.seen(subscription))["status"] == "past_due"
    await days.pass_until("2027-06-06T00:00:00.000Z")
    assert (await days.seen(subscription))["status"] == "active"
    failed = [move for move in await days.of(subscription, "history") if move["at"] > "2027-05"]
    assert [(move["newStatus"], move["at"]) for move in failed] == [
        ("collecting", "2027-05-31T08:00:00.000Z"),
        ("past_due", "2027-05-31T08:00:00.000Z"),
        ("collecting", "2027-06-03T08:00:00.000Z"),
        ("past_due", "2027-06-03T08:00:00.000Z"),
        ("collecting", "2027-06-05T08:00:00.000Z"),
        ("active", "2027-06-05T08:00:00.000Z"),
    ]
    assert await days.street.has_right_books()


async def test_what_a_bank_takes_days_over_moves_with_both_clocks(days: Days):
    """Collecting for days: first the sandbox's bank says no, after the next try it says yes."""
    await days.banks_say({"outcome": "failed", "reason": "AM04"})
    await days.control("settings", debitDelaySeconds=3 * 86_400)
    subscription = await days.subscribe()
    await pays_by_debit(days)
    await days.pass_until("2027-03-01T09:00:00.000Z")
    assert (await days.seen(subscription))["status"] == "collecting"
    await days.pass_until("2027-03-03T09:00:00.000Z")
    assert (await days.seen(subscription))["status"] == "collecting"
    await days.control("clock", advanceSeconds=3 * 86_400)
    await hear(days, (await days.payments())[-1])
    row = await days.seen(subscription)
    assert row["status"] == "past_due"
    (bill,) = [bill for bill in await days.of(subscription, "bills") if bill["status"] == "open"]
    await days.pass_until("2027-03-20T09:00:00.000Z")
    assert (await days.seen(subscription))["status"] == "collecting"
    await days.control("clock", advanceSeconds=3 * 86_400)
    await hear(days, (await days.payments())[-1])
    (paid,) = [b for b in await days.of(subscription, "bills") if b["uuid"] == bill["uuid"]]
    assert (paid["status"], paid["closedAt"]) == ("paid", "2027-03-20T09:00:00.000Z")
    assert await days.street.has_right_books()


async def pays_by_debit(days: Days) -> None:
    """The tenant's one method is a direct debit after all."""
    connection = days.house.connection
    customer = await connection.fetchval("select customer_ref from mandates")
    answer = await days.street.sandbox.post(
        f"/v2/customers/{customer}/mandates",
        json={
            "method": "directdebit",
            "consumerName": "Initech",
            "consumerAccount": "NL55INGB0000000000",
        },
        headers={"Authorization": f"Bearer {days.house.app.secrets['mollie']}"},
    )
    assert answer.status_code == 201, answer.text
    await connection.execute("update mandates set provider_ref = $1", answer.json()["id"])


async def hear(days: Days, payment: Json) -> None:
    answer = await days.house.door.post(
        HOOK,
        params={"paymentProviderUuid": payment["paymentProviderUuid"]},
        data={"id": payment["paymentId"]},
    )
    assert answer.json()["received"] is True, answer.text


async def test_what_was_due_long_ago_is_done_when_the_bank_has_spoken(days: Days):
    await days.control("settings", recurringOutcome="open")
    subscription = await days.subscribe()
    await days.pass_until("2027-04-15T09:00:00.000Z")
    row = await days.seen(subscription)
    assert (row["status"], row["currentPeriodNumber"]) == ("collecting", 2)
    assert await days.work() == 0
    await days.banks_say()
    charge = (await days.payments())[-1]
    await days.control(f"payments/{charge['paymentId']}/status", status="paid")
    await hear(days, charge)
    assert await days.work() == 1
    row = await days.seen(subscription)
    assert (row["status"], row["currentPeriodNumber"]) == ("active", 3)
    assert row["currentPeriodStart"] == "2027-03-31T08:00:00.000Z"
    assert ((await days.now())["now"], await days.work()) == ("2027-04-15T09:00:00.000Z", 0)


async def test_a_trial_ends_by_the_clock(days: Days):
    await days.banks_say()
    path = f"/tenants/{days.tenant}/subscriptions"
    body = {"productPriceUuid": days.house.app.ids["monthly"], "trialDays": 14}
    row = await days.ok("POST", path, body)
    assert row["trialEndsAt"] == "2027-02-14T09:00:00.000Z"
    await days.pass_until("2027-02-14T08:59:59.000Z")
    assert (await days.seen(row))["status"] == "trialing"
    await days.pass_until("2027-02-14T09:00:00.000Z")
    ended = await days.seen(row)
    assert (ended["status"], ended["accessUntil"]) == ("expired", None)


async def test_an_end_with_the_period_is_kept_to_and_nothing_more_is_charged(days: Days):
    subscription = await days.subscribe()
    path = f"/subscriptions/{subscription['uuid']}/cancel"
    await days.ok("POST", path, {"when": "period_end"})
    await days.pass_until(A_YEAR_ON)
    row = await days.seen(subscription)
    assert (row["status"], row["canceledAt"]) == ("canceled", "2027-02-28T09:00:00.000Z")
    assert len(await days.payments()) == 1


async def test_tenants_in_real_time_are_left_alone(days: Days):
    await days.banks_say()
    tenant = days.house.app.ids["tenant"]
    real = await days.subscribe(tenant)
    by_clock = await days.subscribe()
    before = await days.seen(real)
    await days.pass_until("2027-06-15T00:00:00.000Z")
    assert await days.seen(real) == before
    assert before["testClockUuid"] is None
    assert before["currentPeriodStart"] < CLOCK.now().isoformat()
    assert (await days.seen(by_clock))["currentPeriodNumber"] == 5


async def test_a_provider_that_is_away_stops_time_and_it_goes_on_by_itself(days: Days):
    await days.banks_say()
    await days.subscribe()
    fault = {"operation": "createPayment", "kind": "status", "status": 503, "times": 1}
    await days.control("faults", **fault)
    await days.set_off(A_YEAR_ON)
    await days.work()
    stopped = await days.now()
    assert (stopped["status"], stopped["now"]) == ("advancing", "2027-02-28T09:00:00.000Z")
    assert stopped["failure"]
    again = await days.house.ask(days.house.app.admin, "POST",
                                 f"/test-clocks/{days.clock['uuid']}/advance",
                                 {"now": A_YEAR_ON})  # fmt: skip
    assert code(again) == "409 [E4090]"
    move = "update {} set due_at = created_at, lease_until = created_at where status = 'submitting'"
    await days.house.connection.execute(move.format("payment_attempts"))
    await days.house.connection.execute("update test_clocks set due_at = now() - interval '1 s'")
    await days.work()
    assert (await days.now())["status"] == "ready"
    assert len(await days.payments()) == 13
    assert await days.street.has_right_books()


class Killed(Exception):
    pass


async def test_what_a_killed_worker_leaves_another_carries_on(days: Days):
    await days.banks_say()
    subscription = await days.subscribe()
    waits = iter(range(100))
    hurry = days.clocks.advance.pause

    async def die_in_the_fourth_month(seconds: float) -> None:
        if next(waits) == 3:
            raise Killed
        await hurry(seconds)

    doomed = replace(days.clocks.advance, pause=die_in_the_fourth_month)
    await days.set_off(A_YEAR_ON)
    with pytest.raises(Killed):
        await replace(days, clocks=replace(days.clocks, advance=doomed)).work()
    left = await days.now()
    assert (left["status"], left["now"]) == ("advancing", "2027-05-31T08:00:00.000Z")
    assert await days.work() == 0  # its lease still holds
    await days.house.connection.execute("update test_clocks set due_at = now() - interval '1 s'")
    await days.work()
    assert (await days.now())["status"] == "ready"
    bills = await days.of(subscription, "bills")
    assert [bill["closedAt"] for bill in bills] == [bill["issuedAt"] for bill in bills]
    assert len(bills) == len(await days.payments()) == 13
    assert await days.street.has_right_books()


async def test_a_tenant_on_a_clock_pays_at_no_live_account(days: Days):
    await days.house.connection.execute(
        "update payment_providers set mode = $1", ProviderMode.LIVE.value
    )
    admin, ids = days.house.app.admin, days.house.app.ids
    at_checkout = await days.house.buy(admin, tenantUuid=days.tenant)
    assert at_checkout.status_code == 422
    assert problems(at_checkout) == {
        "tenantUuid": "a tenant on a test clock cannot pay at a live account"
    }
    path, body = f"/tenants/{days.tenant}/subscriptions", {"productPriceUuid": ids["monthly"]}
    started = await days.house.ask(admin, "POST", path, body)
    assert (started.status_code, list(problems(started))) == (422, ["tenantUuid"])


async def test_a_tenant_is_put_on_a_clock_as_it_is_made_and_stays_there(days: Days):
    admin = days.house.app.admin
    tenant = await days.ok("GET", f"/tenants/{days.tenant}")
    assert tenant["testClockUuid"] == days.clock["uuid"]
    said = {"testClockUuid": None}
    moved = await days.house.ask(admin, "PUT", f"/tenants/{days.tenant}", said)
    assert moved.status_code == 400
    for clock in (UNKNOWN, days.house.other.ids["test_clock"]):
        body = {"name": "Hooli", "testClockUuid": clock}
        answer = await days.house.ask(admin, "POST", "/tenants", body)
        assert (answer.status_code, list(problems(answer))) == (422, ["testClockUuid"])


async def test_a_clock_that_is_given_up_is_gone_and_its_tenants_begin_no_more(days: Days):
    admin, path = days.house.app.admin, f"/test-clocks/{days.clock['uuid']}"
    subscription = await days.subscribe()
    assert code(await days.house.ask(admin, "DELETE", path)) == "409 [E4090]"
    await days.ok("POST", f"/subscriptions/{subscription['uuid']}/cancel", {"when": "now"})
    gone = await days.ok("DELETE", path)
    assert gone["uuid"] == days.clock["uuid"]
    assert code(await days.house.ask(admin, "GET", path)) == "404 [E4040]"
    bought = await days.house.buy(admin, tenantUuid=days.tenant)
    assert problems(bought) == {"tenantUuid": "the tenant's test clock is deleted"}
    body = {"name": "Hooli", "testClockUuid": days.clock["uuid"]}
    assert list(problems(await days.house.ask(admin, "POST", "/tenants", body))) == [
        "testClockUuid"
    ]


@pytest.mark.parametrize(
    ("said", "status", "field"),
    [
        ({}, 400, "now"),
        ({"now": "2027-01-31"}, 400, "now"),
        ({"now": "2027-01-31T09:00:00"}, 400, "now"),
        ({"now": "1999-12-31T00:00:00Z"}, 422, "now"),
        ({"now": "9999-12-31T23:59:59-12:00"}, 422, "now"),
        ({"now": JANUARY_31, "name": " "}, 400, "name"),
    ],
)
async def test_a_clock_is_made_from_an_instant(house: House, said: Json, status: int, field: str):
    answer = await house.ask(house.app.admin, "POST", "/test-clocks", said)
    assert (answer.status_code, list(problems(answer))) == (status, [field])


async def test_a_clock_goes_neither_back_nor_far(house: House):
    admin, uuid = house.app.admin, house.app.ids["test_clock"]
    for to in ("2026-01-31T09:00:00Z", "2020-01-01T00:00:00Z", "2032-01-01T00:00:00Z"):
        answer = await house.ask(admin, "POST", f"/test-clocks/{uuid}/advance", {"now": to})
        assert (answer.status_code, list(problems(answer))) == (422, ["now"])


async def test_a_stranger_and_a_tenants_user_get_nothing(house: House):
    uuid = house.other.ids["test_clock"]
    path = f"/test-clocks/{uuid}"
    for method, to, body in (
        ("GET", path, ...),
        ("DELETE", path, ...),
        ("POST", f"{path}/advance", {"now": A_YEAR_ON}),
    ):
        assert code(await house.ask(house.app.admin, method, to, body)) == "404 [E4040]"
    assert code(await house.ask(house.app.user("owner"), "GET", "/test-clocks")) == "403 [E4031]"
    assert code(await house.ask(NOBODY, "GET", "/test-clocks")) == "401 [E4010]"
