"""Subscriptions over the front door: started, wished for, looked at, with a provider behind."""

import asyncio

import httpx

from tests.http.examples import UNKNOWN
from tests.http.house import House, Json, code, problems
from tests.http.street import Street


async def starts(street: Street, **said: object) -> httpx.Response:
    ids = street.house.app.ids
    body = {"productPriceUuid": ids["monthly"]} | said
    return await street.asks("POST", f"/tenants/{ids['tenant']}/subscriptions", body)


async def started(street: Street, **said: object) -> Json:
    answer = await starts(street, **said)
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["items"][0])


async def test_one_starts_on_a_stored_method_and_is_active_when_its_charge_is_paid(street: Street):
    method = await street.stores_a_card()
    row = await started(street, paymentMethodUuid=method, quantity=2)
    assert (row["status"], row["accessUntil"], row["quantity"]) == ("incomplete", None, 2)
    charge = await street.bank_says("paid")
    assert (charge["amount"], charge["status"]) == (2 * 999, "open")
    row = await street.now(row)
    assert (row["status"], row["paymentMethodUuid"]) == ("active", method)
    assert row["accessUntil"] > row["currentPeriodEnd"] == row["paidThrough"]
    (bill,) = await street.of(row, "bills")
    assert (bill["status"], bill["amountOpen"], bill["paymentUuid"]) == ("paid", 0, charge["uuid"])
    assert await street.has_right_books()


async def test_one_whose_first_charge_fails_has_never_begun(street: Street):
    row = await started(street, paymentMethodUuid=await street.stores_a_card())
    await street.bank_says("failed")
    row = await street.now(row)
    assert (row["status"], row["accessUntil"]) == ("expired", None)
    (bill,) = await street.of(row, "bills")
    assert (bill["status"], bill["amountOpen"]) == ("void", 0)
    assert await street.has_right_books()


async def test_without_a_valid_method_none_is_charged(street: Street, paid: House):
    house = paid
    await house.connection.execute("update mandates set status = 'invalid'")
    before = await house.rows()
    foreign = house.other.ids["payment_method"]
    for said in ({}, {"paymentMethodUuid": house.app.ids["payment_method"]},
                 {"paymentMethodUuid": foreign}):  # fmt: skip
        answer = await starts(street, **said)
        assert answer.status_code == 422
        assert list(problems(answer)) == ["paymentMethodUuid"]
    assert await house.rows() == before


async def test_what_is_free_needs_no_method(street: Street, house: House):
    price = {"unitAmount": 0, "currency": "EUR", "recurring": True, "recurringInterval": "month"}
    path = f"/products/{house.app.ids['product']}/prices"
    free = await house.ok(house.app.admin, "POST", path, price)
    row = await started(street, productPriceUuid=free["uuid"])
    assert (row["status"], row["amountTotal"]) == ("active", 0)
    await street.days_pass()
    row = await street.now(row)
    assert (row["status"], row["currentPeriodNumber"]) == ("active", 2)
    assert await street.charges() == []
    assert await street.has_right_books()


async def with_trial(house: House, **said: object) -> str:
    price = {
        "unitAmount": 1500,
        "currency": "EUR",
        "recurring": True,
        "recurringInterval": "month",
        "trialDays": 14,
    }
    path = f"/products/{house.app.ids['product']}/prices"
    return str((await house.ok(house.app.admin, "POST", path, price | said))["uuid"])


async def test_a_trial_needs_no_method_and_comes_once_per_tenant_and_product(
    street: Street, house: House
):
    price = await with_trial(house)
    row = await started(street, productPriceUuid=price)
    assert (row["status"], row["accessUntil"]) == ("trialing", row["trialEndsAt"])
    (period,) = await street.of(row, "periods")
    assert (period["number"], period["kind"], period["billUuid"]) == (0, "trial", None)
    again = await starts(street, productPriceUuid=price)
    assert list(problems(again)) == ["paymentMethodUuid"]
    asked = {"productPriceUuid": price, "trialDays": 7}
    assert list(problems(await starts(street, **asked))) == ["trialDays"]
    at_checkout = await house.bought(mode="subscription", productPriceUuid=price)
    assert at_checkout["amountTotal"] == 1500
    other = {"tenantUuid": house.app.ids["other_tenant"], "productPriceUuid": price}
    neighbour = house.app.user("neighbour")
    verification = await house.bought(neighbour, mode="subscription", **other)
    assert verification["amountTotal"] == 100


async def test_a_trial_at_a_checkout_is_none_afterwards(street: Street, house: House):
    price = await with_trial(house)
    row = await street.subscribed(productPriceUuid=price)
    assert row["status"] == "trialing"
    second = await started(street, productPriceUuid=price)
    assert second["status"] == "incomplete"
    assert (await street.bank_says("paid"))["amount"] == 1500


async def test_a_trial_ends_with_a_charge_or_without_a_method_with_itself(
    street: Street, house: House
):
    price = await with_trial(house)
    method = await street.stores_a_card()
    row = await started(street, productPriceUuid=price, paymentMethodUuid=method)
    await street.days_pass(15)
    assert (await street.now(row))["status"] == "collecting"
    await street.bank_says("paid")
    assert (await street.now(row))["status"] == "active"
    assert await street.has_right_books()


async def test_a_longer_trial_is_the_apps_to_give(street: Street, house: House):
    ids = house.app.ids
    path = f"/tenants/{ids['tenant']}/subscriptions"
    body = {"productPriceUuid": ids["monthly"], "trialDays": 30}
    assert code(await street.asks("POST", path, body)) == "403 [E4031]"
    row = await house.ok(house.app.admin, "POST", path, body)
    assert row["status"] == "trialing"


async def test_a_price_must_be_recurring_and_in_use(street: Street, house: House):
    once = await starts(street, productPriceUuid=house.app.ids["price"])
    assert list(problems(once)) == ["productPriceUuid"]
    await house.ok(house.app.admin, "DELETE", f"/tax-rates/{house.app.ids['exclusive']}")
    taxed = await starts(street, taxRateUuid=house.app.ids["exclusive"])
    assert list(problems(taxed)) == ["taxRateUuid"]
    await house.ok(house.app.admin, "DELETE", f"/prices/{house.app.ids['monthly']}")
    assert list(problems(await starts(street))) == ["productPriceUuid"]


async def test_started_twice_with_one_key_is_one_subscription_and_one_charge(street: Street):
    await street.stores_a_card()
    ids = street.house.app.ids
    path, body = f"/tenants/{ids['tenant']}/subscriptions", {"productPriceUuid": ids["monthly"]}

    async def start() -> httpx.Response:
        return await street.asks("POST", path, body, Idempotency_Key="start-1")

    answers = await asyncio.gather(*(start() for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    (first,) = [a for a in answers if a.is_success and "idempotent-replayed" not in a.headers]
    again = await start()
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert len(await street.listed("/subscriptions")) == len(await street.charges()) == 1


async def test_a_provider_that_is_away_leaves_the_charge_to_a_worker(street: Street):
    await street.stores_a_card()
    fault = {"operation": "createPayment", "kind": "status", "status": 503, "times": 1}
    answer = await street.sandbox.post("/_control/faults", json=fault)
    assert answer.is_success, answer.text
    row = await started(street)
    assert (row["status"], await street.charges()) == ("incomplete", [])
    (attempt,) = await street.house.connection.fetch(
        "select app_uuid, uuid from payment_attempts where bill_uuid is not null"
    )
    await street.parts.recover()(attempt["app_uuid"], attempt["uuid"])
    await street.bank_says("paid")
    assert (await street.now(row))["status"] == "active"


async def test_the_end_is_wished_for_and_taken_back(street: Street):
    row = await street.subscribed()
    asked = {"when": "period_end", "reason": "too_expensive"}
    leaving = await street.wishes(row, "cancel", **asked)
    assert (leaving["status"], leaving["cancelAt"]) == ("active", row["currentPeriodEnd"])
    assert (leaving["accessUntil"], leaving["cancelReason"]) == (leaving["cancelAt"],
                                                                 "too_expensive")  # fmt: skip
    assert await street.wishes(row, "cancel", **asked) == leaving
    stays = await street.wishes(row, "uncancel")
    assert (stays["cancelAt"], stays["accessUntil"]) == (None, row["accessUntil"])
    assert await street.wishes(row, "uncancel") == stays
    told = await street.told(row)
    assert told.count("subscription.cancel_scheduled") == 1
    assert told.count("subscription.uncanceled") == 1


async def test_a_subscription_ends_with_its_period_and_is_not_charged_again(street: Street):
    row = await street.subscribed()
    await street.wishes(row, "cancel", when="period_end")
    await street.days_pass()
    row = await street.now(row)
    assert (row["status"], row["canceledAt"]) == ("canceled", row["cancelAt"])
    assert await street.charges() == []
    history = await street.of(row, "history")
    assert [move["newStatus"] for move in history] == ["canceled", "active"]
    assert await street.has_right_books()


async def test_what_has_ended_stays_so(street: Street):
    row = await street.subscribed()
    gone = await street.wishes(row, "cancel", when="now")
    assert (gone["status"], gone["accessUntil"]) == ("canceled", gone["canceledAt"])
    assert await street.wishes(row, "cancel", when="now") == gone
    link = {"successUrl": "https://shop.example/a", "cancelUrl": "https://shop.example/b"}
    method = {"paymentMethodUuid": UNKNOWN}
    for verb, path, body in (
        ("POST", "cancel", {"when": "period_end"}),
        ("POST", "uncancel", ...),
        ("POST", "pause", {}),
        ("POST", "resume", ...),
        ("POST", "retry", ...),
        ("POST", "payment-links", link),
        ("PUT", "payment-method", method),
    ):
        answer = await street.asks(verb, f"/subscriptions/{row['uuid']}/{path}", body)
        assert code(answer) == "409 [E4090]", path


async def test_it_says_when_it_is_to_end_in_one_way(street: Street):
    row = await street.subscribed()
    path = f"/subscriptions/{row['uuid']}/cancel"
    at = row["currentPeriodEnd"]
    for body, field in (
        ({}, "when"),
        ({"when": "now", "at": at}, "when"),
        ({"when": "tomorrow"}, "when"),
        ({"at": "2026-01-01T00:00:00"}, "at"),
        ({"when": "now", "reason": "Because of Ms Example"}, "reason"),
    ):
        answer = await street.asks("POST", path, body)
        assert code(answer) == "400 [E4000]" and field in problems(answer), body
    past = await street.asks("POST", path, {"at": "2020-01-01T00:00:00Z"})
    assert (past.status_code, list(problems(past))) == (422, ["at"])
    assert (await street.wishes(row, "cancel", at=at))["cancelAt"] == at


async def test_a_pause_serves_what_is_paid_and_charges_nothing_until_it_is_over(street: Street):
    row = await street.subscribed()
    paused = await street.wishes(row, "pause")
    assert (paused["status"], paused["pauseReason"]) == ("paused", "requested")
    assert paused["accessUntil"] == row["paidThrough"]
    assert await street.wishes(row, "pause") == paused
    back = await street.wishes(row, "resume")
    assert (back["status"], back["currentPeriodEnd"]) == ("active", row["currentPeriodEnd"])
    await street.wishes(row, "pause")
    await street.days_pass(100)
    assert (await street.now(row))["status"] == "paused"
    assert await street.charges() == []
    back = await street.wishes(row, "resume")
    assert (back["status"], back["currentPeriodNumber"]) == ("collecting", 2)
    await street.bank_says("paid")
    assert (await street.now(row))["status"] == "active"


async def test_a_pause_ends_by_itself_when_it_was_told_to(street: Street):
    row = await street.subscribed()
    soon = row["currentPeriodEnd"]
    assert (await street.wishes(row, "pause", resumesAt=soon))["resumesAt"] == soon
    await street.days_pass()
    assert (await street.now(row))["status"] == "collecting"


async def test_a_payment_never_takes_a_wish_back(street: Street):
    row = await street.subscribed()
    await street.days_pass()
    await street.wishes(row, "pause")
    await street.bank_says("paid")
    assert (await street.now(row))["status"] == "paused"
    await street.wishes(row, "resume")
    await street.days_pass()
    await street.wishes(row, "cancel", when="now")
    await street.bank_says("paid")
    assert (await street.now(row))["status"] == "canceled"
    assert await street.has_right_books()


async def test_who_ends_it_before_its_first_payment_gets_the_money_back(street: Street):
    row = await started(street, paymentMethodUuid=await street.stores_a_card())
    await street.wishes(row, "cancel", when="now")
    charge = await street.bank_says("paid")
    assert (await street.now(row))["status"] == "canceled"
    (bill,) = await street.of(row, "bills")
    assert (bill["status"], bill["paymentUuid"]) == ("void", None)
    (back,) = await street.house.connection.fetch(
        "select amount_minor, reason from refunds where payment_uuid = $1", charge["uuid"]
    )
    assert tuple(back) == (999, "surplus")
    assert await street.has_right_books()


async def test_who_is_suspended_for_a_chargeback_cannot_let_themselves_in(
    street: Street, house: House
):
    row = await street.subscribed()
    await house.connection.execute(
        "update subscriptions set status = 'paused', pause_reason = 'chargeback', "
        "paused_at = now(), due_at = null"
    )
    path = f"/subscriptions/{row['uuid']}"
    assert code(await street.asks("POST", f"{path}/resume")) == "403 [E4031]"
    assert code(await street.asks("POST", f"{path}/pause", {})) == "409 [E4090]"
    assert (await house.ok(house.app.admin, "POST", f"{path}/resume"))["status"] == "active"


async def test_two_ends_at_once_are_one(street: Street):
    row = await street.subscribed()
    both = (street.wishes(row, "cancel", when="now") for _ in range(4))
    assert {row["status"] for row in await asyncio.gather(*both)} == {"canceled"}
    assert (await street.told(row)).count("subscription.canceled") == 1


async def test_an_end_and_a_renewal_at_once_leave_it_ended_and_nothing_owed(street: Street):
    row = await street.subscribed()
    for table, column in (("subscriptions", "due_at"), ("subscription_periods", "ends_at")):
        await street.house.connection.execute(f"update {table} set {column} = now()")
    ended, _ = await asyncio.gather(street.wishes(row, "cancel", when="now"), street.worker())
    assert ended["status"] == "canceled"
    bills = await street.of(row, "bills")
    for charge in await street.charges():
        assert charge["billUuid"] == bills[0]["uuid"]
        await street.bank_says("paid")
    assert {bill["amountOpen"] for bill in await street.of(row, "bills")} == {0}
    assert (await street.now(row))["status"] == "canceled"
    assert await street.has_right_books()


async def test_subscriptions_are_listed_by_state_and_tenant(street: Street, house: House):
    paused = await street.subscribed()
    await street.wishes(paused, "pause")
    active = (await street.subscribed(quantity=2))["uuid"]

    async def listed(query: str) -> list[str]:
        answer = await street.asks("GET", f"/subscriptions{query}")
        assert answer.status_code == 200, answer.text
        return [row["uuid"] for row in answer.json()["items"]]

    assert await listed("") == [active, paused["uuid"]]
    assert await listed("?status=paused") == [paused["uuid"]]
    assert await listed(f"?tenantUuid={house.app.ids['tenant']}&status=active") == [active]
    assert await listed("?limit=1&page=1") == [paused["uuid"]]
    other = f"/subscriptions?tenantUuid={house.app.ids['other_tenant']}"
    assert code(await street.asks("GET", other)) == "404 [E4040]"
    assert code(await street.asks("GET", "/subscriptions?status=asleep")) == "400 [E4000]"
    neighbour = await house.ask(house.app.user("neighbour"), "GET", "/subscriptions")
    assert neighbour.json()["totalItems"] == 0
