"""Payments: at once by card, later in cash, held for the shop, in another currency, or never."""

from decimal import Decimal

import pytest

from app.sandbox.komoju.life import MOVES
from app.sandbox.komoju.money import exchanged, rate, spoken
from tests.sandbox.komoju.till import a_session


async def test_a_card_is_captured_at_once_and_completes_the_session(till):
    session = await till.session()
    shown = await till.shopper(session, "paid", "credit_card")
    payment = shown["payment"]
    assert shown["status"] == "completed"
    expected = {
        "resource": "payment",
        "status": "captured",
        "amount": 4900,
        "tax": 0,
        "payment_method_fee": 0,
        "total": 4900,
        "currency": "JPY",
        "customer": None,
        "external_order_num": "order-7",
        "metadata": {"attempt_uuid": "7"},
        "session": session["id"],
        "amount_refunded": 0,
        "refunds": [],
        "payment_deadline": None,
    }
    assert payment.items() >= expected.items()
    assert payment["captured_at"] is not None
    assert payment["payment_details"]["type"] == "credit_card"
    assert await till.get(f"payments/{payment['id']}") == payment


async def test_cash_completes_the_session_long_before_it_is_paid(till):
    session = await till.session()
    shown = await till.shopper(session, "paid", "konbini")
    payment = shown["payment"]
    assert (shown["status"], payment["status"]) == ("completed", "authorized")
    assert payment["captured_at"] is None
    await till.advance(days=2)
    await till.settle(payment, "captured")
    assert (await till.get(f"payments/{payment['id']}"))["status"] == "captured"
    await till.advance(days=2)
    assert (await till.get(f"payments/{payment['id']}"))["status"] == "captured"


async def test_cash_that_never_comes_expires_at_its_deadline(till):
    await till.control("settings", deadlineDays=5)
    payment = await till.paid(method="konbini")
    await till.advance(days=4, hours=23)
    assert (await till.get(f"payments/{payment['id']}"))["status"] == "authorized"
    await till.advance(hours=1)
    shown = await till.get(f"payments/{payment['id']}")
    assert shown["status"] == "expired"
    assert (await till.get(f"sessions/{payment['session']}"))["status"] == "completed"


async def test_after_a_decline_there_is_another_try_and_another_payment(till):
    session = await till.session()
    shown = await till.shopper(session, "failed", "credit_card")
    assert (shown["status"], shown["payment"]) == ("pending", None)
    shown = await till.shopper(session, "paid", "credit_card")
    assert shown["status"] == "completed"
    listed = await till.get("payments", external_order_num="order-7")
    assert [one["status"] for one in listed["data"]] == ["captured", "failed"]
    assert listed["data"][0]["id"] != listed["data"][1]["id"]


async def test_a_payment_left_at_the_bank_is_gone_on_with(till):
    session = await till.session()
    left = (await till.shopper(session, "pending", "paypay"))["payment"]
    paid = (await till.shopper(session, "paid", "credit_card"))["payment"]
    assert (paid["id"], paid["status"]) == (left["id"], "captured")
    assert paid["payment_details"]["type"] == "credit_card"


async def test_money_is_held_until_the_shop_captures_it(till):
    payment = await till.paid(payment_data={"capture": "manual"})
    assert payment["status"] == "authorized"
    captured = await till.post(f"payments/{payment['id']}/capture")
    assert captured["status"] == "captured"
    again = await till.refused(f"payments/{payment['id']}/capture")
    assert again == (422, "unprocessable_entity", None)


async def test_cash_is_not_captured_by_the_shop(till):
    payment = await till.paid(method="konbini")
    assert (await till.refused(f"payments/{payment['id']}/capture"))[0] == 422


async def test_only_what_is_not_decided_can_be_cancelled(till):
    held = await till.paid(payment_data={"capture": "manual"})
    voucher = await till.paid(method="konbini")
    for payment in (held, voucher):
        cancelled = await till.post(f"payments/{payment['id']}/cancel")
        assert cancelled["status"] == "cancelled"
        assert (await till.refused(f"payments/{payment['id']}/cancel"))[0] == 422
    captured = await till.paid()
    assert (await till.refused(f"payments/{captured['id']}/cancel"))[0] == 422


async def test_description_and_metadata_change_and_nothing_else(till):
    payment = await till.paid()
    path = f"payments/{payment['id']}"
    answer = await till.call("PATCH", path, json={"description": "New", "metadata": {"a": "b"}})
    assert (answer.json()["description"], answer.json()["metadata"]) == ("New", {"a": "b"})
    refused = await till.refused(path, {"amount": 1}, method="PATCH")
    assert refused == (422, "unprocessable_entity", "amount")


async def test_the_fee_of_a_method_is_on_top_of_the_amount(till):
    await till.control("settings", paymentMethodFees={"konbini": 190})
    payment = await till.paid(method="konbini")
    assert (payment["amount"], payment["payment_method_fee"], payment["total"]) == (4900, 190, 5090)
    assert (await till.paid())["payment_method_fee"] == 0


async def test_a_shopper_who_pays_in_yen_leaves_the_sessions_own_amount(till):
    await till.control("settings", dccCurrency="JPY", dccRate="156.25")
    session = await till.session(amount=4900, currency="EUR")
    shown = await till.shopper(session, "paid", "credit_card")
    assert (shown["amount"], shown["currency"]) == (4900, "EUR")
    assert (shown["payment"]["amount"], shown["payment"]["currency"]) == (7656, "JPY")
    assert (await till.paid())["amount"] == 4900


def test_amounts_are_whole_numbers_of_the_smallest_unit():
    assert spoken(4900, "JPY") == "¥4,900"
    assert spoken(4900, "EUR") == "€49.00"
    assert spoken(123456, "TWD") == "TWD 1,234.56"
    assert exchanged(1, "EUR", "JPY", Decimal("50")) == 1
    assert exchanged(156, "JPY", "EUR", Decimal("0.0064")) == 100
    assert [rate(text) for text in ("0", "-1", "nan", "Infinity", "x")] == [None] * 5


async def test_payments_are_found_by_order_currency_and_status_newest_first(till):
    first = await till.paid()
    other = await till.paid(currency="EUR", payment_data={"external_order_num": "order-8"})
    last = await till.paid(method="konbini")

    async def found(**query):
        return [one["id"] for one in (await till.get("payments", **query))["data"]]

    assert await found() == [last["id"], other["id"], first["id"]]
    assert await found(external_order_num="order-7") == [last["id"], first["id"]]
    assert await found(currency="EUR") == [other["id"]]
    assert await found(status="authorized") == [last["id"]]
    assert await found(external_order_num="order-9") == []
    assert (await till.refused("payments?status=paid", method="GET"))[2] == "status"


async def test_a_list_has_pages_and_times(till):
    for _ in range(12):
        await till.paid()
    first = await till.get("payments")
    assert first["data"][0]["id"] != first["data"][1]["id"]
    shape = {name: value for name, value in first.items() if name != "data"}
    assert shape == {"resource": "list", "total": 12, "page": 1, "per_page": 10, "last_page": 2}
    assert len((await till.get("payments", page=2))["data"]) == 2
    assert (await till.get("payments", page=3))["data"] == []
    assert (await till.get("payments", per_page=5))["last_page"] == 3

    await till.control("clock", now="2040-01-01T00:00:00Z")
    await till.paid()
    assert (await till.get("payments", start_time="2040-01-01T00:00:00Z"))["total"] == 1
    assert (await till.get("payments", end_time="2040-01-01T00:00:00"))["total"] == 12


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("page=0", "page"),
        ("per_page=101", "per_page"),
        ("per_page=x", "per_page"),
        ("start_time=yesterday", "start_time"),
        ("limit=3", "limit"),
    ],
)
async def test_a_list_refuses_what_it_does_not_know(till, query, param):
    refused = await till.refused(f"payments?{query}", method="GET")
    assert refused == (422, "unprocessable_entity", param)


@pytest.mark.parametrize("before", sorted(MOVES))
async def test_a_payment_becomes_only_what_it_can(till, before):
    statuses = ("captured", "failed", "authorized", "cancelled", "expired")
    for after in statuses:
        session = await till.session()
        payment = (await till.shopper(session, "pending", "paypay"))["payment"]
        if before == "refunded":
            await till.settle(payment, "captured")
            await till.post(f"payments/{payment['id']}/refund")
        elif before != "pending":
            await till.settle(payment, before)
        answer = await till.http.post(
            f"/komoju/_control/payments/{payment['id']}/status", json={"status": after}
        )
        possible = after == before or after in MOVES[before]
        assert answer.status_code == (200 if possible else 409)
        shown = await till.get(f"payments/{payment['id']}")
        assert shown["status"] == (after if possible else before)


async def test_a_session_takes_one_payment_only(till):
    session = await till.session()
    await till.shopper(session, "paid", "credit_card")
    answer = await till.http.post(
        f"/komoju/_control/sessions/{session['id']}/shopper", json={"outcome": "paid"}
    )
    assert answer.status_code == 409
    assert len(await till.held("payments")) == 1


async def test_an_amount_of_nothing_is_an_amount(till):
    payment = await till.paid(amount=0)
    assert (payment["status"], payment["total"]) == ("captured", 0)
    assert (await till.post("sessions", a_session(amount=2**31 - 1)))["amount"] == 2**31 - 1
