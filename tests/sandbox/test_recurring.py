"""First payments, the mandates they leave, and charges on them."""

import pytest

from tests.sandbox.shop import a_payment, eventually


def a_charge(customer, **changes):
    return a_payment(sequenceType="recurring", customerId=customer, redirectUrl=None, **changes)


async def test_a_first_payment_has_its_mandate_only_once_it_is_paid(shop):
    customer = await shop.customer()
    first = await shop.pay(sequenceType="first", customerId=customer, method="creditcard")
    assert "mandateId" not in first
    assert "mandate" not in first["_links"]

    paid = await shop.settle(first["id"], "paid")
    mandate = await shop.get(f"customers/{customer}/mandates/{paid['mandateId']}")
    assert (mandate["status"], mandate["method"]) == ("valid", "creditcard")
    links = (await shop.get(f"customers/{customer}"))["_links"]
    assert {"payments", "mandates"} <= links.keys()


@pytest.mark.parametrize(
    ("method", "mandate"), [("ideal", "directdebit"), ("paypal", "paypal"), ("eps", "directdebit")]
)
async def test_the_method_of_the_first_payment_decides_the_mandate(shop, method, mandate):
    assert (await shop.mandate(method=method))[1]["method"] == mandate


async def test_a_mandate_may_take_days(shop):
    await shop.control("settings", mandateDelaySeconds=3 * 86_400)
    customer, mandate = await shop.mandate()
    assert mandate["status"] == "pending"
    status, _, detail = await shop.refused("payments", a_charge(customer))
    assert (status, detail) == (422, "No suitable mandates found for customer")

    await shop.advance(days=3)
    charge = await shop.post("payments", a_charge(customer))
    assert charge["mandateId"] == mandate["id"]


async def test_a_charge_has_no_page_and_comes_to_its_outcome_by_itself(shop, hooks):
    customer, _ = await shop.mandate()
    hooks.ids.clear()
    charge = await shop.post("payments", a_charge(customer))
    assert charge["status"] == "open"
    assert charge["redirectUrl"] is None
    assert "checkout" not in charge["_links"]
    assert "changePaymentState" in charge["_links"]

    await eventually(lambda: charge["id"] in hooks.ids)
    assert (await shop.get(f"payments/{charge['id']}"))["status"] == "paid"


async def test_a_charge_can_fail_for_a_reason(shop):
    customer, _ = await shop.mandate()
    reason = "card_expired"
    await shop.control("settings", recurringOutcome="failed", recurringFailureReason=reason)
    charge = await shop.post("payments", a_charge(customer))
    await shop.advance(seconds=1)
    failed = await shop.get(f"payments/{charge['id']}")
    assert (failed["status"], failed["details"]["failureReason"]) == ("failed", reason)


async def test_an_undecided_charge_waits_for_the_control_plane(shop):
    customer, _ = await shop.mandate(method="ideal")
    await shop.control("settings", recurringOutcome="open")
    charge = await shop.post("payments", a_charge(customer))
    assert charge["status"] == "pending"
    assert charge["isCancelable"] is True
    assert charge["details"]["consumerAccount"]
    await shop.advance(days=30)
    assert (await shop.get(f"payments/{charge['id']}"))["status"] == "pending"

    reason = "insufficient_funds"
    failed = await shop.settle(charge["id"], "failed", failureReason=reason)
    assert failed["details"]["bankReasonCode"] == "AM04"


async def test_a_revoked_mandate_is_gone_and_cannot_be_charged(shop):
    customer, mandate = await shop.mandate()
    path = f"customers/{customer}/mandates/{mandate['id']}"
    assert (await shop.call("DELETE", path)).status_code == 204
    assert (await shop.call("GET", path)).status_code == 410
    body = a_charge(customer, mandateId=mandate["id"])
    assert (await shop.refused("payments", body))[::2] == (
        410,
        "The mandate is no longer available",
    )
    assert (await shop.refused("payments", a_charge(customer)))[0] == 422


async def test_a_charge_by_a_method_without_a_mandate_is_refused(shop):
    customer, _ = await shop.mandate()
    status, _, detail = await shop.refused("payments", a_charge(customer, method="directdebit"))
    assert (status, detail) == (422, "No suitable mandates found for method")


async def test_an_invalid_mandate_can_become_valid_again(shop):
    customer, mandate = await shop.mandate()
    await shop.control(f"mandates/{mandate['id']}/status", status="invalid")
    assert (await shop.refused("payments", a_charge(customer)))[0] == 422
    await shop.control(f"mandates/{mandate['id']}/status", status="valid")
    await shop.post("payments", a_charge(customer))


async def test_a_direct_debit_mandate_can_be_made_from_an_account(shop):
    customer = await shop.customer()
    body = {"method": "directdebit", "consumerName": "Ada", "consumerAccount": "NL55INGB0000000000"}
    mandate = await shop.post(f"customers/{customer}/mandates", body)
    assert mandate["status"] == "valid"
    card = {"method": "creditcard", "consumerName": "Ada"}
    assert (await shop.refused(f"customers/{customer}/mandates", card))[:2] == (422, "method")


async def test_a_chargeback_ends_a_card_mandate(shop):
    customer, mandate = await shop.mandate()
    charge = await shop.post("payments", a_charge(customer))
    await shop.advance(seconds=1)
    await shop.control(f"payments/{charge['id']}/chargeback")
    again = await shop.get(f"customers/{customer}/mandates/{mandate['id']}")
    assert again["status"] == "invalid"


async def test_a_deleted_customer_takes_everything_along(shop):
    customer, mandate = await shop.mandate()
    assert (await shop.call("DELETE", f"customers/{customer}")).status_code == 204
    assert (await shop.call("GET", f"customers/{customer}")).status_code == 410
    path = f"customers/{customer}/mandates/{mandate['id']}"
    assert (await shop.call("GET", path)).status_code == 410
    assert (await shop.refused("payments", a_charge(customer)))[0] == 410
    assert (await shop.get("customers"))["count"] == 0


async def test_a_customer_is_changed_field_by_field(shop):
    customer = await shop.customer()
    answer = await shop.call("PATCH", f"customers/{customer}", json={"locale": "de_DE"})
    assert answer.json()["locale"] == "de_DE"
    assert answer.json()["name"] == "Ada"
    assert (await shop.refused(f"customers/{customer}", {"id": "cst_2"}, "PATCH"))[1] == "id"
