"""Charges whose fate is settled beforehand, and banks that take their time."""

import pytest

from tests.sandbox.shop import Shop, a_payment


def a_charge(customer, **changes):
    return a_payment(sequenceType="recurring", customerId=customer, redirectUrl=None, **changes)


async def outcomes(shop, customer, charges):
    """What so many charges came to, and why."""
    ids = [(await shop.post("payments", a_charge(customer)))["id"] for _ in range(charges)]
    await shop.advance(seconds=1)
    seen = [await shop.get(f"payments/{id}") for id in ids]
    return [(one["status"], one.get("details", {}).get("failureReason")) for one in seen]


async def test_charges_take_the_outcomes_in_order_and_then_the_usual_one(shop):
    customer, _ = await shop.mandate()
    declined = {"outcome": "failed", "reason": "card_declined"}
    script = ["paid", "failed", declined, "open"]
    said = await shop.control("settings", recurringOutcomes=script)
    assert said["recurringOutcomes"] == script

    assert await outcomes(shop, customer, 5) == [
        ("paid", None),
        ("failed", "insufficient_funds"),
        ("failed", "card_declined"),
        ("open", None),
        ("paid", None),
    ]
    settings = (await shop.http.get("/_control/settings")).json()
    assert settings["recurringOutcomes"] == []


async def test_a_repeated_call_uses_up_no_outcome(shop):
    customer, _ = await shop.mandate()
    await shop.control("settings", recurringOutcomes=["failed", "open"])
    body, key = a_charge(customer), {"Idempotency-Key": "once"}
    first = await shop.post("payments", body, **key)
    assert (await shop.post("payments", body, **key))["id"] == first["id"]
    await shop.refused("payments", a_charge("cst_unknown"))
    settings = (await shop.http.get("/_control/settings")).json()
    assert settings["recurringOutcomes"] == ["open"]


@pytest.mark.parametrize(
    "outcomes", ["paid", ["lost"], [{"outcome": "failed", "because": "x"}], ["paid"] * 1001]
)
async def test_outcomes_that_are_none_are_refused(shop, outcomes):
    answer = await shop.http.post("/_control/settings", json={"recurringOutcomes": outcomes})
    assert answer.status_code == 422


async def test_a_bank_takes_days_over_a_direct_debit(shop, hooks):
    await shop.control("settings", debitDelaySeconds=3 * 86_400)
    customer, _ = await shop.mandate(method="ideal")
    charge = await shop.post("payments", a_charge(customer))
    hooks.ids.clear()
    await shop.advance(days=2)
    assert (await shop.get(f"payments/{charge['id']}"))["status"] == "pending"
    assert hooks.ids == []

    await shop.advance(days=1)
    assert (await shop.get(f"payments/{charge['id']}"))["status"] == "paid"


async def test_a_card_is_charged_at_once_however_slow_the_banks_are(shop):
    await shop.control("settings", debitDelaySeconds=3 * 86_400)
    customer, _ = await shop.mandate()
    assert await outcomes(shop, customer, 1) == [("paid", None)]


@pytest.mark.parametrize(
    ("reason", "code"),
    [("AC04", "AC04"), ("insufficient_funds", "AM04"), ("account_closed", "AC04"), ("x", "MS03")],
)
async def test_a_bank_says_why_it_does_not_pay(shop, reason, code):
    await shop.control("settings", recurringOutcomes=[{"outcome": "failed", "reason": reason}])
    customer, _ = await shop.mandate(method="ideal")
    charge = await shop.post("payments", a_charge(customer))
    await shop.advance(seconds=1)

    details = (await shop.get(f"payments/{charge['id']}"))["details"]
    assert details["bankReasonCode"] == code
    assert details["bankReason"]


async def test_a_bank_says_why_it_takes_money_back(shop):
    customer, mandate = await shop.mandate(method="ideal")
    charge = await shop.post("payments", a_charge(customer))
    await shop.advance(seconds=1)
    made = await shop.control(f"payments/{charge['id']}/chargeback", reason="AC04")
    assert made["reason"] == {"code": "AC04", "description": "The account is closed"}

    (listed,) = (await shop.get("chargebacks"))["_embedded"]["chargebacks"]
    assert listed == made
    path = f"customers/{customer}/mandates/{mandate['id']}"
    assert (await shop.get(path))["status"] == "valid"


async def test_a_key_that_calls_too_fast_is_told_to_wait_and_another_is_not(shop, sandbox):
    # So slow that no test takes long enough to be allowed a second call.
    await shop.control("settings", callsPerSecond=0.01)
    assert (await shop.call("GET", "payments")).status_code == 200
    answer = await shop.call("GET", "payments")
    assert answer.status_code == 429
    assert 90 <= int(answer.headers["Retry-After"]) <= 100
    assert (await shop.http.get("/_control/settings")).status_code == 200

    other = Shop(sandbox, key="test_other")
    async with other.http:
        assert (await other.call("GET", "payments")).status_code == 200
    await shop.control("settings", callsPerSecond=0)
    assert (await shop.call("GET", "payments")).status_code == 200


async def test_a_fault_may_say_when_to_come_again(shop):
    ordered = {"operation": "listPayments", "kind": "status", "status": 429}
    await shop.control("faults", **ordered, retryAfterSeconds=30)
    await shop.control("faults", **ordered)
    answers = [await shop.call("GET", "payments") for _ in range(3)]
    told = [(answer.status_code, answer.headers.get("Retry-After")) for answer in answers]
    assert told == [(429, "30"), (429, None), (200, None)]
