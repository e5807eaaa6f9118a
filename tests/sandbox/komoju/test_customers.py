"""Saved customers: how one comes to be, what can be charged on it, and how it is forgotten."""

import pytest

from tests.sandbox.komoju.till import a_charge, a_session


async def test_a_customer_is_named_at_once_and_empty_until_the_shopper_is_done(till):
    session = await till.session(mode="customer", payment_data=None, email="ada@example.org")
    customer = await till.get(f"customers/{session['customer_id']}")
    assert (customer["email"], customer["source"]) == ("ada@example.org", None)
    refused = await till.refused("payments", a_charge(customer["id"]))
    assert refused == (422, "unprocessable_entity", "customer")

    shown = await till.shopper(session, "paid", "credit_card")
    assert (shown["status"], shown["payment"]) == ("completed", None)
    customer = await till.get(f"customers/{session['customer_id']}")
    assert customer["source"]["type"] == "credit_card"
    assert await till.held("payments") == []


async def test_paying_and_saving_go_together(till):
    session = await till.session(mode="customer_payment")
    shown = await till.shopper(session, "paid", "paypay")
    assert shown["payment"]["status"] == "captured"
    assert shown["payment"]["customer"] == shown["customer_id"] == session["customer_id"]
    charge = await till.charge(session["customer_id"])
    assert charge["payment_details"]["type"] == "paypay"


async def test_a_decline_saves_nobody(till):
    for mode in ("customer", "customer_payment"):
        session = await till.session(mode=mode, payment_data=None)
        assert (await till.shopper(session, "failed"))["status"] == "pending"
        assert (await till.get(f"customers/{session['customer_id']}"))["source"] is None


async def test_a_saved_customer_gets_another_card(till):
    id = await till.customer()
    session = await till.session(mode="customer", payment_data=None, customer_id=id)
    assert session["customer_id"] == id
    await till.shopper(session, "paid", "paypay")
    assert (await till.get(f"customers/{id}"))["source"]["type"] == "paypay"
    assert (await till.get("customers"))["total"] == 1


async def test_a_later_charge_takes_the_money_at_once(till):
    id = await till.customer()
    charge = await till.charge(id, metadata={"invoice": "7"}, description="March")
    expected = {
        "status": "captured",
        "customer": id,
        "session": None,
        "total": 999,
        "external_order_num": "invoice-7",
        "description": "March",
        "metadata": {"invoice": "7"},
    }
    assert charge.items() >= expected.items()


async def test_a_later_charge_can_be_held(till):
    charge = await till.charge(await till.customer(), capture=False)
    assert charge["status"] == "authorized"
    assert (await till.post(f"payments/{charge['id']}/capture"))["status"] == "captured"


async def test_a_declined_charge_is_402_and_can_be_found(till):
    id = await till.customer()
    await till.control("settings", recurringOutcome="failed")
    assert await till.refused("payments", a_charge(id)) == (402, "request_failed", None)
    [found] = (await till.get("payments", external_order_num="invoice-7"))["data"]
    assert (found["status"], found["customer"]) == ("failed", id)


async def test_the_next_charges_end_as_ordered_and_then_as_usual(till):
    id = await till.customer()
    outcomes = ["failed", {"outcome": "failed", "code": "card_expired"}, "pending"]
    await till.control("settings", recurringOutcomes=outcomes)
    answers = [await till.call("POST", "payments", json=a_charge(id)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [402, 402, 202, 200]
    assert answers[1].json()["error"]["code"] == "card_expired"
    assert answers[2].json()["status"] == "pending"
    await till.settle(answers[2].json(), "captured")
    statuses = [one["status"] for one in await till.held("payments")]
    assert statuses == ["captured", "captured", "failed", "failed"]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": "999"}, "amount"),
        ({"currency": "XXX"}, "currency"),
        ({"customer": "x"}, "customer"),
        ({"customer": 7}, "customer"),
        ({"capture": "auto"}, "capture"),
        ({"tax": -1}, "tax"),
        ({"payment_details": {"type": "credit_card"}}, "payment_details"),
        ({"metadata": {"k": None}}, "metadata"),
        ({"return_url": "nowhere"}, "return_url"),
        ({"session": "x"}, "session"),
    ],
)
async def test_a_charge_that_cannot_be_is_refused_by_name(till, change, param):
    id = await till.customer()
    refused = await till.refused("payments", a_charge(id, **change))
    assert refused == (422, "unprocessable_entity", param)
    assert await till.held("payments") == []


async def test_somebody_has_to_be_charged(till):
    body = {"amount": 999, "currency": "JPY"}
    assert await till.refused("payments", body) == (422, "missing_parameter", "customer")


async def test_who_is_deleted_is_forgotten_and_not_charged(till):
    id = await till.customer()
    answer = await till.call("DELETE", f"customers/{id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await till.refused(f"customers/{id}", method="GET") == (404, "not_found", None)
    assert await till.refused(f"customers/{id}", method="DELETE") == (404, "not_found", None)
    assert (await till.get("customers"))["data"] == []
    assert (await till.refused("payments", a_charge(id)))[2] == "customer"
    body = a_session(mode="customer", payment_data=None, customer_id=id)
    assert (await till.refused("sessions", body))[2] == "customer_id"
    [held] = await till.held("customers")
    assert (held["deleted"], held["source"]) == (True, None)


async def test_who_is_deleted_meanwhile_is_not_saved_again(till):
    session = await till.session(mode="customer_payment")
    await till.call("DELETE", f"customers/{session['customer_id']}")
    assert (await till.shopper(session, "paid"))["status"] == "completed"
    assert (await till.held("customers"))[0]["source"] is None
