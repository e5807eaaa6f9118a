"""Money that goes back through KOMOJU, and money that comes again every month."""

from datetime import timedelta
from typing import Any

import pytest

from app.cli.audit_provider import ProviderAudit
from domain.payments.submit_refund import SubmitRefund
from tests.http.house import Json
from tests.http.komoju import Shop, shop, uuid_of

__all__ = ["shop"]


async def paid(shop: Shop, **said: Any) -> tuple[Json, Json]:
    """A session, and its payment."""
    method = said.get("paymentMethod")
    row = await shop.bought(**said)
    await shop.shopper(row, method=None if method in (None, "card") else method)
    if method == "konbini":
        voucher = await shop.paid_at_komoju(row)
        await shop.control(f"payments/{voucher['id']}/status", status="captured")
    await shop.tell_all()
    return row, await shop.payment(row)


async def give_back(shop: Shop, payment: Json, key: str, **said: Any) -> Json:
    """Asked for, and sent by a worker."""
    path = f"/payments/{payment['uuid']}/refunds"
    answer = await shop.house.ask(shop.house.app.admin, "POST", path, said, Idempotency_Key=key)
    assert answer.status_code == 201, answer.text
    refund = answer.json()["items"][0]
    parts = shop.parts
    submit = SubmitRefund(parts.database, parts.providers, parts.clock, parts.lease)
    await submit(shop.house.app.app_uuid, uuid_of(refund))
    return await shop.ok("GET", f"/refunds/{refund['uuid']}")


async def test_a_refund_is_made_or_is_not(shop: Shop):
    row, payment = await paid(shop)
    refund = await give_back(shop, payment, "all")
    assert (refund["status"], refund["amount"]) == ("refunded", 4900)
    assert (await shop.paid_at_komoju(row))["status"] == "refunded"
    await shop.tell_all()
    after = await shop.session(row)
    assert (after["status"], after["paymentStatus"]) == ("complete", "refunded")
    assert (await shop.payment(row))["amountRefunded"] == 4900
    assert await shop.books() == {"revenue": -4900, "refunds": 4900}
    assert await shop.house.count("refunds") == 1  # the events tell of the same one
    assert await shop.has_right_books()


async def test_a_part_is_given_back_and_then_another(shop: Shop):
    row, payment = await paid(shop)
    first = await give_back(shop, payment, "one", amount=900)
    second = await give_back(shop, payment, "two", amount=1000)
    assert [first["status"], second["status"]] == ["refunded", "refunded"]
    at_komoju = await shop.paid_at_komoju(row)
    assert (at_komoju["status"], at_komoju["amount_refunded"]) == ("captured", 1900)
    await shop.tell_all()
    assert (await shop.session(row))["paymentStatus"] == "paid"
    assert (await shop.payment(row))["amountRefunded"] == 1900
    assert await shop.has_right_books()


async def test_a_refund_whose_answer_was_lost_is_one(shop: Shop):
    row, payment = await paid(shop)
    await shop.control("faults", operation="createRefund", kind="truncatedJson", times=1)
    refund = await give_back(shop, payment, "lost", amount=900)
    assert refund["status"] == "requested"
    parts = shop.parts
    await shop.house.connection.execute("update refunds set lease_until = now() - interval '1 s'")
    submit = SubmitRefund(parts.database, parts.providers, parts.clock, parts.lease)
    assert await submit(shop.house.app.app_uuid, uuid_of(refund)) is None
    assert (await shop.ok("GET", f"/refunds/{refund['uuid']}"))["status"] == "refunded"
    assert (await shop.paid_at_komoju(row))["amount_refunded"] == 900


async def test_cash_goes_back_by_hand_and_somebody_is_told_how(shop: Shop):
    row, payment = await paid(shop, paymentMethod="konbini")
    refund = await give_back(shop, payment, "cash")
    assert refund["status"] == "declined"
    assert "bank account" in refund["declineReason"]
    assert "dashboard" in refund["declineReason"]
    assert (await shop.paid_at_komoju(row))["amount_refunded"] == 0
    assert await shop.books() == {"cash": 4900, "revenue": -4900}
    assert await shop.has_right_books()


async def test_the_whole_of_what_was_paid_in_another_currency_goes_back(shop: Shop):
    await shop.control("settings", dccCurrency="USD", dccRate="0.0064")
    row, payment = await paid(shop)
    part = await give_back(shop, payment, "part", amount=900)
    assert part["status"] == "declined"
    assert "USD" in part["declineReason"]
    whole = await give_back(shop, payment, "whole")
    assert (whole["status"], whole["amount"]) == ("refunded", 4900)
    at_komoju = await shop.paid_at_komoju(row)
    assert (at_komoju["currency"], at_komoju["amount_refunded"]) == ("USD", 3136)
    await shop.tell_all()
    assert (await shop.payment(row))["amountRefunded"] == 4900
    assert await shop.has_right_books()


async def test_a_fee_is_not_given_back(shop: Shop):
    await shop.control("settings", paymentMethodFees={"credit_card": 100})
    row, payment = await paid(shop)
    refund = await give_back(shop, payment, "fee")
    assert (refund["status"], refund["amount"]) == ("refunded", 4900)
    await shop.tell_all()
    assert (await shop.session(row))["paymentStatus"] == "refunded"


async def test_a_chargeback_is_no_refund_of_ours(shop: Shop):
    row, payment = await paid(shop)
    at_komoju = await shop.paid_at_komoju(row)
    await shop.control(f"payments/{at_komoju['id']}/chargeback", amount=1000)
    await shop.tell_all()
    after = await shop.payment(row)
    assert (after["amountRefunded"], after["amountChargedBack"]) == (0, 1000)
    (chargeback,) = (
        await shop.house.ask(
            shop.house.app.admin, "GET", f"/payments/{payment['uuid']}/chargebacks"
        )
    ).json()["items"]
    assert chargeback["amount"] == 1000
    assert await shop.house.count("refunds") == 0
    assert await shop.books() == {"cash": 3900, "revenue": -4900, "chargebacks": 1000}
    assert await shop.has_right_books()


async def test_what_is_given_back_in_komojus_dashboard_is_found_without_being_told(shop: Shop):
    row, payment = await paid(shop)
    taken, _ = await paid(shop)
    id = (await shop.paid_at_komoju(row))["id"]
    await shop.api("POST", f"payments/{id}/refund", {"amount": 500})
    lost = await shop.paid_at_komoju(taken)
    await shop.control(f"payments/{lost['id']}/chargeback")
    sweep = shop.parts.sweep()
    assert await sweep(shop.house.app.app_uuid, uuid_of(shop.account)) is None
    assert (await shop.payment(row))["amountRefunded"] == 500
    assert (await shop.payment(taken))["amountChargedBack"] == 4900
    (refund,) = (
        await shop.house.ask(shop.house.app.admin, "GET", f"/payments/{payment['uuid']}/refunds")
    ).json()["items"]
    assert (refund["reason"], refund["status"]) == ("dashboard", "refunded")
    assert await shop.has_right_books()


async def subscribed(shop: Shop) -> Json:
    await paid(shop, mode="subscription", productPriceUuid=await shop.monthly())
    (subscription,) = await shop.all("/subscriptions")
    return subscription


async def test_the_saved_customer_is_charged_for_the_next_month(shop: Shop):
    subscription = await subscribed(shop)
    await shop.month_passes()
    after = await shop.ok("GET", f"/subscriptions/{subscription['uuid']}")
    assert after["status"] == "active"
    charge, first = await shop.all("/payments")
    assert (charge["status"], charge["sequenceType"], charge["amount"]) == (
        "paid",
        "recurring",
        1200,
    )
    assert charge["paymentId"].startswith("payment_")
    at_komoju = await shop.api("GET", f"payments/{charge['paymentId'].removeprefix('payment_')}")
    (method,) = await shop.all("/payment-methods")
    assert at_komoju["customer"] == method["paymentMethodId"]
    assert at_komoju["metadata"]["bill"]
    assert first["sequenceType"] == "first"
    await shop.tell_all()  # nothing of it is news
    assert len(await shop.all("/payments")) == 2
    assert await shop.books() == {"cash": 2400, "revenue": -2400}
    assert await shop.has_right_books()


@pytest.mark.parametrize(
    ("code", "verdict"), [("insufficient_funds", "wait"), ("card_expired", "new_method")]
)
async def test_a_charge_that_the_bank_refuses_is_a_failed_payment(
    shop: Shop, code: str, verdict: str
):
    subscription = await subscribed(shop)
    outcome = {"outcome": "failed", "code": code}
    await shop.control("settings", recurringOutcomes=[outcome])
    await shop.month_passes()
    after = await shop.ok("GET", f"/subscriptions/{subscription['uuid']}")
    assert after["status"] == "past_due"
    charge = (await shop.all("/payments"))[0]
    assert (charge["status"], charge["failureReason"]) == ("failed", code)
    await shop.tell_all()  # payment.failed says the same once more
    facts = await shop.house.connection.fetch(
        "select facts->>'tries', facts->>'verdict' from outbox where facts ? 'tries'"
    )
    assert [tuple(row) for row in facts] == [("1", verdict)]
    assert await shop.has_right_books()


async def test_a_charge_whose_answer_is_lost_is_made_once(shop: Shop):
    subscription = await subscribed(shop)
    await shop.control("faults", operation="createPayment", kind="truncatedJson", times=1)
    await shop.month_passes()
    after = await shop.ok("GET", f"/subscriptions/{subscription['uuid']}")
    assert after["status"] == "collecting"
    await shop.house.connection.execute(
        "update payment_attempts set lease_until = now() - interval '1 s'"
    )
    (waiting,) = await shop.house.connection.fetch(
        "select uuid from payment_attempts where status = 'submitting'"
    )
    assert await shop.parts.recover()(shop.house.app.app_uuid, waiting["uuid"]) is None
    after = await shop.ok("GET", f"/subscriptions/{subscription['uuid']}")
    assert after["status"] == "active"
    held = (await shop.api("GET", "payments?per_page=100"))["data"]
    assert len([payment for payment in held if payment["session"] is None]) == 1


async def test_a_subscription_starts_where_the_tenant_has_a_card(shop: Shop):
    """The price names no account, and the app has a default at each provider."""
    row = await shop.stores()
    await shop.shopper(row)
    await shop.tell_all()
    (method,) = await shop.all("/payment-methods")
    body = {"productPriceUuid": await shop.monthly(), "trialDays": 0}
    path = f"/tenants/{shop.house.app.ids['tenant']}/subscriptions"
    for said in ({}, {"paymentMethodUuid": method["uuid"]}):
        started = await shop.ok("POST", path, body | said)
        assert started["paymentProviderUuid"] == shop.account["uuid"]
        assert started["status"] == "active"


async def test_a_card_that_is_wanted_no_more_is_deleted_at_komoju(shop: Shop):
    row = await shop.stores()
    await shop.shopper(row)
    await shop.tell_all()
    (method,) = await shop.all("/payment-methods")
    path = f"/tenants/{shop.house.app.ids['tenant']}/payment-methods/{method['uuid']}"
    assert (await shop.ok("DELETE", path))["status"] == "invalid"
    answer = await shop.sandbox.get(
        f"/komoju/api/v1/customers/{method['paymentMethodId']}", auth=(shop.key, "")
    )
    assert answer.status_code == 404


async def test_a_bank_that_says_no_to_a_shopper_is_not_the_end(shop: Shop):
    """Pay and replace, on the page of the same provider."""
    subscription = await subscribed(shop)
    outcome = {"outcome": "failed", "code": "card_expired"}
    await shop.control("settings", recurringOutcomes=[outcome])
    await shop.month_passes()
    path = f"/subscriptions/{subscription['uuid']}/payment-links"
    urls = {"successUrl": "https://shop.example/ok", "cancelUrl": "https://shop.example/no"}
    answer = await shop.house.ask(shop.house.app.admin, "POST", path, urls)
    assert answer.status_code == 200, answer.text
    link = answer.json()["items"][0]["createdCheckoutSession"]
    assert (link["mode"], link["amountTotal"]) == ("recovery", 1200)
    await shop.shopper(link)
    await shop.tell_all()
    after = await shop.ok("GET", f"/subscriptions/{subscription['uuid']}")
    assert after["status"] == "active"
    assert len(await shop.all("/payment-methods")) == 2
    assert await shop.has_right_books()


async def test_an_audit_finds_at_komoju_what_we_hold(shop: Shop):
    """Sessions and charges, refunds, chargebacks, and a shopper who paid in another currency."""
    await subscribed(shop)
    await shop.month_passes()
    _, given = await paid(shop)
    await give_back(shop, given, "part", amount=900)
    await shop.control("settings", dccCurrency="USD", dccRate="0.0064")
    taken, _ = await paid(shop)
    lost = await shop.paid_at_komoju(taken)
    await shop.control(f"payments/{lost['id']}/chargeback", amount=1000)
    await shop.tell_all()
    await shop.house.connection.execute("update payments set due_at = null")
    account = await shop.stored_account()
    audit = ProviderAudit(shop.audit, shop.parts.providers, shop.parts.clock)
    assert await audit.differences(account, timedelta(days=1)) == []
    await shop.house.connection.execute(
        "update payments set refunded_minor = 0 where refunded_minor > 0"
    )
    (found,) = await audit.differences(account, timedelta(days=1))
    assert (found["fault"], found["theirs"]) == ("refunded", "900 JPY")


async def test_the_same_part_may_go_back_twice_in_a_row(shop: Shop):
    """Nobody takes the second for a mistake."""
    row, payment = await paid(shop)
    for key in ("one", "two"):
        refund = await give_back(shop, payment, key, amount=900)
        assert (refund["status"], refund["scheduledAt"]) == ("refunded", None)
    assert (await shop.paid_at_komoju(row))["amount_refunded"] == 1800
