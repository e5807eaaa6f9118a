"""Payments: which fields each state has, and what is refused at the door."""

from itertools import product

import pytest

from app.sandbox.clock import Clock
from app.sandbox.mollie.money import Amount
from app.sandbox.mollie.objects import Payment
from app.sandbox.mollie.state import CARD_FAILURES, MOVES, IllegalMove, move
from tests.sandbox.shop import Shop, a_payment

EVENT_TIMES = {"paidAt", "failedAt", "canceledAt", "expiredAt", "authorizedAt"}


def a_record(status: str, **changes) -> Payment:
    facts = {"amount": Amount("EUR", 1000), "description": "x", "token": "t", **changes}
    return Payment(id="tr_1", key="test_a", created_at=Clock().now(), status=status, **facts)


@pytest.mark.parametrize(("old", "new"), list(product(MOVES, repeat=2)))
def test_only_listed_moves_are_possible(old, new):
    payment = a_record(old)
    if new in MOVES[old]:
        assert move(payment, new, payment.created_at).status == new
    else:
        with pytest.raises(IllegalMove):
            move(payment, new, payment.created_at)


async def test_an_open_payment_can_be_paid_and_has_no_past(shop):
    payment = await shop.pay(metadata={"order": 7})

    assert payment["status"] == "open"
    assert payment["metadata"] == {"order": 7}
    assert payment["method"] is None
    assert {"isCancelable", "expiresAt"} <= payment.keys()
    assert "checkout" in payment["_links"]
    assert not payment.keys() & {"amountRefunded", "amountRemaining", "details", "mandateId"}
    assert not payment.keys() & EVENT_TIMES


async def test_a_paid_payment_shows_what_can_be_refunded_and_no_checkout(shop):
    payment = await shop.pay(method="creditcard")
    await shop.settle(payment["id"], "paid")
    paid = await shop.get(f"payments/{payment['id']}")

    assert paid["amountRefunded"] == {"value": "0.00", "currency": "EUR"}
    assert paid["amountRemaining"] == {"value": "49.00", "currency": "EUR"}
    assert paid["details"]["cardHolder"] == "T. TEST"
    assert paid.keys() & EVENT_TIMES == {"paidAt"}
    assert not paid.keys() & {"isCancelable", "expiresAt", "amountChargedBack"}
    assert "checkout" not in paid["_links"]
    assert "changePaymentState" in paid["_links"]


@pytest.mark.parametrize(
    ("status", "field"),
    [("failed", "failedAt"), ("canceled", "canceledAt"), ("expired", "expiredAt")],
)
async def test_a_payment_that_came_to_nothing_says_when(shop, status, field):
    payment = await shop.pay(method="ideal")
    await shop.settle(payment["id"], status)
    ended = await shop.get(f"payments/{payment['id']}")

    assert ended.keys() & EVENT_TIMES == {field}
    assert not ended.keys() & {"isCancelable", "expiresAt", "amountRefunded"}
    assert not ended["_links"].keys() & {"checkout", "changePaymentState"}


async def test_a_final_payment_stays_what_it_is(shop):
    payment = await shop.pay()
    await shop.settle(payment["id"], "paid")
    path = f"/_control/payments/{payment['id']}/status"

    assert (await shop.http.post(path, json={"status": "failed"})).status_code == 409
    assert (await shop.http.post(path, json={"status": "paid"})).status_code == 200


async def test_an_authorized_payment_is_captured_or_expires(shop):
    payment = await shop.pay(captureMode="manual", method="creditcard")
    held = await shop.settle(payment["id"], "authorized")
    assert held["isCancelable"] is True
    paid = await shop.settle(payment["id"], "paid")
    assert {"authorizedAt", "paidAt"} <= paid.keys()


@pytest.mark.parametrize(
    ("euros", "reason"),
    list(zip(range(1001, 1012), [*list(CARD_FAILURES)[:10], "card_declined"], strict=True)),
)
async def test_some_amounts_fail_for_a_known_reason(shop, euros, reason):
    payment = await shop.pay(
        amount={"currency": "EUR", "value": f"{euros}.00"}, method="creditcard"
    )
    failed = await shop.settle(payment["id"], "failed")
    assert failed["details"]["failureReason"] == reason
    assert failed["details"]["failureMessage"]


async def test_a_reason_that_is_given_goes_before_the_amount(shop):
    amount = {"currency": "EUR", "value": "1007.00"}
    payment = await shop.pay(amount=amount, method="creditcard")
    failed = await shop.settle(payment["id"], "failed", failureReason="card_expired")
    assert failed["details"]["failureReason"] == "card_expired"


async def test_an_open_payment_expires_a_minute_after_its_time(shop, hooks):
    payment = await shop.pay(method="ideal")
    await shop.advance(minutes=15, seconds=30)
    assert (await shop.get(f"payments/{payment['id']}"))["status"] == "open"
    await shop.advance(seconds=60)
    assert (await shop.get(f"payments/{payment['id']}"))["status"] == "expired"


async def test_a_payment_is_canceled_only_where_its_method_allows_it(shop):
    transfer = await shop.pay(method="banktransfer")
    answer = await shop.call("DELETE", f"payments/{transfer['id']}")
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")

    card = await shop.pay(method="creditcard")
    assert card["isCancelable"] is False
    assert (await shop.call("DELETE", f"payments/{card['id']}")).status_code == 422


async def test_an_update_changes_what_may_change(shop):
    payment = await shop.pay()
    changed = await shop.call(
        "PATCH",
        f"payments/{payment['id']}",
        json={"description": "New", "metadata": None, "method": "ideal"},
    )
    assert changed.json()["description"] == "New"
    assert changed.json()["method"] == "ideal"
    assert (await shop.refused(f"payments/{payment['id']}", {"amount": {}}, "PATCH"))[1] == "amount"

    await shop.settle(payment["id"], "paid")
    late = {"redirectUrl": "https://shop.example.org/other"}
    assert (await shop.refused(f"payments/{payment['id']}", late, "PATCH"))[:2] == (
        422,
        "redirectUrl",
    )


REFUSALS = [
    ({"amount": None}, "amount"),
    ({"amount": "10.00"}, "amount"),
    ({"amount": {"value": "10.00"}}, "amount.currency"),
    ({"amount": {"currency": "XXX", "value": "10.00"}}, "amount.currency"),
    ({"amount": {"currency": "EUR", "value": 10}}, "amount.value"),
    ({"amount": {"currency": "EUR", "value": "10"}}, "amount.value"),
    ({"amount": {"currency": "EUR", "value": "16.1"}}, "amount.value"),
    ({"amount": {"currency": "EUR", "value": "1,000.00"}}, "amount.value"),
    ({"amount": {"currency": "EUR", "value": "١٠.٠٠"}}, "amount.value"),
    ({"amount": {"currency": "JPY", "value": "10.00"}}, "amount.value"),
    ({"amount": {"currency": "EUR", "value": "0.00"}}, "amount"),
    ({"amount": {"currency": "EUR", "value": "-1.00"}}, "amount"),
    ({"amount": {"currency": "EUR", "value": "2000.01"}, "method": "creditcard"}, "amount"),
    ({"amount": {"currency": "USD", "value": "1.00"}, "method": "ideal"}, "amount.currency"),
    ({"description": None}, "description"),
    ({"redirectUrl": None}, "redirectUrl"),
    ({"redirectUrl": "/relative"}, "redirectUrl"),
    ({"redirectUrl": "javascript://shop/%0aalert(1)"}, "redirectUrl"),
    ({"redirectUrl": "https://shop.example/\r\nSet-Cookie: a=b"}, "redirectUrl"),
    ({"webhookUrl": "ftp://shop.example/"}, "webhookUrl"),
    ({"metadata": "x" * 1023}, "metadata"),
    ({"locale": "xx_XX"}, "locale"),
    ({"method": "cash"}, "method"),
    ({"method": "klarna"}, "lines"),
    ({"sequenceType": "second"}, "sequenceType"),
    ({"sequenceType": "recurring"}, "customerId"),
    ({"customerId": "cst_unknown"}, "customerId"),
    ({"customer": "cst_1"}, "customer"),
    ({"testmode": True}, "testmode"),
    ({"profileId": "pfl_1"}, "profileId"),
    ({"captureDelay": "soon"}, "captureDelay"),
]


@pytest.mark.parametrize(("change", "field"), REFUSALS)
async def test_bad_input_is_refused_by_the_name_of_its_field(shop, change, field):
    status, named, _ = await shop.refused("payments", a_payment(**change))
    assert (status, named) == (422, field)


async def test_an_unknown_parameter_is_answered_with_a_guess(shop):
    _, _, detail = await shop.refused("customers", {"names": "Ada"})
    assert detail == (
        'Non-existent body parameter "names" for this API call. Did you mean: "name"?'
    )
    answer = await shop.call("GET", "payments?testmode=true")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith('Non-existent query parameter "testmode"')


async def test_long_descriptions_are_cut_and_metadata_may_fill_its_limit(shop):
    payment = await shop.pay(description="d" * 300, metadata="x" * 1022)
    assert len(payment["description"]) == 255
    assert len(payment["metadata"]) == 1022


async def test_currencies_without_decimals_are_written_without(shop):
    payment = await shop.pay(amount={"currency": "JPY", "value": "1950"})
    assert payment["amount"] == {"currency": "JPY", "value": "1950"}


async def test_a_zero_amount_is_a_card_check_and_nothing_else(shop):
    zero = {"currency": "EUR", "value": "0.00"}
    customer, mandate = await shop.mandate(amount=zero)
    assert mandate["method"] == "creditcard"
    refused = a_payment(amount=zero, method="ideal", sequenceType="first", customerId=customer)
    assert (await shop.refused("payments", refused))[1] == "amount"


async def test_an_unreachable_webhook_is_refused_only_when_asked_for(shop):
    local = a_payment(webhookUrl="http://localhost:8000/hook")
    await shop.post("payments", local)
    await shop.control("settings", strictWebhookUrl=True)
    assert (await shop.refused("payments", local))[1] == "webhookUrl"


async def test_a_form_with_brackets_is_as_good_as_json(shop):
    form = {
        "amount[currency]": "EUR",
        "amount[value]": "20.00",
        "description": "Form",
        "redirectUrl": "https://shop.example.org/back",
        "method[]": "ideal",
        "lines[0][description]": "Line",
        "lines[0][quantity]": "2",
        "lines[0][unitPrice][currency]": "EUR",
        "lines[0][unitPrice][value]": "10.00",
        "lines[0][totalAmount][currency]": "EUR",
        "lines[0][totalAmount][value]": "20.00",
    }
    answer = await shop.call("POST", "payments", data=form)
    assert answer.status_code == 201, answer.text
    assert answer.json()["lines"][0]["quantity"] == 2
    assert answer.json()["method"] == "ideal"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b'{"a":' * 5000, 400), (b" " * 1_000_001, 413)],
)
async def test_a_body_that_cannot_be_read_is_refused(shop, body, status):
    headers = {"Content-Type": "application/json"}
    answer = await shop.call("POST", "payments", content=body, headers=headers)
    assert answer.status_code == status


async def test_answers_are_hal_even_when_plain_json_was_asked_for(shop):
    headers = {"Accept": "application/json"}
    assert (await shop.call("GET", "payments", headers=headers)).headers["content-type"] == (
        "application/hal+json"
    )


@pytest.mark.parametrize(
    "header", ["", "Bearer nonsense", "Bearer test_", "Bearer TEST_shop", "Basic test_shop"]
)
async def test_without_a_key_nothing_is_told(shop, header):
    answer = await shop.call("GET", "payments", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["title"] == "Unauthorized Request"
    assert answer.headers["content-type"] == "application/hal+json"


async def test_every_key_is_a_world_of_its_own(sandbox, shop):
    payment = await shop.pay()
    path = f"payments/{payment['id']}"
    live, other = Shop(sandbox, "live_shop"), Shop(sandbox, "test_other")
    async with live.http, other.http:
        wrong_mode = (await live.call("GET", path)).json()
        assert wrong_mode["status"] == 404
        assert "exists, but the wrong mode is used" in wrong_mode["detail"]
        unknown = (await other.call("GET", path)).json()
        assert unknown["detail"] == f"No payment exists with token {payment['id']}."
        made = await live.post("payments", a_payment())
        assert made["mode"] == "live"


async def test_an_access_token_says_its_mode_and_profile_with_every_call(sandbox):
    token = Shop(sandbox, "access_shop")
    async with token.http:
        assert (await token.refused("payments", a_payment()))[:2] == (422, "profileId")
        made = await token.post("payments", a_payment(testmode=True, profileId="pfl_1"))
        assert (made["mode"], made["profileId"]) == ("test", "pfl_1")
        path = f"payments/{made['id']}"
        assert (await token.get(f"{path}?testmode=true"))["id"] == made["id"]
        assert "wrong mode" in (await token.call("GET", path)).json()["detail"]
        listed = await token.get("payments?testmode=true&profileId=pfl_1")
        assert listed["count"] == 1
        assert (await token.refused("customers", {"testmode": "yes"}))[:2] == (422, "testmode")


async def test_unknown_addresses_and_methods_answer_as_the_api_does(shop):
    assert (await shop.call("GET", "orders")).status_code == 404
    assert (await shop.call("PUT", "payments")).status_code == 405
    assert (await shop.call("GET", "payments/tr_unknown")).status_code == 404


async def test_links_carry_the_address_that_was_asked(shop):
    payment = await shop.pay()
    assert payment["_links"]["self"]["href"] == f"http://mollie.test/v2/payments/{payment['id']}"
