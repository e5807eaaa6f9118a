"""Payments of an app's own amounts: asked for whole, refused by field, followed to the end."""

from typing import Any

import pytest

from tests.http.house import Json, code, problems
from tests.http.till import ASKED, Till

LINES = [
    {
        "description": "Oak table",
        "quantity": 2,
        "unitPrice": 60_50,
        "totalAmount": 121_00,
        "vatRate": "21.00",
        "vatAmount": 21_00,
    },
    {
        "type": "discount",
        "description": "Old friend",
        "quantity": 1,
        "unitPrice": -21_00,
        "totalAmount": -21_00,
        "vatRate": "0.00",
        "vatAmount": 0,
    },
]
ADDRESS = {
    "givenName": "Anna",
    "familyName": "Jansen",
    "email": "anna@example.com",
    "streetAndNumber": "Lange Poten 1",
    "postalCode": "2511 CL",
    "city": "The Hague",
    "country": "NL",
}
EVERYTHING: Json = {
    **ASKED,
    "cancelUrl": "https://shop.example/sorry",
    "lines": LINES,
    "billingAddress": {**ADDRESS, "phone": "+31612345678"},
    "shippingAddress": ADDRESS,
    "locale": "nl_NL",
    "method": ["creditcard", "banktransfer"],
    "issuer": "ideal_INGBNL2A",
    "restrictPaymentMethodsToCountry": "NL",
    "metadata": {"order": 10045},
    "captureMode": "automatic",
    "captureDelay": "2 days",
    "dueDate": None,
    "routing": [
        {"amount": 10_00, "destination": {"organizationId": "org_12345"}},
    ],
    "sequenceType": "oneoff",
    "consumerDateOfBirth": "1990-02-28",
    "company": {"vatNumber": "NL815839091B01"},
    "digitalGoods": False,
}


async def at_mollie(till: Till, payment: Json) -> Json:
    secret = till.house.app.secrets["mollie"]
    answer = await till.sandbox.get(
        f"/v2/payments/{payment['paymentId']}", headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def ask(till: Till, body: Json, **headers: str) -> Any:
    path = f"/tenants/{till.house.app.ids['tenant']}/payment-providers/mollie/payments"
    return await till.house.ask(till.house.app.key("write"), "POST", path, body, **headers)


async def test_mollie_is_told_everything_that_the_app_said(till: Till):
    payment = await till.asked(**EVERYTHING)
    assert payment["status"] == "open"
    assert payment["nextAction"]["url"].startswith("http")
    assert (payment["amount"], payment["currency"]) == (100_00, "EUR")
    told = await at_mollie(till, payment)
    assert told["amount"] == {"currency": "EUR", "value": "100.00"}
    assert [line["totalAmount"]["value"] for line in told["lines"]] == ["121.00", "-21.00"]
    assert told["billingAddress"] == {**ADDRESS, "phone": "+31612345678"}
    assert told["shippingAddress"] == ADDRESS
    assert told["restrictPaymentMethodsToCountry"] == "NL"
    assert told["captureDelay"] == "2 days"
    assert told["routing"][0]["amount"]["value"] == "10.00"
    assert told["metadata"]["data"] == {"order": 10045}
    assert told["customerId"].startswith("cst_")


async def test_a_paid_one_is_a_sale_with_the_tax_of_its_lines(till: Till):
    payment = await till.asked(lines=LINES)
    after = await till.becomes(payment, "paid")
    assert (after["status"], after["amount"], after["amountCaptured"]) == ("paid", 100_00, None)
    assert await till.books() == {"cash": 100_00, "revenue": -79_00, "tax": -21_00}
    session = await till.get(f"/checkout-sessions/{payment['checkoutSessionUuid']}")
    assert (session["mode"], session["status"], session["paymentStatus"]) == (
        "direct",
        "complete",
        "paid",
    )


@pytest.mark.parametrize(
    ("status", "session_status"),
    [("failed", "failed"), ("canceled", "expired"), ("expired", "expired")],
)
async def test_one_that_came_to_nothing_is_over_and_never_tried_again(
    till: Till, status: str, session_status: str
):
    payment = await till.asked()
    after = await till.becomes(payment, status)
    assert after["status"] == status
    session = await till.get(f"/checkout-sessions/{payment['checkoutSessionUuid']}")
    assert session["status"] == session_status
    again = await till.house.door.get(session["retryUrl"])
    assert again.status_code == 303
    assert again.headers["location"] in (ASKED["redirectUrl"], session["cancelUrl"])
    assert len(await till.statuses("payments")) == 1
    assert await till.books() == {}


async def test_who_failed_goes_where_who_paid_goes_and_who_canceled_elsewhere(till: Till):
    for status, place in (("paid", "thanks"), ("failed", "thanks"), ("canceled", "sorry")):
        cancel = "https://shop.example/sorry"
        payment = await till.asked(cancelUrl=cancel, description=status)
        told = await at_mollie(till, payment)
        await till.control(f"/payments/{payment['paymentId']}/status", {"status": status})
        back = await till.house.door.get(told["redirectUrl"])
        assert back.headers["location"] == f"https://shop.example/{place}"


async def test_a_first_one_leaves_a_mandate_and_a_recurring_one_charges_it(till: Till):
    first = await till.becomes(await till.asked(sequenceType="first"), "paid")
    assert first["sequenceType"] == "first"
    (method,) = await till.all(f"/tenants/{till.house.app.ids['tenant']}/payment-methods")
    body = {
        "description": "Order 2",
        "currency": "EUR",
        "amount": 5_00,
        "sequenceType": "recurring",
        "mandateId": method["paymentMethodId"],
    }
    answer = await ask(till, body, Idempotency_Key="charge-1")
    charged = answer.json()["items"][0]
    assert answer.status_code == 201, answer.text
    assert charged["nextAction"]["url"] is None
    again = await ask(till, body, Idempotency_Key="charge-1")
    assert again.content == answer.content
    after = await till.becomes(charged, "paid") if charged["status"] != "paid" else charged
    assert after["status"] == "paid"
    assert (await till.books())["cash"] == 105_00


async def test_a_mandate_that_is_not_the_tenants_charges_nothing_and_keeps_the_customer(till: Till):
    await till.becomes(await till.asked(sequenceType="first"), "paid")
    customers = "select provider_ref from customers order by uuid"
    before = await till.house.connection.fetch(customers)
    body = {
        "description": "Order 2",
        "currency": "EUR",
        "amount": 5_00,
        "sequenceType": "recurring",
        "mandateId": "mdt_somebodyelse",
    }
    answer = await ask(till, body, Idempotency_Key="charge-1")
    assert code(answer) == "422 [E4220]"
    assert await till.house.connection.fetch(customers) == before
    assert (await till.books())["cash"] == 100_00


async def test_nobody_is_charged_twice_without_a_key(till: Till):
    body = {**ASKED, "sequenceType": "recurring", "redirectUrl": None}
    before = await till.house.rows()
    answer = await ask(till, body)
    assert code(answer) == "400 [E4000]"
    assert problems(answer).keys() == {"Idempotency-Key"}
    assert await till.house.rows() == before


async def test_a_payment_of_nothing_stores_a_card(till: Till):
    payment = await till.asked(amount=0, sequenceType="first")
    after = await till.becomes(payment, "paid")
    assert (after["status"], after["amount"]) == ("paid", 0)
    assert await till.books() == {}
    (method,) = await till.all(f"/tenants/{till.house.app.ids['tenant']}/payment-methods")
    assert method["status"] == "valid"


async def test_yen_have_no_cents(till: Till):
    payment = await till.asked(currency="JPY", amount=1500, method="creditcard")
    assert (await at_mollie(till, payment))["amount"] == {"currency": "JPY", "value": "1500"}


WRONG: list[tuple[str, Json, set[str]]] = [
    ("no URL to come back to", {"redirectUrl": None}, {"redirectUrl"}),
    ("a URL for nobody", {"sequenceType": "recurring"}, {"redirectUrl"}),
    ("a mandate for a shopper", {"sequenceType": "first", "mandateId": "mdt_1"}, {"mandateId"}),
    ("webhooks are ours", {"webhookUrl": "https://shop.example"}, {"webhookUrl"}),
    ("so is the mode", {"testmode": True, "profileId": "pfl_1"}, {"testmode", "profileId"}),
    ("and the customer", {"customerId": "cst_1"}, {"customerId"}),
    ("no method of that name", {"method": "barter"}, {"method"}),
    ("an empty choice", {"method": []}, {"method"}),
    ("a decimal amount", {"amount": "100.00"}, {"amount"}),
    ("nothing, once", {"amount": 0}, {"amount"}),
    (
        "lines that are not the amount",
        {"lines": [{**LINES[0], "totalAmount": 121_00}]},
        {"amount"},
    ),
    (
        "a line that does not add up",
        {"amount": 1, "lines": [{**LINES[0], "totalAmount": 1, "vatAmount": 0}]},
        {"lines[0].totalAmount"},
    ),
    (
        "VAT a cent off",
        {"amount": 121_00, "lines": [{**LINES[0], "vatAmount": 20_99}]},
        {"lines[0].vatAmount"},
    ),
    (
        "all mistakes of an address",
        {"billingAddress": {"country": "Netherlands", "phone": "06"}},
        {"billingAddress.country", "billingAddress.phone"},
    ),
    ("an address of nowhere", {"billingAddress": {"city": "Delft"}}, {"billingAddress"}),
    (
        "no such country",
        {"restrictPaymentMethodsToCountry": "XX"},
        {"restrictPaymentMethodsToCountry"},
    ),
    ("who pays later is known", {"method": "klarna"}, {"lines", "billingAddress"}),
    ("a delay and a hand", {"captureMode": "manual", "captureDelay": "2 days"}, {"captureDelay"}),
    ("more than a week", {"captureDelay": "8 days"}, {"captureDelay"}),
    (
        "a transfer is never held",
        {"method": "banktransfer", "captureMode": "manual"},
        {"captureMode"},
    ),
    ("due in the past", {"method": "banktransfer", "dueDate": "2020-01-01"}, {"dueDate"}),
    (
        "more routed than paid",
        {"routing": [{"amount": 100_01, "destination": {"organizationId": "org_1"}}]},
        {"routing"},
    ),
    (
        "a fee above the maximum",
        {"applicationFee": {"amount": 93_66, "description": "Fee"}},
        {"applicationFee.amount", "applicationFee"},  # the account is connected by its key, too
    ),
    ("a card to store, and none", {"storeCredentials": True}, {"cardToken"}),
]


@pytest.mark.parametrize(("what", "said", "fields"), WRONG, ids=[what for what, _, _ in WRONG])
async def test_what_mollie_would_refuse_is_refused_by_name_and_changes_nothing(
    till: Till, what: str, said: Json, fields: set[str]
):
    before = await till.house.rows()
    answer = await ask(till, ASKED | said)
    assert code(answer) == "400 [E4000]", what
    assert problems(answer).keys() == fields
    assert await till.house.rows() == before


async def test_what_only_mollie_knows_is_its_refusal_and_kept_under_the_key(till: Till):
    body = {**ASKED, "amount": 5_000_00}  # above the card's limit at this account
    answer = await ask(till, body, Idempotency_Key="k")
    assert code(answer) == "422 [E4220]"
    assert "higher than the maximum" in answer.text
    again = await ask(till, body, Idempotency_Key="k")
    assert (again.status_code, again.content) == (422, answer.content)
    assert await till.statuses("payments") == []


async def test_when_the_answer_is_lost_the_same_key_finds_the_same_payment(till: Till):
    await till.asked(description="makes the customer")
    await till.control("/faults", {"operation": "createPayment", "kind": "truncatedJson"})
    body = {**ASKED, "description": "Order 7"}
    lost = await ask(till, body, Idempotency_Key="k")
    assert lost.status_code in (502, 503)
    found = await ask(till, body, Idempotency_Key="k")
    assert found.status_code == 201, found.text
    again = await ask(till, body, Idempotency_Key="k")
    assert again.content == found.content
    assert await till.statuses("payments") == ["open", "open"]


async def test_paid_after_its_session_was_ended_it_is_told_as_surplus_under_the_same_key(
    till: Till,
):
    await till.asked(description="makes the customer")
    await till.control("/faults", {"operation": "createPayment", "kind": "truncatedJson"})
    body = {**ASKED, "description": "Order 7"}
    await ask(till, body, Idempotency_Key="k")
    row = await till.house.connection.fetchrow(
        "select uuid, payment_provider_uuid from checkout_sessions order by uuid desc limit 1"
    )
    admin = till.house.app.admin
    await till.house.ok(admin, "POST", f"/checkout-sessions/{row['uuid']}/expire")
    ref = (await till.sandbox.get("/_control/payments")).json()["items"][0]["id"]
    await till.control(f"/payments/{ref}/status", {"status": "paid"})
    account = str(row["payment_provider_uuid"])
    await till.told({"paymentProviderUuid": account, "paymentId": ref})
    answer = await ask(till, body, Idempotency_Key="k")
    assert answer.status_code == 201, answer.text
    assert answer.json()["items"][0]["isSurplus"] is True


async def test_a_charge_that_is_not_in_mollies_list_yet_is_not_taken_for_lost(till: Till):
    await till.becomes(await till.asked(sequenceType="first"), "paid")
    body = {"description": "2", "currency": "EUR", "amount": 5_00, "sequenceType": "recurring"}
    await till.control("/faults", {"operation": "createPayment", "kind": "connectionReset"})
    assert (await ask(till, body, Idempotency_Key="charge")).status_code == 503
    await till.house.connection.execute(
        "update payment_attempts set first_submitted_at = now() - interval '51 min',"
        " lease_until = now() - interval '1 s' where status = 'submitting'"
    )
    uuid = await till.house.connection.fetchval(
        "select uuid from payment_attempts where status = 'submitting'"
    )
    await till.parts.recover()(till.house.app.app_uuid, uuid)
    assert (await ask(till, body, Idempotency_Key="charge")).status_code == 503


async def test_a_cards_token_is_forgotten_once_mollie_has_it(till: Till):
    await till.asked(cardToken="tkn_SECRET1", consumerDateOfBirth="1990-02-28")
    for table in ("checkout_sessions", "payment_attempts", "idempotency_keys"):
        rows = await till.house.connection.fetch(f"select t::text from {table} t")
        assert not [row for row in rows if "SECRET1" in row[0] or "1990-02-28" in row[0]]
        # The request is bytes, which are shown in hex.
        assert not [row for row in rows if b"SECRET1".hex() in row[0]]


async def test_it_is_paid_at_the_account_that_the_app_names(till: Till):
    admin = till.house.app.admin
    body = {"name": "mollie", "credential": "test_another000000000000000000001"}
    other = (await till.house.ok(admin, "POST", "/payment-providers", body))["uuid"]
    payment = await till.asked(paymentProviderUuid=other)
    assert payment["paymentProviderUuid"] == other
    answer = await ask(till, {**ASKED, "paymentProviderUuid": till.house.other.ids["account"]})
    assert code(answer) == "404 [E4040]"


async def test_komoju_has_no_such_payments(till: Till):
    path = f"/tenants/{till.house.app.ids['tenant']}/payment-providers/komoju/payments"
    answer = await till.house.ask(till.house.app.key("write"), "POST", path, ASKED)
    assert code(answer) == "404 [E4040]"
