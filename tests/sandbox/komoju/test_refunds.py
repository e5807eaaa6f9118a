"""Money that goes back: whole, in parts, never more than came, and sometimes unasked."""

import pytest


async def refund(till, payment, **body):
    return await till.post(f"payments/{payment['id']}/refund", body)


async def test_without_an_amount_everything_goes_back(till):
    payment = await till.paid()
    shown = await refund(till, payment)
    assert (shown["status"], shown["amount_refunded"]) == ("refunded", 4900)
    [one] = shown["refunds"]
    expected = {
        "resource": "refund",
        "amount": 4900,
        "currency": "JPY",
        "payment": payment["id"],
        "description": None,
        "chargeback": False,
    }
    assert one.items() >= expected.items()
    assert "status" not in one


async def test_in_parts_the_payment_stays_captured_until_the_last_one(till):
    payment = await till.paid()
    shown = await refund(till, payment, amount=1000, description="One chair")
    assert (shown["status"], shown["amount_refunded"]) == ("captured", 1000)
    shown = await refund(till, payment, amount=1000)
    assert [one["description"] for one in shown["refunds"]] == ["One chair", None]
    shown = await refund(till, payment)
    assert (shown["status"], shown["refunds"][-1]["amount"]) == ("refunded", 2900)


@pytest.mark.parametrize("amount", [4901, 0, -1, "1000", 10.5, True])
async def test_an_amount_that_cannot_be_is_refused(till, amount):
    payment = await till.paid()
    refused = await till.refused(f"payments/{payment['id']}/refund", {"amount": amount})
    assert refused == (422, "unprocessable_entity", "amount")
    assert await till.held("refunds") == []


async def test_no_more_than_is_left_goes_back(till):
    payment = await till.paid()
    await refund(till, payment, amount=4000)
    path = f"payments/{payment['id']}/refund"
    assert (await till.refused(path, {"amount": 901}))[2] == "amount"
    await refund(till, payment, amount=900)
    assert await till.refused(path) == (422, "unprocessable_entity", None)
    assert sum(one["amount"] for one in await till.held("refunds")) == 4900


@pytest.mark.parametrize("method", ["konbini", "bank_transfer", "pay_easy"])
async def test_cash_does_not_go_back_through_the_api(till, method):
    payment = await till.paid(method=method)
    path = f"payments/{payment['id']}/refund"
    assert (await till.refused(path))[0] == 422
    await till.settle(payment, "captured")
    assert (await till.refused(path))[0] == 422


async def test_what_was_not_taken_does_not_go_back(till):
    held = await till.paid(payment_data={"capture": "manual"})
    assert (await till.refused(f"payments/{held['id']}/refund"))[0] == 422
    assert (await till.refused("payments/x/refund")) == (404, "not_found", None)
    nothing = await till.paid(amount=0)
    assert (await till.refused(f"payments/{nothing['id']}/refund"))[0] == 422


async def test_the_fee_of_the_method_is_kept(till):
    await till.control("settings", paymentMethodFees={"paypay": 100})
    payment = await till.paid(method="paypay")
    assert payment["total"] == 5000
    assert (await till.refused(f"payments/{payment['id']}/refund", {"amount": 4901}))[0] == 422
    shown = await refund(till, payment)
    assert (shown["status"], shown["amount_refunded"]) == ("refunded", 4900)


async def test_tax_goes_back_with_the_amount(till):
    charge = await till.charge(await till.customer(), amount=1000, tax=100)
    assert (charge["amount"], charge["tax"], charge["total"]) == (1000, 100, 1100)
    assert (await refund(till, charge))["amount_refunded"] == 1100


async def test_a_refund_is_in_the_currency_that_was_paid(till):
    await till.control("settings", dccCurrency="JPY", dccRate="156.25")
    payment = await till.paid(amount=4900, currency="EUR")
    [one] = (await refund(till, payment))["refunds"]
    assert (one["amount"], one["currency"]) == (7656, "JPY")


async def test_a_chargeback_is_a_refund_that_nobody_asked_for(till):
    payment = await till.paid()
    await refund(till, payment, amount=900)
    shown = await till.control(f"payments/{payment['id']}/chargeback", amount=1000)
    assert shown["status"] == "captured"
    assert [one["chargeback"] for one in shown["refunds"]] == [False, True]
    shown = await till.control(f"payments/{payment['id']}/chargeback")
    assert (shown["status"], shown["amount_refunded"]) == ("refunded", 4900)
    assert (await till.refused(f"payments/{payment['id']}/refund"))[0] == 422


async def test_a_chargeback_takes_only_what_is_there(till):
    payment = await till.paid()
    path = f"/komoju/_control/payments/{payment['id']}/chargeback"
    assert (await till.http.post(path, json={"amount": 4901})).status_code == 409
    assert (await till.http.post(path, json={"amount": 0})).status_code == 422
    voucher = await till.paid(method="konbini")
    path = f"/komoju/_control/payments/{voucher['id']}/chargeback"
    assert (await till.http.post(path, json={})).status_code == 409
