"""What is open on a subscription gets paid: by a link, by another method, by another try."""

import asyncio
from typing import Final

import httpx

from tests.http.house import House, Json, code, problems
from tests.http.street import Street

BACK: Final = {"successUrl": "https://shop.example/ok", "cancelUrl": "https://shop.example/no"}


async def owing(street: Street, **said: object) -> Json:
    """Its second period could not be charged."""
    row = await street.subscribed(**said)
    await street.days_pass()
    await street.bank_says("failed", failureReason="card_expired")
    row = await street.now(row)
    assert row["status"] == "past_due"
    return row


async def links(street: Street, row: Json, **headers: str) -> httpx.Response:
    path = f"/subscriptions/{row['uuid']}/payment-links"
    return await street.asks("POST", path, BACK, **headers)


async def linked(street: Street, row: Json) -> Json:
    answer = await links(street, row)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["items"][0])


async def test_one_payment_settles_what_is_open_and_its_card_is_charged_from_then_on(
    street: Street, house: House
):
    row = await owing(street, taxRateUuid=house.app.ids["exclusive"], quantity=2)
    (bill, _) = await street.of(row, "bills")
    assert (bill["status"], bill["amountOpen"]) == ("open", 2378)
    assert (bill["failureReason"], bill["nextTryAt"]) == ("card_expired", None)
    old_card = (await street.listed("/payment-methods"))[0]["uuid"]
    opened = await linked(street, row)
    session = opened["createdCheckoutSession"]
    assert (session["mode"], session["productPriceUuid"]) == ("recovery", None)
    amounts = (session["amountSubtotal"], session["amountTax"], session["amountTotal"])
    assert amounts == (1998, 380, 2378)
    assert opened["nextAction"]["url"] == session["nextActionUrl"]

    await street.pays(session)
    row = await street.now(row)
    new_card = (await street.listed("/payment-methods"))[0]
    assert row["status"] == "active" and row["accessUntil"] > row["currentPeriodEnd"]
    assert row["paymentMethodUuid"] == new_card["uuid"] != old_card
    (bill, _) = await street.of(row, "bills")
    assert (bill["status"], bill["amountOpen"], bill["nextTryAt"]) == ("paid", 0, None)

    charges = len(await street.charges())
    await street.days_pass()
    charge = await street.charge()
    assert len(await street.charges()) == charges + 1
    at_provider = await street.payment(charge["paymentId"])
    assert at_provider["mandateId"] == new_card["paymentMethodId"]
    await street.bank_says("paid")
    assert (await street.now(row))["currentPeriodNumber"] == 3
    told = await street.told(row)
    assert told.count("subscription.payment_method_replaced") == 1
    assert told.count("bill.paid") == 3
    assert await street.has_right_books()


async def test_a_link_that_is_open_is_found_again_by_whoever_asks(street: Street, house: House):
    row = await owing(street)
    first, again = await linked(street, row), await linked(street, row)
    assert again == first
    path = f"/subscriptions/{row['uuid']}/payment-links"
    other = {"successUrl": "https://shop.example/else", "cancelUrl": "https://shop.example/no"}
    by_admin = await house.ok(house.app.admin, "POST", path, other)
    assert by_admin["createdCheckoutSession"] == first["createdCheckoutSession"]


async def test_links_asked_for_at_once_are_one(street: Street, house: House):
    row = await owing(street)
    before = await house.count("checkout_sessions")
    found = await asyncio.gather(*(linked(street, row) for _ in range(4)))
    assert len({link["createdCheckoutSession"]["uuid"] for link in found}) == 1
    assert await house.count("checkout_sessions") == before + 1


async def test_a_links_key_is_answered_alike_whatever_has_become_of_it(street: Street):
    row = await owing(street)
    first = await links(street, row, Idempotency_Key="link-1")
    await street.pays(first.json()["items"][0]["createdCheckoutSession"])
    again = await links(street, row, Idempotency_Key="link-1")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    await street.wishes(row, "cancel", when="now")
    again = await links(street, row, Idempotency_Key="link-1")
    assert again.content == first.content
    assert code(await links(street, row, Idempotency_Key="link-2")) == "409 [E4090]"


async def test_with_nothing_open_a_link_stores_a_method_alone(street: Street):
    row = await street.subscribed()
    session = (await linked(street, row))["createdCheckoutSession"]
    assert (session["mode"], session["amountTotal"]) == ("setup", 100)
    await street.pays(session)
    row = await street.now(row)
    newest = (await street.listed("/payment-methods"))[0]
    assert (row["status"], row["paymentMethodUuid"]) == ("active", newest["uuid"])
    assert len(await street.of(row, "bills")) == 1
    assert await street.has_right_books()


async def test_a_link_for_less_than_is_open_now_is_ended_and_replaced(street: Street, house: House):
    row = await owing(street)
    outdated = (await linked(street, row))["createdCheckoutSession"]
    await house.connection.execute(
        "update bills set subtotal_minor = subtotal_minor + 100, total_minor = total_minor + 100, "
        "open_minor = open_minor + 100 where status = 'open'"
    )
    session = (await linked(street, row))["createdCheckoutSession"]
    assert (session["amountTotal"], outdated["amountTotal"]) == (1099, 999)
    found = await street.asks("GET", f"/checkout-sessions/{outdated['uuid']}")
    assert found.json()["items"][0]["status"] == "expired"


async def test_what_is_paid_twice_is_given_back(street: Street, house: House):
    """By the link, and by a try that came between."""
    row = await owing(street)
    session = (await linked(street, row))["createdCheckoutSession"]
    card = await street.stores_a_card()
    path = f"/subscriptions/{row['uuid']}/payment-method"
    await house.ok(street.member, "PUT", path, {"paymentMethodUuid": card})
    await street.worker()
    assert (await street.now(row))["status"] == "collecting"
    await street.pays(session)
    assert (await street.now(row))["status"] == "active"
    charge = await street.bank_says("paid")
    back = await house.connection.fetchrow(
        "select amount_minor, reason from refunds where payment_uuid = $1", charge["uuid"]
    )
    assert tuple(back) == (999, "surplus")
    assert await street.has_right_books()
    assert (await street.now(row))["status"] == "active"


async def test_another_stored_method_is_tried_at_once(street: Street, house: House):
    row = await owing(street)
    card = await street.stores_a_card()
    path = f"/subscriptions/{row['uuid']}/payment-method"
    replaced = await house.ok(street.member, "PUT", path, {"paymentMethodUuid": card})
    assert replaced["paymentMethodUuid"] == card
    assert await house.ok(street.member, "PUT", path, {"paymentMethodUuid": card}) == replaced
    await street.worker()
    await street.bank_says("paid")
    assert (await street.now(row))["status"] == "active"
    assert await street.has_right_books()


async def test_a_method_must_be_valid_and_the_tenants_own(street: Street, paid: House):
    house = paid
    await house.connection.execute("update mandates set status = 'invalid'")
    row = await street.subscribed()
    path = f"/subscriptions/{row['uuid']}/payment-method"
    for uuid in (house.app.ids["payment_method"], house.other.ids["payment_method"]):
        answer = await street.asks("PUT", path, {"paymentMethodUuid": uuid})
        assert (answer.status_code, list(problems(answer))) == (422, ["paymentMethodUuid"])


async def test_what_is_open_is_tried_when_somebody_asks(street: Street):
    row = await owing(street)
    trying = await street.wishes(row, "retry")
    assert (trying["status"], len(await street.charges())) == ("collecting", 2)
    path = f"/subscriptions/{row['uuid']}/retry"
    assert code(await street.asks("POST", path)) == "409 [E4090]"
    await street.bank_says("paid")
    assert (await street.now(row))["status"] == "active"
    assert code(await street.asks("POST", path)) == "409 [E4090]"


async def test_tries_asked_for_at_once_are_one_charge(street: Street):
    row = await owing(street)
    path = f"/subscriptions/{row['uuid']}/retry"
    asked = (street.asks("POST", path) for _ in range(4))
    answers = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert sorted(answers) == [200, 409, 409, 409]
    assert len(await street.charges()) == 2


async def test_a_pause_keeps_what_is_open_for_later(street: Street):
    row = await owing(street)
    await street.wishes(row, "pause")
    path = f"/subscriptions/{row['uuid']}/retry"
    assert code(await street.asks("POST", path)) == "409 [E4090]"
    session = (await linked(street, row))["createdCheckoutSession"]
    await street.pays(session)
    row = await street.now(row)
    assert row["status"] == "paused"
    assert (await street.wishes(row, "resume"))["status"] == "active"
    assert await street.has_right_books()


async def test_a_recovery_is_opened_for_a_subscription_and_in_no_other_way(
    street: Street, house: House
):
    answer = await house.buy(mode="recovery")
    assert (answer.status_code, list(problems(answer))) == (400, ["mode"])
