"""Refunds and chargebacks: what goes back, when, and what is left."""

import pytest

from tests.sandbox.shop import eventually


def euros(value):
    return {"amount": {"currency": "EUR", "value": value}}


@pytest.fixture
async def paid(shop):
    payment = await shop.pay(method="creditcard")
    await shop.settle(payment["id"], "paid")
    return f"payments/{payment['id']}"


async def test_a_refund_goes_its_way_on_the_clock_and_only_some_steps_are_told(shop, hooks, paid):
    await eventually(lambda: len(hooks.ids) == 1)
    refund = await shop.post(f"{paid}/refunds", euros("9.00"))
    assert refund["status"] == "pending"
    assert refund["settlementAmount"]["value"] == "-9.00"
    assert refund["description"] == "Kontor Pro"

    await shop.advance(hours=2)
    assert (await shop.get(f"{paid}/refunds/{refund['id']}"))["status"] == "processing"
    await shop.advance(days=1)
    assert (await shop.get(f"{paid}/refunds/{refund['id']}"))["status"] == "refunded"
    await eventually(lambda: len(hooks.ids) == 3)
    assert set(hooks.ids) == {paid.removeprefix("payments/")}
    reasons = [delivery["reason"] for delivery in await shop.held("deliveries")]
    assert reasons == ["refund.refunded", "refund.processing", "paid"]


async def test_the_payment_stays_paid_and_says_what_is_left(shop, paid):
    await shop.post(f"{paid}/refunds", euros("9.00"))
    payment = await shop.get(paid)
    assert payment["status"] == "paid"
    assert payment["amountRefunded"]["value"] == "9.00"
    assert payment["amountRemaining"]["value"] == "40.00"
    assert "refunds" in payment["_links"]
    embedded = await shop.get(f"{paid}?embed=refunds")
    assert [r["amount"]["value"] for r in embedded["_embedded"]["refunds"]] == ["9.00"]


async def test_more_than_is_left_cannot_go_back(shop, paid):
    await shop.post(f"{paid}/refunds", euros("40.00"))
    status, field, detail = await shop.refused(f"{paid}/refunds", euros("9.01"))
    assert (status, field) == (422, "amount.value")
    assert detail == "The specified amount cannot be refunded"
    await shop.post(f"{paid}/refunds", euros("9.00"))


async def test_the_same_amount_twice_within_the_hour_is_a_duplicate(shop, paid):
    await shop.post(f"{paid}/refunds", euros("5.00"))
    status, _, detail = await shop.refused(f"{paid}/refunds", euros("5.00"))
    assert (status, detail) == (409, "A duplicate refund has been detected")
    await shop.advance(hours=1)
    await shop.post(f"{paid}/refunds", euros("5.00"))


async def test_a_refund_can_be_taken_back_until_it_is_executed(shop, paid):
    first = await shop.post(f"{paid}/refunds", euros("5.00"))
    path = f"{paid}/refunds/{first['id']}"
    assert (await shop.call("DELETE", path)).status_code == 204
    assert (await shop.get(path))["status"] == "canceled"
    assert (await shop.get(paid))["amountRemaining"]["value"] == "49.00"

    second = await shop.post(f"{paid}/refunds", euros("5.00"))
    await shop.advance(hours=2)
    answer = await shop.call("DELETE", f"{paid}/refunds/{second['id']}")
    assert answer.status_code == 422


async def test_without_a_balance_refunds_wait(shop, paid):
    await shop.control("settings", balanceShort=True)
    refund = await shop.post(f"{paid}/refunds", euros("5.00"))
    await shop.advance(days=5)
    assert (await shop.get(f"{paid}/refunds/{refund['id']}"))["status"] == "queued"
    await shop.control("settings", balanceShort=False)
    await shop.advance(days=2)
    assert (await shop.get(f"{paid}/refunds/{refund['id']}"))["status"] == "refunded"


async def test_a_failed_refund_gives_the_amount_free_again(shop, paid):
    refund = await shop.post(f"{paid}/refunds", euros("49.00"))
    await shop.control(f"refunds/{refund['id']}/status", status="failed")
    assert (await shop.get(paid))["amountRemaining"]["value"] == "49.00"


async def test_only_what_is_paid_can_be_refunded(shop):
    payment = await shop.pay()
    assert (await shop.refused(f"payments/{payment['id']}/refunds", euros("1.00")))[0] == 422
    assert (await shop.refused("payments/tr_unknown/refunds", euros("1.00")))[0] == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "amount"), (euros("0.00"), "amount"), ({**euros("1.00"), "reason": "x"}, "reason")],
)
async def test_bad_input_is_refused_by_the_name_of_its_field(shop, paid, body, field):
    assert (await shop.refused(f"{paid}/refunds", body))[:2] == (422, field)


async def test_refunds_are_listed_per_payment_and_per_key(shop, paid):
    refund = await shop.post(f"{paid}/refunds", euros("5.00"))
    for path in (f"{paid}/refunds", "refunds"):
        page = await shop.get(path)
        assert [one["id"] for one in page["_embedded"]["refunds"]] == [refund["id"]]


async def test_a_chargeback_leaves_the_status_and_can_be_reversed(shop, hooks, paid):
    id = paid.removeprefix("payments/")
    half = {"currency": "EUR", "value": "20.00"}
    chargeback = await shop.control(f"payments/{id}/chargeback", amount=half, reason="Not mine")
    assert chargeback["reason"]["description"] == "Not mine"
    payment = await shop.get(paid)
    assert payment["status"] == "paid"
    assert payment["amountChargedBack"]["value"] == "20.00"
    assert payment["amountRemaining"]["value"] == "49.00"

    await shop.control(f"payments/{id}/chargeback/reverse")
    assert "amountChargedBack" not in await shop.get(paid)
    listed = (await shop.get(f"{paid}/chargebacks"))["_embedded"]["chargebacks"]
    assert listed[0]["reversedAt"] is not None
    await eventually(lambda: hooks.ids == [id] * 3)


async def test_what_was_charged_back_cannot_be_refunded_too(shop, paid):
    await shop.control(f"{paid}/chargeback")
    assert (await shop.refused(f"{paid}/refunds", euros("1.00")))[0] == 422
