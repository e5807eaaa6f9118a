"""Asking a tenant to pay: one payment however often it is asked, and what the shopper comes to."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.http.checkout_page import Shopper, link, words
from tests.http.house import Headers, House, Json, code, problems
from tests.http.komoju import Shop, shop
from tests.http.test_invoices import back, invoices, listed, money
from tests.http.till import Till

__all__ = ["shop"]


def wanted(house: House, **said: Any) -> Json:
    """Two of what is bought once. What is said of the item is said beside it."""
    item = {"name": "Team licence", "price": house.app.ids["price"], "quantity": 2}
    item |= {name: said.pop(name) for name in list(said) if name in item}
    body = {"type": "oneTimePayment", "taxRateId": house.app.ids["exclusive"], "lineItems": [item]}
    return {name: value for name, value in (body | said).items() if value is not ...}


def monthly(house: House, **said: Any) -> Json:
    return wanted(house, type="subscription", price=house.app.ids["monthly"], **said)


async def ask(
    house: House, body: Json, who: Headers | None = None, provider: str = "mollie", **headers: str
) -> httpx.Response:
    key = who or house.app.key("write")
    return await house.ask(key, "POST", invoices(house, provider), body, **headers)


async def asked(house: House, body: Json, **said: Any) -> Json:
    answer = await ask(house, body, **said)
    assert answer.status_code == 200, answer.text
    assert {**answer.json(), "items": []} == {
        "kind": "invoices",
        "totalItems": 1,
        "itemsLength": 1,
        "items": [],
    }
    item: Json = answer.json()["items"][0]
    return item


async def session_of(house: House, created: Json) -> Json:
    path = f"/checkout-sessions/{created['checkoutSessionUuid']}"
    return await house.ok(house.app.admin, "GET", path)


async def at_mollie(till: Till, ref: str) -> Json:
    key = {"Authorization": f"Bearer {till.house.app.secrets['mollie']}"}
    found: Json = (await till.sandbox.get(f"/v2/payments/{ref}", headers=key)).json()
    return found


async def pays(till: Till, created: Json) -> None:
    """The shopper does, and Mollie tells us."""
    ref, account = created["providerObjectId"], till.house.app.ids["account"]
    await till.control(f"/payments/{ref}/status", {"status": "paid"})
    await till.told({"paymentProviderUuid": account, "paymentId": ref})


async def shopper_of(house: House, created: Json) -> Shopper:
    """Who stands before our page of the session."""
    retry = (await session_of(house, created))["retryUrl"]
    return Shopper(house, retry.removesuffix("/pay"))


async def test_it_is_a_checkout_session_for_what_the_items_name(till: Till):
    created = await asked(till.house, wanted(till.house))
    session = await session_of(till.house, created)
    ref = session["sessionId"]
    assert created == {
        "status": "open",
        "providerObjectType": "payment",
        "providerObjectId": ref,
        "nextAction": {"url": session["nextActionUrl"]},
        "documentUrl": f"https://my.mollie.com/dashboard/payments/{ref}",
        "checkoutSessionUuid": session["uuid"],
        "providerResponse": None,
    }
    assert ref.startswith("tr_") and "/checkout/select" in created["nextAction"]["url"]
    assert (session["mode"], session["status"], session["quantity"]) == ("payment", "open", 2)
    assert (session["tenantUuid"], session["userUuid"]) == (till.house.app.ids["tenant"], None)
    assert (session["amountSubtotal"], session["amountTotal"]) == (98_00, 116_62)
    payment = await at_mollie(till, ref)
    assert payment["amount"] == {"currency": "EUR", "value": "116.62"}
    assert (payment["description"], payment["sequenceType"]) == ("2 x Team licence", "oneoff")


async def test_once_it_is_paid_it_is_in_the_list_once(till: Till):
    created = await asked(till.house, wanted(till.house))
    assert await listed(till.house) == []
    for _ in range(2):
        await pays(till, created)
    (invoice,) = await listed(till.house)
    assert invoice["paymentId"] == created["providerObjectId"]
    assert (invoice["type"], invoice["units"]) == ("oneTimePayment", 2)
    assert (money(invoice), back(invoice)) == ((98_00, 18_62, 116_62), ("paid", 0, 0))


async def test_a_subscription_begins_when_its_first_payment_is_paid(till: Till):
    house, ids = till.house, till.house.app.ids
    created = await asked(house, monthly(house, quantity=1))
    assert (await at_mollie(till, created["providerObjectId"]))["sequenceType"] == "first"
    assert await till.all(f"/tenants/{ids['tenant']}/subscriptions") == []
    await pays(till, created)
    (subscription,) = await till.all(f"/tenants/{ids['tenant']}/subscriptions")
    (invoice,) = await listed(house)
    assert (invoice["type"], invoice["subscriptionId"]) == ("subscription", subscription["uuid"])
    assert (invoice["paidFrom"], invoice["paidUntil"]) == (
        subscription["currentPeriodStart"],
        subscription["currentPeriodEnd"],
    )
    assert money(invoice) == (9_99, 1_90, 11_89)


async def test_what_is_given_along_is_kept_as_given(till: Till):
    house = till.house
    said = {
        "tenantUuid": house.app.ids["tenant"],
        "successUrl": "https://shop.example/ok?session={CHECKOUT_SESSION_UUID}",
        "cancelUrl": "https://shop.example/no",
        "locale": "nl_NL",
        "metadata": {"order": 7},
        "clientReferenceId": "order-7",
    }
    created = await asked(house, wanted(house, **said))
    session = await session_of(house, created)
    assert {name: session[name] for name in said} == said
    await till.control(f"/payments/{created['providerObjectId']}/status", {"status": "paid"})
    shopper = await shopper_of(house, created)
    assert await shopper.comes_back() == f"https://shop.example/ok?session={session['uuid']}"


async def test_with_a_key_a_repeat_gets_the_first_answer(till: Till):
    house = till.house
    body = wanted(house)
    first = await ask(house, body, Idempotency_Key="k")
    await pays(till, first.json()["items"][0])
    again = await ask(house, body, Idempotency_Key="k")
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    other = await ask(house, body | {"taxRateId": None}, Idempotency_Key="k")
    assert code(other) == "422 [E4220]"
    assert len(await listed(house)) == await house.count("payments") == 1


async def test_asked_at_once_under_a_key_it_is_one_payment(house: House):
    body = wanted(house)
    asks = (ask(house, body, Idempotency_Key="k") for _ in range(4))
    answers = await asyncio.gather(*asks)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.content for answer in answers if answer.is_success}) == 1
    assert await house.count("payments") == await house.count("checkout_sessions") == 1


async def test_without_a_key_a_double_click_is_one_payment(house: House):
    body = wanted(house)
    created = [await asked(house, body) for _ in range(2)]
    assert created[0] == created[1]
    # What a user asks for is not what a key has asked for, nor is a checkout session.
    await asked(house, body, who=house.app.user("member"))
    await house.bought(quantity=2, taxRateUuid=house.app.ids["exclusive"])
    assert await house.count("checkout_sessions") == 3


async def test_who_has_no_page_of_its_own_has_ours_and_it_says_paid(till: Till):
    created = await asked(till.house, wanted(till.house))
    shopper = await shopper_of(till.house, created)
    session = await session_of(till.house, created)
    assert session["successUrl"] == session["cancelUrl"] == shopper.url
    await till.control(f"/payments/{created['providerObjectId']}/status", {"status": "paid"})
    assert await shopper.comes_back() == shopper.url
    said = {
        "en": "This order is paid Thank you. There is nothing left to do here.",
        "nl": "Deze bestelling is betaald Dank u wel. U hoeft hier niets meer te doen.",
        "de": "Diese Bestellung ist bezahlt Vielen Dank. Hier ist nichts mehr zu tun.",
        "fr": "Cette commande est payée Merci. Il n’y a plus rien à faire ici.",
    }
    for language, text in said.items():
        page = await shopper.opens(f"{shopper.url}?lang={language}")
        assert page.status_code == 200 and words(page).endswith(text)
        assert "<a " not in page.text  # it would lead to where the shopper is
    assert await shopper.pays() == shopper.url


async def test_who_comes_back_without_having_paid_reads_what_it_is_and_can_pay(till: Till):
    created = await asked(till.house, wanted(till.house))
    shopper = await shopper_of(till.house, created)
    assert await shopper.comes_back() == shopper.url
    page = await shopper.opens()
    for text in ("Team licence", "Quantity: 2", "€116.62", "Please check your order"):
        assert text in words(page), text
    assert "Back to the shop" not in words(page)
    assert link(page, "Pay €116.62") == f"{shopper.url}/pay?total=11662"
    assert await shopper.pays() == created["nextAction"]["url"]


@pytest.mark.parametrize("ending", ["failed", "canceled", "expired"])
async def test_who_could_not_pay_gets_another_try(till: Till, ending: str):
    created = await asked(till.house, wanted(till.house))
    shopper = await shopper_of(till.house, created)
    ref = created["providerObjectId"]
    reason = {"failureReason": "insufficient_funds"} if ending == "failed" else {}
    await till.control(f"/payments/{ref}/status", {"status": ending, **reason})
    assert await shopper.comes_back() == shopper.url
    page = await shopper.opens()
    assert ("The payment did not work" in words(page)) is (ending == "failed")
    again = await shopper.pays()
    assert "/checkout/select" in again and again != created["nextAction"]["url"]


async def test_what_has_ended_says_so_on_our_page(till: Till):
    created = await asked(till.house, wanted(till.house))
    shopper = await shopper_of(till.house, created)
    path = f"/checkout-sessions/{created['checkoutSessionUuid']}/expire"
    await till.house.ok(till.house.app.admin, "POST", path)
    page = await shopper.opens()
    assert "This checkout has ended" in words(page) and "<a " not in page.text


async def test_every_fault_of_a_body_is_listed_at_once(house: House):
    item = {"name": "\n", "price": "pro", "quantity": 0, "colour": "red"}
    body = {
        "tenantUuid": "acme",
        "type": "gift",
        "lineItems": [item],
        "taxRateId": 19,
        "successUrl": "javascript:alert(1)",
        "cancelUrl": "https://u:p@shop.example",
        "locale": "dutch",
        "metadata": {"a": "x" * 2000},
        "clientReferenceId": "x" * 201,
        "amount": 1,
    }
    before = await house.rows()
    answer = await ask(house, body)
    assert code(answer) == "400 [E4000]"
    assert problems(answer).keys() == {
        *(body.keys() - {"lineItems"}),
        *(f"lineItems[0].{name}" for name in item),
    }
    assert await house.rows() == before


@pytest.mark.parametrize("count", [0, 2])
async def test_it_is_one_item(house: House, count: int):
    items = wanted(house)["lineItems"] * count
    answer = await ask(house, wanted(house, lineItems=items, successUrl="here"))
    assert code(answer) == "400 [E4000]"
    assert problems(answer).keys() == {"lineItems", "successUrl"}
    assert f"not {count}" in problems(answer)["lineItems"]


async def test_what_is_missing_is_named(house: House):
    assert problems(await ask(house, {})).keys() == {"lineItems", "type"}
    assert problems(await ask(house, wanted(house, lineItems=[{}]))).keys() == {
        "lineItems[0].name",
        "lineItems[0].price",
    }


async def test_another_tenant_than_the_paths_is_refused(house: House):
    before = await house.rows()
    answer = await ask(house, wanted(house, tenantUuid=house.app.ids["other_tenant"]))
    assert code(answer) == "400 [E4000]" and problems(answer).keys() == {"tenantUuid"}
    assert await house.rows() == before


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("kind", ["subscription", "oneTimePayment"])
async def test_a_price_of_the_other_kind_is_refused_by_the_name_it_has_here(
    house: House, kind: str, key: str | None
):
    price = house.app.ids["price" if kind == "subscription" else "monthly"]
    headers = {} if key is None else {"Idempotency_Key": key}
    for _ in range(2):
        answer = await ask(house, wanted(house, type=kind, price=price), **headers)
        assert code(answer) == "422 [E4220]"
        assert problems(answer).keys() == {"lineItems[0].price"}
    assert await house.count("checkout_sessions") == 0


async def test_a_tax_rate_out_of_use_is_refused_by_the_name_it_has_here(house: House):
    rate = house.app.ids["exclusive"]
    await house.ok(house.app.admin, "DELETE", f"/tax-rates/{rate}")
    answer = await ask(house, wanted(house))
    assert code(answer) == "422 [E4220]" and problems(answer).keys() == {"taxRateId"}


async def test_the_other_apps_price_and_rate_are_not_found(house: House):
    before = await house.rows()
    for said in ({"price": house.other.ids["price"]}, {"taxRateId": house.other.ids["exclusive"]}):
        assert code(await ask(house, wanted(house, **said))) == "404 [E4040]"
    assert await house.rows() == before


async def test_strangers_ask_nobody_for_money(house: House):
    body, before = wanted(house), await house.rows()
    for who, said in (
        (house.app.key("read"), "401 [E4011]"),
        (house.app.key("read", announced="write"), "401 [E4011]"),
        (house.other.key("write"), "401 [E4010]"),
        (house.app.user("neighbour"), "404 [E4040]"),
        (house.app.user("guest"), "404 [E4040]"),
        (house.app.user("guest", "billing:read"), "403 [E4031]"),
    ):
        assert code(await ask(house, body, who=who)) == said
    assert code(await ask(house, body, provider="stripe")) == "404 [E4040]"
    assert code(await ask(house, body, provider="komoju")) == "404 [E4040]"  # no account there
    assert await house.rows() == before


async def test_through_komoju_in_yen(shop: Shop):
    house = shop.house
    rate = house.app.ids["inclusive"]
    created = await asked(house, wanted(house, taxRateId=rate), provider="komoju")
    session = await session_of(house, created)
    assert (created["providerObjectId"], created["documentUrl"]) == (session["sessionId"], None)
    assert created["nextAction"]["url"] == (await shop.at_komoju(session))["session_url"]
    await shop.shopper(session)
    here = session["retryUrl"].removesuffix("/pay")
    assert await shop.comes_back(session) == here
    assert "This order is paid" in words(await house.door.get(here))
    (invoice,) = await listed(house, provider="komoju")
    assert (invoice["currency"], money(invoice)) == ("JPY", (8099, 1701, 9800))
