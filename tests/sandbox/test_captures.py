"""Captures: money reserved first and taken later, in part or whole, once and never too late."""

import pytest

from tests.sandbox.shop import a_payment, eventually

KLARNA = {
    "method": "klarna",
    "billingAddress": {
        "givenName": "Ada",
        "familyName": "Byron",
        "email": "ada@example.org",
        "streetAndNumber": "Keizersgracht 126",
        "postalCode": "1015CW",
        "city": "Amsterdam",
        "country": "NL",
    },
    "lines": [
        {
            "description": "Kontor Pro",
            "quantity": 1,
            "unitPrice": {"currency": "EUR", "value": "49.00"},
            "totalAmount": {"currency": "EUR", "value": "49.00"},
        }
    ],
}


def euros(value):
    return {"currency": "EUR", "value": value}


async def authorized(shop, **changes):
    payment = await shop.pay(**{"method": "creditcard", "captureMode": "manual", **changes})
    await shop.settle(payment["id"], "authorized")
    return f"payments/{payment['id']}"


async def captured(shop, path, **body):
    capture = await shop.post(f"{path}/captures", body)
    await shop.advance(seconds=1)
    return await shop.get(f"{path}/captures/{capture['id']}")


async def test_an_authorization_says_until_when_it_can_be_captured(shop):
    await shop.control("clock", now="2030-03-01T12:00:00+00:00")
    held = await shop.get(await authorized(shop))
    assert held["status"] == "authorized"
    assert held["captureMode"] == "manual"
    assert held["captureBefore"] == "2030-03-09"
    assert held["amountCaptured"] == euros("0.00")
    assert held["isCancelable"] is True
    assert not held.keys() & {"amountRemaining", "paidAt"}


async def test_a_capture_without_an_amount_takes_everything_and_the_payment_is_paid(shop, hooks):
    path = await authorized(shop)
    await eventually(lambda: len(hooks.ids) == 1)
    made = await shop.post(f"{path}/captures", {"description": "Sent", "metadata": {"box": 1}})
    assert (made["status"], made["amount"]) == ("pending", euros("49.00"))
    assert (made["description"], made["metadata"]) == ("Sent", {"box": 1})
    assert (await shop.get(path))["status"] == "authorized"

    await shop.advance(seconds=1)
    paid = await shop.get(f"{path}?embed=captures")
    assert (paid["status"], paid["amountCaptured"]) == ("paid", euros("49.00"))
    assert "captureBefore" not in paid
    assert paid["_links"]["captures"]["href"].endswith(f"{path}/captures")
    assert [one["status"] for one in paid["_embedded"]["captures"]] == ["succeeded"]
    # Told of the authorization and of the payment; nobody is told of a capture by itself.
    await eventually(lambda: len(hooks.ids) == 2)
    assert [one["reason"] for one in await shop.held("deliveries")] == ["paid", "authorized"]


async def test_no_more_than_was_authorized_is_captured(shop):
    path = await authorized(shop)
    for value in ("49.01", "0.00", "-1.00"):
        body = {"amount": euros(value)}
        assert (await shop.refused(f"{path}/captures", body))[:2] == (422, "amount")
    dollars = {"amount": {"currency": "USD", "value": "1.00"}}
    assert (await shop.refused(f"{path}/captures", dollars))[1] == "amount.currency"
    assert (await shop.get(f"{path}/captures"))["count"] == 0


async def test_a_card_is_captured_once_and_what_is_left_is_let_go(shop):
    path = await authorized(shop)
    await shop.post(f"{path}/captures", {"amount": euros("20.00")})
    assert (await shop.refused(f"{path}/captures", {"amount": euros("20.00")}))[0] == 422
    await shop.advance(seconds=1)
    paid = await shop.get(path)
    assert (paid["status"], paid["amountCaptured"]) == ("paid", euros("20.00"))
    assert paid["amountRemaining"] == euros("20.00")
    assert (await shop.refused(f"{path}/captures", {}))[0] == 422


async def test_only_what_was_captured_can_be_refunded(shop):
    path = await authorized(shop)
    await captured(shop, path, amount=euros("20.00"))
    body = {"amount": euros("20.01")}
    assert (await shop.refused(f"{path}/refunds", body))[1] == "amount.value"
    await shop.post(f"{path}/refunds", {"amount": euros("20.00")})


async def test_who_lets_pay_later_is_captured_in_parts_until_it_is_whole(shop):
    path = await authorized(shop, **KLARNA)
    first = await captured(shop, path, amount=euros("19.00"))
    assert first["status"] == "succeeded"
    held = await shop.get(path)
    assert (held["status"], held["amountCaptured"]) == ("authorized", euros("19.00"))
    assert held["isCancelable"] is False
    assert (await shop.call("DELETE", path)).status_code == 422
    assert (await shop.refused(f"{path}/captures", {"amount": euros("30.01")}))[0] == 422

    await captured(shop, path)
    paid = await shop.get(path)
    assert (paid["status"], paid["amountCaptured"]) == ("paid", euros("49.00"))
    listed = await shop.get(f"{path}/captures?sort=asc")
    amounts = [one["amount"]["value"] for one in listed["_embedded"]["captures"]]
    assert amounts == ["19.00", "30.00"]


async def test_what_a_pending_capture_takes_cannot_be_taken_again(shop):
    await shop.control("settings", captureOutcome="pending")
    path = await authorized(shop, **KLARNA)
    await shop.post(f"{path}/captures", {"amount": euros("40.00")})
    assert (await shop.refused(f"{path}/captures", {"amount": euros("9.01")}))[0] == 422
    await shop.post(f"{path}/captures", {"amount": euros("9.00")})


async def test_a_failed_capture_leaves_the_authorization_and_can_be_tried_again(shop, hooks):
    await shop.control("settings", captureOutcome="failed")
    path = await authorized(shop)
    assert (await captured(shop, path))["status"] == "failed"
    held = await shop.get(path)
    assert (held["status"], held["amountCaptured"]) == ("authorized", euros("0.00"))

    await shop.control("settings", captureOutcome="succeeded")
    await captured(shop, path)
    assert (await shop.get(path))["status"] == "paid"


async def test_a_capture_after_the_expiry_comes_too_late(shop, hooks):
    path = await authorized(shop)
    await shop.advance(days=8)
    assert (await shop.refused(f"{path}/captures", {}))[0] == 422
    gone = await shop.get(path)
    assert gone["status"] == "expired"
    assert "amountRemaining" not in gone
    await eventually(lambda: len(hooks.ids) == 2)


async def test_an_authorization_captured_in_part_expires_as_paid(shop):
    path = await authorized(shop, **KLARNA)
    await captured(shop, path, amount=euros("19.00"))
    await shop.advance(days=29)
    paid = await shop.get(path)
    assert (paid["status"], paid["amountCaptured"]) == ("paid", euros("19.00"))


async def test_a_capture_under_way_at_the_expiry_fails(shop):
    await shop.control("settings", captureOutcome="pending")
    path = await authorized(shop)
    capture = await shop.post(f"{path}/captures", {})
    await shop.advance(days=8)
    assert (await shop.get(f"{path}/captures/{capture['id']}"))["status"] == "failed"
    assert (await shop.get(path))["status"] == "expired"


async def test_a_delayed_capture_happens_by_itself_on_the_clock(shop):
    path = await authorized(shop, captureMode=None, captureDelay="2 days")
    await shop.advance(days=1, hours=23)
    assert (await shop.get(path))["status"] == "authorized"
    await shop.advance(hours=1, seconds=1)
    paid = await shop.get(path)
    assert (paid["status"], paid["amountCaptured"]) == ("paid", euros("49.00"))


async def test_the_longest_delay_is_shorter_than_the_shortest_authorization(shop):
    path = await authorized(shop, captureMode="automatic", captureDelay="168 hours")
    await shop.advance(days=20)
    assert (await shop.get(path))["status"] == "paid"


async def test_a_delayed_capture_can_be_made_early_or_called_off(shop):
    early = await authorized(shop, captureMode=None, captureDelay="2 days")
    await captured(shop, early, amount=euros("9.00"))
    canceled = await authorized(shop, captureMode=None, captureDelay="2 days")
    assert (await shop.call("DELETE", canceled)).json()["status"] == "canceled"
    await shop.advance(days=3)
    assert (await shop.get(early))["amountCaptured"] == euros("9.00")
    assert (await shop.get(canceled))["status"] == "canceled"
    assert (await shop.get(f"{canceled}/captures"))["count"] == 0


async def test_an_authorization_is_released_a_moment_after_it_is_asked_for(shop, hooks):
    path = await authorized(shop)
    answer = await shop.call("POST", f"{path}/release-authorization", json={})
    assert (answer.status_code, answer.content) == (202, b"")
    assert (await shop.refused(f"{path}/captures", {}))[0] == 422
    assert (await shop.refused(f"{path}/release-authorization", {}))[0] == 422
    await shop.advance(seconds=1)
    assert (await shop.get(path))["status"] == "canceled"
    await eventually(lambda: len(hooks.ids) == 2)


async def test_what_was_captured_before_the_release_is_paid(shop):
    path = await authorized(shop, **KLARNA)
    await captured(shop, path, amount=euros("19.00"))
    await shop.call("POST", f"{path}/release-authorization")
    await shop.advance(seconds=1)
    paid = await shop.get(path)
    assert (paid["status"], paid["amountRemaining"]) == ("paid", euros("19.00"))


@pytest.mark.parametrize("status", [None, "paid", "canceled", "expired"])
async def test_only_an_authorized_payment_is_captured_or_released(shop, status):
    payment = await shop.pay(method="creditcard", captureMode="manual")
    if status:
        await shop.settle(payment["id"], status)
    path = f"payments/{payment['id']}"
    assert (await shop.refused(f"{path}/captures", {}))[0] == 422
    assert (await shop.refused(f"{path}/release-authorization", {}))[0] == 422


async def test_the_bank_that_says_paid_has_captured_everything(shop):
    path = await authorized(shop)
    paid = await shop.settle(path.removeprefix("payments/"), "paid")
    assert paid["amountCaptured"] == euros("49.00")
    assert (await shop.get(f"{path}/captures"))["count"] == 1


async def test_a_first_payment_leaves_its_mandate_when_it_is_authorized(shop):
    customer = await shop.customer()
    path = await authorized(shop, sequenceType="first", customerId=customer)
    mandate = (await shop.get(path))["mandateId"]
    await captured(shop, path)
    assert (await shop.get(path))["mandateId"] == mandate
    assert (await shop.get(f"customers/{customer}/mandates"))["count"] == 1


async def test_a_capture_belongs_to_its_payment(shop):
    one, other = await authorized(shop), await authorized(shop)
    capture = await captured(shop, one)
    answer = await shop.call("GET", f"{other}/captures/{capture['id']}")
    assert answer.status_code == 404
    assert (await shop.call("GET", f"{one}/captures/cpt_unknown")).status_code == 404


async def test_a_repeated_capture_under_the_same_key_is_one_capture(shop):
    path = await authorized(shop, **KLARNA)
    key = {"Idempotency-Key": "box-1"}
    first = await shop.post(f"{path}/captures", {"amount": euros("9.00")}, **key)
    again = await shop.post(f"{path}/captures", {"amount": euros("9.00")}, **key)
    assert first == again
    assert (await shop.get(f"{path}/captures"))["count"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"captureMode": "later"}, "captureMode"),
        ({"captureMode": "manual", "method": "ideal"}, "captureMode"),
        ({"captureMode": "manual", "captureDelay": "1 day"}, "captureDelay"),
        ({"captureDelay": "8 days"}, "captureDelay"),
        ({"captureDelay": "169 hours"}, "captureDelay"),
        ({"captureDelay": "0 hours"}, "captureDelay"),
        ({"captureDelay": "2 weeks"}, "captureDelay"),
        ({**KLARNA, "method": "riverty"}, "captureMode"),
    ],
)
async def test_a_hold_that_cannot_be_is_refused(shop, change, field):
    assert (await shop.refused("payments", a_payment(**change)))[:2] == (422, field)


async def test_a_charge_without_a_shopper_cannot_be_held(shop):
    customer, _ = await shop.mandate()
    body = a_payment(sequenceType="recurring", customerId=customer, captureMode="manual")
    assert (await shop.refused("payments", body))[:2] == (422, "captureMode")


async def test_the_page_offers_only_methods_that_can_hold(shop):
    payment = await shop.pay(captureMode="manual")
    html = (await shop.http.get(payment["_links"]["checkout"]["href"])).text
    assert 'value="creditcard"' in html
    assert 'value="ideal"' not in html
    assert 'value="authorized"' in html
