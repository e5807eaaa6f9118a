"""Every parameter of a payment: taken where it is right, refused by its name where it is not."""

import pytest

from tests.sandbox.shop import a_payment
from tests.sandbox.test_captures import KLARNA, euros

ADDRESS = KLARNA["billingAddress"]
LINE = KLARNA["lines"][0]


SAID = {
    "cancelUrl": "https://shop.example.org/cancel",
    "lines": [
        {
            **LINE,
            "type": "digital",
            "quantityUnit": "pcs",
            "sku": "PRO-1",
            "categories": ["eco", "gift"],
            "imageUrl": "https://shop.example.org/pro.png",
            "productUrl": "https://shop.example.org/pro",
            "recurring": {
                "interval": "1 month",
                "description": "Pro",
                "amount": euros("9.00"),
                "times": 12,
                "startDate": "2031-01-01",
            },
        }
    ],
    "billingAddress": ADDRESS,
    "shippingAddress": {"email": "ada@example.org", "phone": "+31208202070"},
    "locale": "nl_NL",
    "method": ["ideal", "kbc"],
    "issuer": "kbc",
    "restrictPaymentMethodsToCountry": "NL",
    "metadata": ["any", {"thing": 1}],
    "captureMode": "automatic",
    "sequenceType": "oneoff",
    "company": {"registrationNumber": "1", "vatNumber": "2", "entityType": "3"},
    "consumerDateOfBirth": "1990-12-31",
    "extraMerchantData": {"a": {"b": 1}},
    "digitalGoods": True,
    "customerReference": "ref",
    "terminalId": "term_1",
    "sessionId": "paypal",
    "voucherNumber": "1",
    "voucherPin": "2",
    "applePayPaymentToken": "{}",
    "googlePayPaymentToken": "{}",
    "cardToken": "tkn_1",
    "storeCredentials": False,
}


async def test_everything_that_can_be_said_of_a_payment_is_taken(shop):
    said = {**SAID, "customerId": await shop.customer()}
    payment = await shop.pay(**said)
    echoed = (
        "cancelUrl lines billingAddress shippingAddress locale restrictPaymentMethodsToCountry "
        "metadata captureMode sequenceType customerId"
    )
    for name in echoed.split():
        assert payment[name] == said[name], name


async def test_what_is_null_was_not_said(shop):
    nulls = (
        "cancelUrl webhookUrl lines billingAddress shippingAddress locale method issuer metadata "
        "restrictPaymentMethodsToCountry captureMode captureDelay applicationFee routing "
        "sequenceType mandateId customerId dueDate"
    )
    payment = await shop.pay(**dict.fromkeys(nulls.split()))
    assert (payment["status"], payment["sequenceType"]) == ("open", "oneoff")


REFUSALS = [
    ({"method": []}, "method"),
    ({"method": ["ideal", "cash"]}, "method"),
    ({"issuer": 7}, "issuer"),
    ({"mandateId": 7}, "mandateId"),
    ({"restrictPaymentMethodsToCountry": "nl"}, "restrictPaymentMethodsToCountry"),
    ({"restrictPaymentMethodsToCountry": "XX"}, "restrictPaymentMethodsToCountry"),
    ({"billingAddress": "Amsterdam"}, "billingAddress"),
    ({"billingAddress": {}}, "billingAddress"),
    ({"billingAddress": {"city": "Amsterdam", "country": "NL"}}, "billingAddress"),
    ({"shippingAddress": {**ADDRESS, "planet": "Earth"}}, "shippingAddress.planet"),
    ({"shippingAddress": {**ADDRESS, "email": "ada"}}, "shippingAddress.email"),
    ({"shippingAddress": {**ADDRESS, "email": "a@müller.de"}}, "shippingAddress.email"),
    ({"billingAddress": {**ADDRESS, "phone": "020 820 20 70"}}, "billingAddress.phone"),
    ({"billingAddress": {**ADDRESS, "country": "Holland"}}, "billingAddress.country"),
    ({"billingAddress": {**ADDRESS, "givenName": "7"}}, "billingAddress.givenName"),
    ({"billingAddress": {**ADDRESS, "city": 7}}, "billingAddress.city"),
    ({**KLARNA, "lines": None}, "lines"),
    ({**KLARNA, "billingAddress": None}, "billingAddress"),
    ({**KLARNA, "billingAddress": {"email": "a@example.org"}}, "billingAddress.givenName"),
    ({**KLARNA, "method": "billie"}, "billingAddress.organizationName"),
    ({"method": "voucher"}, "lines"),
    ({"method": "alma"}, "billingAddress"),
    ({"company": {"name": "x"}}, "company.name"),
    ({"company": {"vatNumber": 1}}, "company.vatNumber"),
    ({"consumerDateOfBirth": "31-12-1990"}, "consumerDateOfBirth"),
    ({"extraMerchantData": "x"}, "extraMerchantData"),
    ({"digitalGoods": "yes"}, "digitalGoods"),
    ({"storeCredentials": True, "cardToken": "tkn_1", "method": "creditcard"}, "customerId"),
    ({"lines": [{**LINE, "categories": ["drinks"]}]}, "lines.0.categories"),
    ({"lines": [{**LINE, "imageUrl": "pro.png"}]}, "lines.0.imageUrl"),
    ({"lines": [{**LINE, "quantityUnit": 1}]}, "lines.0.quantityUnit"),
    ({"lines": [{**LINE, "type": "tip"}]}, "lines.0.type"),
    ({"lines": [{**LINE, "recurring": {}}]}, "lines.0.recurring.interval"),
    (
        {"lines": [{**LINE, "recurring": {"interval": "1 month", "times": 0}}]},
        "lines.0.recurring.times",
    ),
    ({"applicationFee": {"amount": euros("1.00"), "description": "Fee"}}, "applicationFee"),
]


@pytest.mark.parametrize(("change", "field"), REFUSALS)
async def test_what_is_wrong_is_refused_by_its_name(shop, change, field):
    assert (await shop.refused("payments", a_payment(**change)))[:2] == (422, field)


async def test_a_bank_transfer_waits_until_the_business_day_after_its_due_date(shop):
    await shop.control("clock", now="2030-03-01T12:00:00+00:00")  # a Friday
    payment = await shop.pay(method="banktransfer", dueDate="2030-03-09")
    assert payment["dueDate"] == "2030-03-11"  # not the Saturday
    assert payment["expiresAt"] == "2030-03-12T00:00:00+00:00"
    path = f"payments/{payment['id']}"
    answer = await shop.call("PATCH", path, json={"dueDate": "2030-03-15"})
    assert answer.json()["expiresAt"] == "2030-03-18T00:00:00+00:00"


@pytest.mark.parametrize("due", ["2030-03-01", "2030-06-11", "soon"])
async def test_a_due_date_is_tomorrow_at_the_earliest_and_not_far_off(shop, due):
    await shop.control("clock", now="2030-03-01T12:00:00+00:00")
    body = a_payment(method="banktransfer", dueDate=due)
    assert (await shop.refused("payments", body))[:2] == (422, "dueDate")


async def test_a_country_leaves_its_own_methods_and_cards(shop):
    payment = await shop.pay(restrictPaymentMethodsToCountry="BE")
    html = (await shop.http.get(payment["_links"]["checkout"]["href"])).text
    for offered in ("bancontact", "kbc", "creditcard"):
        assert f'value="{offered}"' in html
    assert 'value="ideal"' not in html


def a_part(value="9.00", **changes):
    where = {"type": "organization", "organizationId": "org_1"}
    return {"amount": euros(value), "destination": where, **changes}


async def test_a_payment_is_split_between_organisations(shop):
    payment = await shop.pay(routing=[a_part(), a_part("40.00", releaseDate="2031-01-01")])
    first, second = payment["routing"]
    assert first["resource"] == "route"
    assert first["destination"]["organizationId"] == "org_1"
    assert first["_links"]["payment"]["href"].endswith(payment["id"])
    assert second["releaseDate"] == "2031-01-01"
    path = f"payments/{payment['id']}/routes"
    assert (await shop.get(path))["_embedded"]["routes"] == [first, second]
    assert await shop.get(f"{path}/{second['id']}") == second
    assert (await shop.call("GET", f"{path}/rt_0")).status_code == 404


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([], "routing"),
        ([a_part("49.01")], "routing"),
        ([a_part(), a_part("40.01")], "routing"),
        ([a_part("0.00")], "routing.0.amount"),
        ([a_part(destination=None)], "routing.0.destination"),
        ([a_part(destination={"type": "person"})], "routing.0.destination.type"),
        ([a_part(extra=1)], "routing.0.extra"),
    ],
)
async def test_a_split_that_does_not_add_up_is_refused(shop, parts, field):
    assert (await shop.refused("payments", a_payment(routing=parts)))[:2] == (422, field)


async def test_an_update_is_held_to_the_same_rules(shop):
    path = f"payments/{(await shop.pay())['id']}"
    for change, field in (
        ({"billingAddress": {"city": "Amsterdam"}}, "billingAddress"),
        ({"restrictPaymentMethodsToCountry": "XX"}, "restrictPaymentMethodsToCountry"),
        ({"issuer": 1}, "issuer"),
        ({"captureMode": "manual"}, "captureMode"),
    ):
        assert (await shop.refused(path, change, "PATCH"))[:2] == (422, field)
    changed = await shop.call("PATCH", path, json={"billingAddress": ADDRESS})
    assert changed.json()["billingAddress"] == ADDRESS


async def test_a_stored_card_is_the_shoppers_to_use_and_not_the_shops_to_charge(shop):
    customer = await shop.customer()
    stored = {"storeCredentials": True, "cardToken": "tkn_1", "method": "creditcard"}
    payment = await shop.pay(customerId=customer, **stored)
    await shop.settle(payment["id"], "paid")
    path = f"customers/{customer}/mandates"
    (mandate,) = (await shop.get(f"{path}?scopes=customer-present"))["_embedded"]["mandates"]
    assert mandate["scopes"] == ["customer-present"]
    assert (await shop.get(f"{path}?scopes=customer-not-present"))["count"] == 0

    charge = {"sequenceType": "recurring", "customerId": customer}
    assert (await shop.refused("payments", a_payment(**charge)))[1] == "customerId"
    charge["mandateId"] = mandate["id"]
    assert (await shop.refused("payments", a_payment(**charge)))[1] == "mandateId"
    subscription = {"amount": euros("9.00"), "interval": "1 month", "description": "Pro"}
    assert (await shop.refused(f"customers/{customer}/subscriptions", subscription))[0] == 422
