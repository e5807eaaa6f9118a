"""Checkout through KOMOJU: three modes, cash that comes later, and shoppers who try again."""

import pytest

from infrastructure.system import SystemClock
from tests.http.checkout_page import JANE, Shopper, words
from tests.http.house import Json, code, problems
from tests.http.komoju import Shop, id_of, shop

__all__ = ["shop"]


async def test_a_session_is_opened_with_what_was_asked_for(shop: Shop):
    row = await shop.bought(locale="ja_JP", expiresInSeconds=3600)
    assert (row["status"], row["paymentStatus"], row["currency"]) == ("open", "unpaid", "JPY")
    assert row["amountTotal"] == 4900  # yen have no cents
    assert row["sessionId"].startswith("session_")
    at_komoju = await shop.at_komoju(row)
    assert row["nextActionUrl"] == at_komoju["session_url"]
    assert (at_komoju["mode"], at_komoju["amount"], at_komoju["currency"]) == (
        "payment",
        4900,
        "JPY",
    )
    assert at_komoju["default_locale"] == "ja"
    assert [one["type"] for one in at_komoju["payment_methods"]] == ["credit_card"]
    assert at_komoju["metadata"].keys() == {"attempt", "app", "session", "customer"}
    order = at_komoju["payment_data"]["external_order_num"]
    assert order == at_komoju["metadata"]["attempt"]


async def test_no_session_at_komoju_outlives_ours(shop: Shop):
    row = await shop.bought(expiresInSeconds=300)
    await shop.control("clock", advanceSeconds=301)
    try:
        assert (await shop.at_komoju(row))["expired"] is True
    finally:
        await shop.control("clock", now=SystemClock().now().isoformat())


async def test_what_is_paid_once_is_sold_once(shop: Shop):
    row = await shop.bought()
    await shop.shopper(row)
    assert await shop.comes_back(row) == "https://shop.example/thanks"
    await shop.tell_all()
    after = await shop.session(row)
    assert (after["status"], after["paymentStatus"]) == ("complete", "paid")
    payment = await shop.payment(row)
    assert (payment["status"], payment["method"], payment["amount"]) == ("paid", "card", 4900)
    assert len(await shop.all("/one-time-payments")) == 1
    assert await shop.books() == {"cash": 4900, "revenue": -4900}
    assert await shop.has_right_books()


async def test_a_card_is_stored_without_a_charge(shop: Shop):
    row = await shop.stores()
    assert (row["amountTotal"], (await shop.at_komoju(row))["mode"]) == (0, "customer")
    await shop.shopper(row)
    await shop.tell_all()
    after = await shop.session(row)
    assert (after["status"], after["paymentStatus"]) == ("complete", "no_payment_required")
    (method,) = await shop.all("/payment-methods")
    assert (method["status"], method["method"], method["isDefault"]) == ("valid", "card", True)
    assert method["details"] == {
        "cardNumber": "1111",
        "cardLabel": "Visa",
        "cardExpiryDate": "2040-12-31",
    }
    assert method["paymentMethodId"] == (await shop.at_komoju(row))["customer_id"]
    # No money has moved: there is nothing to give back, and nothing in the books.
    payment = await shop.payment(row)
    assert (payment["status"], payment["amount"], payment["amountRefunded"]) == ("paid", 0, 0)
    assert await shop.house.count("refunds") == 0
    assert await shop.books() == {}
    answer = await shop.house.ask(
        shop.house.app.admin,
        "POST",
        f"/payments/{payment['uuid']}/refunds",
        {},
        Idempotency_Key="back",
    )
    assert code(answer) == "422 [E4220]"
    assert await shop.has_right_books()


async def test_a_subscription_begins_with_a_payment_that_stores_the_card(shop: Shop):
    row = await shop.bought(mode="subscription", productPriceUuid=await shop.monthly())
    assert (await shop.at_komoju(row))["mode"] == "customer_payment"
    await shop.shopper(row)
    await shop.tell_all()
    assert (await shop.session(row))["status"] == "complete"
    (subscription,) = await shop.all("/subscriptions")
    assert subscription["status"] == "active"
    (method,) = await shop.all("/payment-methods")
    assert subscription["paymentMethodUuid"] == method["uuid"]
    assert await shop.books() == {"cash": 1200, "revenue": -1200}
    assert await shop.has_right_books()


async def test_a_trial_costs_nothing_at_all(shop: Shop):
    trial = await shop.price(
        recurringInterval="month", recurringIntervalCount=1, recurring=True, trialDays=14
    )
    row = await shop.bought(mode="subscription", productPriceUuid=trial)
    assert row["amountTotal"] == 0
    await shop.shopper(row)
    await shop.tell_all()
    assert (await shop.session(row))["paymentStatus"] == "no_payment_required"
    (subscription,) = await shop.all("/subscriptions")
    assert subscription["status"] == "trialing"
    assert await shop.books() == {}
    assert await shop.has_right_books()


async def test_a_voucher_is_waited_for_and_then_paid(shop: Shop):
    row = await shop.bought(paymentMethod="konbini")
    assert row["paymentMethod"] == "konbini"
    await shop.shopper(row, method="konbini")
    assert await shop.comes_back(row) == "https://shop.example/thanks"
    waiting = await shop.session(row)
    assert (waiting["status"], waiting["paymentStatus"]) == ("processing", "unpaid")
    assert (await shop.at_komoju(row))["status"] == "completed"  # which is not paid
    assert await shop.house.count("one_time_payments") == 0
    voucher = await shop.paid_at_komoju(row)
    await shop.control(f"payments/{voucher['id']}/status", status="captured")
    await shop.tell_all()
    after = await shop.session(row)
    assert (after["status"], after["paymentStatus"]) == ("complete", "paid")
    assert await shop.has_right_books()


async def test_a_voucher_that_runs_out_leaves_the_session_open(shop: Shop):
    row = await shop.bought(paymentMethod="konbini")
    await shop.shopper(row, method="konbini")
    await shop.comes_back(row)
    voucher = await shop.paid_at_komoju(row)
    await shop.control(f"payments/{voucher['id']}/status", status="expired")
    await shop.tell_all()
    after = await shop.session(row)
    assert (after["status"], after["attempts"][0]["status"]) == ("open", "expired")
    again = await shop.house.door.get(after["retryUrl"])  # through another session at KOMOJU
    assert again.status_code == 303
    assert again.headers["Location"] != row["nextActionUrl"]
    assert len((await shop.session(row))["attempts"]) == 2


async def test_a_shopper_who_is_declined_tries_again_on_the_same_page(shop: Shop):
    row = await shop.bought()
    await shop.shopper(row, "failed")
    await shop.tell_all()
    after = await shop.session(row)
    assert (after["status"], after["attempts"][0]["status"]) == ("open", "open")
    assert await shop.comes_back(row) == "https://shop.example/sorry"
    answer = await shop.house.door.get(row["retryUrl"])
    assert (answer.status_code, answer.headers["Location"]) == (303, row["nextActionUrl"])
    await shop.shopper(row)
    await shop.tell_all()
    assert (await shop.session(row))["status"] == "complete"
    assert len((await shop.session(row))["attempts"]) == 1


async def test_a_page_that_nobody_used_expires(shop: Shop):
    row = await shop.bought()
    await shop.control("clock", advanceSeconds=86_401)
    try:
        await shop.looks()
        after = await shop.session(row)
        assert after["attempts"][0]["status"] == "expired"
        assert (await shop.events()) == []  # nobody tells of it
    finally:
        await shop.control("clock", now=SystemClock().now().isoformat())


async def test_a_session_that_the_app_ends_is_closed_at_komoju(shop: Shop):
    row = await shop.bought()
    ended = await shop.ok("POST", f"/checkout-sessions/{row['uuid']}/expire")
    assert ended["status"] == "expired"
    assert (await shop.at_komoju(row))["status"] == "cancelled"


async def test_a_card_that_is_stored_too_late_buys_nothing_and_owes_nothing(shop: Shop):
    row = await shop.stores()
    await shop.control("faults", operation="cancelSession", kind="status", status=503)
    await shop.ok("POST", f"/checkout-sessions/{row['uuid']}/expire")
    await shop.shopper(row)
    await shop.looks()
    after = await shop.session(row)
    assert (after["status"], after["paymentStatus"]) == ("expired", "unpaid")
    assert await shop.house.count("refunds") == 0
    assert await shop.has_right_books()


async def test_what_was_paid_too_late_goes_back(shop: Shop):
    row = await shop.bought()
    await shop.control("faults", operation="cancelSession", kind="status", status=503)
    await shop.ok("POST", f"/checkout-sessions/{row['uuid']}/expire")
    await shop.shopper(row)
    await shop.tell_all()
    payment = await shop.payment(row)
    assert (payment["status"], payment["isSurplus"]) == ("paid", True)
    assert await shop.house.count("refunds") == 1


async def test_a_fee_on_top_is_not_ours(shop: Shop):
    await shop.control("settings", paymentMethodFees={"konbini": 190})
    row = await shop.bought(paymentMethod="konbini")
    await shop.shopper(row, method="konbini")
    voucher = await shop.paid_at_komoju(row)
    await shop.control(f"payments/{voucher['id']}/status", status="captured")
    assert (await shop.paid_at_komoju(row))["total"] == 5090
    await shop.tell_all()
    assert (await shop.session(row))["paymentStatus"] == "paid"
    assert (await shop.payment(row))["amount"] == 4900
    assert await shop.books() == {"cash": 4900, "revenue": -4900}


async def test_a_shopper_may_pay_in_another_currency(shop: Shop):
    await shop.control("settings", dccCurrency="USD", dccRate="0.0064")
    row = await shop.bought()
    await shop.shopper(row)
    paid = await shop.paid_at_komoju(row)
    assert (paid["currency"], paid["total"]) == ("USD", 3136)
    await shop.tell_all()
    payment = await shop.payment(row)
    assert (payment["status"], payment["currency"], payment["amount"]) == ("paid", "JPY", 4900)
    assert (await shop.session(row))["status"] == "complete"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"mode": "setup", "productPriceUuid": ..., "currency": "JPY"}, "paymentMethod"),
        ({"mode": "subscription"}, "paymentMethod"),
    ],
)
async def test_cash_cannot_be_charged_again(shop: Shop, said: Json, field: str):
    answer = await shop.buy(**said, paymentMethod="konbini")
    assert (code(answer), list(problems(answer))) == ("400 [E4000]", [field])


async def test_each_provider_says_what_it_takes(shop: Shop):
    answer = await shop.house.buy(paymentMethod="konbini", productPriceUuid=await shop.price())
    assert (code(answer), problems(answer)) == (
        "400 [E4000]",
        {"paymentMethod": "mollie does not take konbini"},
    )
    answer = await shop.buy(locale="de_DE")
    assert list(problems(answer)) == ["locale"]


async def test_a_currency_that_komoju_does_not_take_is_refused(shop: Shop):
    path = f"/products/{shop.house.app.ids['product']}/prices"
    price = await shop.ok("POST", path, {"unitAmount": 500, "currency": "HUF"})
    answer = await shop.buy(productPriceUuid=price["uuid"])
    assert code(answer) == "422 [E4220]"
    assert "HUF" in answer.text


async def test_a_lost_answer_is_had_by_asking_again(shop: Shop):
    order = shop.house.app.order()
    path = "/payment-providers/komoju/checkout-sessions"
    member = shop.house.app.user("member")
    await shop.control("faults", operation="createSession", kind="truncatedJson", times=1)
    first = await shop.house.ask(member, "POST", path, order, Idempotency_Key="once")
    assert code(first) == "502 [E5020]"
    second = await shop.house.ask(member, "POST", path, order, Idempotency_Key="once")
    assert second.status_code == 200, second.text
    asked = second.json()["items"][0]["createdCheckoutSession"]
    found = (await shop.sandbox.get("/komoju/_control/sessions")).json()["items"]
    ours = [s for s in found if s["metadata"].get("session") == asked["uuid"]]
    assert [s["id"] for s in ours] == [id_of(asked)]


async def test_a_wallet_is_stored_and_charged_like_a_card(shop: Shop):
    row = await shop.bought(
        mode="subscription", productPriceUuid=await shop.monthly(), paymentMethod="paypay"
    )
    await shop.shopper(row, method="paypay")
    await shop.tell_all()
    (method,) = await shop.all("/payment-methods")
    assert (method["method"], method["details"]) == ("paypay", {})
    await shop.month_passes()
    assert [p["status"] for p in await shop.all("/payments")] == ["paid", "paid"]
    assert await shop.has_right_books()


async def test_a_key_opens_a_session_for_any_tenant(shop: Shop):
    body = shop.house.app.order(tenantUuid=...)
    tenant = shop.house.app.ids["other_tenant"]
    path = f"/tenants/{tenant}/payment-providers/komoju/checkout-sessions"
    answer = await shop.house.ask(shop.house.app.key("write"), "POST", path, body)
    assert answer.status_code == 200, answer.text
    row = answer.json()["items"][0]["createdCheckoutSession"]
    assert (row["tenantUuid"], row["paymentProviderUuid"]) == (tenant, shop.account["uuid"])


async def test_what_the_shopper_told_us_is_told_to_komoju(shop: Shop):
    row = await shop.bought(billingAddressCollection=True)
    assert (row["sessionId"], row["attempts"]) == (None, [])  # nobody is asked for money yet
    shopper = Shopper(shop.house, row["nextActionUrl"])
    await shopper.goes_on(JANE)
    page = await shopper.pays()
    after = await shop.session(row)
    at_komoju = await shop.at_komoju(after)
    assert page == at_komoju["session_url"]
    assert at_komoju["payment_data"]["name"] == "Jane Smith"
    assert at_komoju["payment_data"]["billing_address"] == {
        "zipcode": "1012 LG",
        "street_address1": "Damrak 1",
        "city": "Amsterdam",
        "country": "NL",
    }
    assert sum(line["amount"] for line in at_komoju["line_items"]) == 4900
    await shop.shopper(after)
    assert await shopper.comes_back() == "https://shop.example/thanks"


async def test_our_page_says_that_storing_a_card_costs_nothing_there(shop: Shop):
    row = await shop.bought(
        mode="setup", productPriceUuid=..., currency="JPY", billingAddressCollection=True
    )
    shopper = Shopper(shop.house, row["nextActionUrl"])
    page = words(await shopper.goes_on(JANE))
    assert "Nothing is charged now" in page
    assert "Store the payment method" in page
    assert "given back" not in page
    assert "/komoju/sessions/" in await shopper.pays()
