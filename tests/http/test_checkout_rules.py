"""What a checkout may ask for: each rule of the contract's field table, and amounts to the cent."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from tests.http.examples import UNKNOWN
from tests.http.house import House, Json, code, problems

ROW: Final[dict[str, type | tuple[type, ...]]] = {
    "id": int,
    "uuid": str,
    "appUuid": str,
    "paymentProviderUuid": str,
    "sessionId": str,
    "nextActionUrl": str,
    "userUuid": str,
    "tenantUuid": str,
    "createdAt": str,
    "updatedAt": str,
    "deletedAt": type(None),
    "mode": str,
    "status": str,
    "paymentStatus": str,
    "productPriceUuid": str,
    "taxRateUuid": (str, type(None)),
    "quantity": int,
    "currency": str,
    "amountSubtotal": int,
    "amountTax": int,
    "amountTotal": int,
    "clientReferenceId": (str, type(None)),
    "metadata": dict,
    "expiresAt": str,
    "retryUrl": str,
    "attempts": list,
}
SETUP: Final[Json] = {"mode": "setup", "productPriceUuid": ..., "currency": "EUR"}


def moment(text: str) -> datetime:
    """Strictly `2026-01-01T00:00:00.000Z`."""
    assert len(text) == 24
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007


async def price(house: House, **said: Any) -> str:
    body = {"unitAmount": 1000, "currency": "EUR"} | said
    path = f"/products/{house.app.ids['product']}/prices"
    return str((await house.ok(house.app.admin, "POST", path, body))["uuid"])


async def rate(house: House, percentage: float, *, inclusive: bool) -> str:
    body = {
        "name": "VAT",
        "percentage": percentage,
        "inclusive": inclusive,
        "countryCode": "CH",
    }
    return str((await house.ok(house.app.admin, "POST", "/tax-rates", body))["uuid"])


async def test_the_answer_has_the_row_and_where_to_go(house: House):
    answer = await house.buy(taxRateUuid=house.app.ids["exclusive"], clientReferenceId="order 7")
    assert answer.status_code == 200
    envelope = answer.json()
    assert (envelope["kind"], envelope["totalItems"]) == ("checkoutSessions", 1)
    (item,) = envelope["items"]
    assert set(item) == {"createdCheckoutSession", "nextAction", "clientAccessToken"}
    row = item["createdCheckoutSession"]
    assert {name: row[name] for name in ROW if not isinstance(row[name], ROW[name])} == {}
    for name in ("uuid", "appUuid", "paymentProviderUuid", "tenantUuid"):
        assert UUID(row[name]).version == 7, name
    assert item["nextAction"] == {"url": row["nextActionUrl"]}
    assert moment(row["createdAt"]) <= moment(row["updatedAt"])
    assert moment(row["expiresAt"]) - moment(row["createdAt"]) == timedelta(hours=24)
    expected = {
        "appUuid": str(house.app.app_uuid),
        "paymentProviderUuid": house.app.ids["account"],
        "tenantUuid": house.app.ids["tenant"],
        "userUuid": house.app.ids["member"],
        "productPriceUuid": house.app.ids["price"],
        "taxRateUuid": house.app.ids["exclusive"],
        "mode": "payment",
        "status": "open",
        "paymentStatus": "unpaid",
        "quantity": 1,
        "currency": "EUR",
        "paymentMethod": "card",
        "clientReferenceId": "order 7",
        "metadata": {},
        "locale": None,
        "collectTermsOfServiceConsent": False,
        "isTaxIdCollectionEnabled": False,
    }
    assert {name: row[name] for name in expected} == expected
    (attempt,) = row["attempts"]
    assert set(attempt) == {"sessionId", "status", "failureReason", "createdAt"}
    assert attempt["sessionId"] == row["sessionId"] and attempt["status"] == "open"
    assert row["retryUrl"].startswith("https://billing.example/checkout/")


async def test_the_row_is_read_as_it_was_opened(house: House):
    row = await house.bought(metadata={"a": [1, {"b": None}]}, locale="de_DE")
    path = f"/checkout-sessions/{row['uuid']}"
    for who in (house.app.user("member"), house.app.admin, house.app.key("read")):
        assert await house.ok(who, "GET", path) == row
    assert (await house.ask(house.app.admin, "GET", "/checkout-sessions")).json()["items"] == [row]


async def test_every_row_has_a_number_of_its_own(house: House):
    numbers = [(await house.bought(quantity=n))["id"] for n in (1, 2, 3)]
    assert numbers == sorted(set(numbers)) and numbers[0] > 0


async def test_what_was_said_comes_back(house: House):
    said: Json = {
        "termsOfServiceUrl": "https://shop.example/terms",
        "collectTermsOfServiceConsent": True,
        "billingAddressCollection": True,
        "shippingAddressCollection": True,
        "isTaxIdCollectionRequired": True,
        "clientReferenceId": "\u00e4" * 200,
        "locale": "nl_BE",
        "quantity": 10_000,
        "expiresInSeconds": 300,
        "successUrl": "https://shop.example/?s={CHECKOUT_SESSION_UUID}",
    }
    row = await house.bought(**said, productPriceUuid=await price(house, unitAmount=1))
    kept = {name: value for name, value in said.items() if name != "expiresInSeconds"}
    assert {name: row[name] for name in kept} == kept
    assert row["isTaxIdCollectionEnabled"] is True  # required implies enabled
    assert moment(row["expiresAt"]) - moment(row["createdAt"]) == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("unit", "quantity", "percentage", "inclusive", "subtotal", "tax", "total"),
    [
        (4900, 1, None, None, 4900, 0, 4900),
        (999, 1, 19, False, 999, 190, 1189),
        (999, 3, 19, False, 2997, 569, 3566),
        (1190, 1, 19, True, 1000, 190, 1190),
        (999, 1, 21, True, 826, 173, 999),
        (1005, 1, 8.1, False, 1005, 81, 1086),
        (1, 1, 50, False, 1, 1, 2),
        (8, 10_000, 0.001, False, 80_000, 1, 80_001),
        (1000, 2, 0, True, 2000, 0, 2000),
    ],
)
async def test_amounts_are_computed_here(  # noqa: PLR0913
    house: House,
    unit: int,
    quantity: int,
    percentage: float | None,
    inclusive: bool | None,
    subtotal: int,
    tax: int,
    total: int,
):
    said: Json = {"productPriceUuid": await price(house, unitAmount=unit), "quantity": quantity}
    if percentage is not None:
        said["taxRateUuid"] = await rate(house, percentage, inclusive=bool(inclusive))
    row = await house.bought(**said)
    assert [row[f"amount{part}"] for part in ("Subtotal", "Tax", "Total")] == [subtotal, tax, total]


async def test_a_setup_charges_one_whole_unit_or_what_the_account_says(house: House):
    row = await house.bought(**SETUP)
    assert (row["amountTotal"], row["currency"], row["productPriceUuid"]) == (100, "EUR", None)
    yen = await house.bought(**SETUP | {"currency": "JPY"})
    assert (yen["amountTotal"], yen["currency"]) == (1, "JPY")
    path = f"/payment-providers/{house.app.ids['account']}"
    await house.ok(house.app.admin, "PUT", path, {"verificationAmount": 50})
    assert (await house.bought(**SETUP, quantity=2))["amountTotal"] == 50


async def test_a_subscription_takes_a_recurring_price(house: House):
    row = await house.bought(mode="subscription", productPriceUuid=house.app.ids["monthly"])
    assert (row["mode"], row["amountTotal"]) == ("subscription", 999)


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"mode": ...}, {"mode"}),
        ({"productPriceUuid": ...}, {"productPriceUuid"}),
        ({"mode": "subscription", "productPriceUuid": None}, {"productPriceUuid"}),
        (SETUP | {"currency": ...}, {"currency"}),
        (SETUP | {"productPriceUuid": UNKNOWN}, {"productPriceUuid"}),
        (SETUP | {"taxRateUuid": UNKNOWN}, {"taxRateUuid"}),
        (SETUP | {"currency": "XTS"}, {"currency"}),
        ({"tenantUuid": ...}, {"tenantUuid"}),
        ({"successUrl": ..., "cancelUrl": ...}, {"successUrl", "cancelUrl"}),
        ({"quantity": 0}, {"quantity"}),
        ({"quantity": 10_001}, {"quantity"}),
        ({"quantity": 1.5}, {"quantity"}),
        ({"quantity": "1"}, {"quantity"}),
        ({"quantity": True}, {"quantity"}),
        ({"expiresInSeconds": 299}, {"expiresInSeconds"}),
        ({"expiresInSeconds": 86_401}, {"expiresInSeconds"}),
        ({"clientReferenceId": "x" * 201}, {"clientReferenceId"}),
        ({"paymentMethod": "creditcard"}, {"paymentMethod"}),
        ({"collectTermsOfServiceConsent": True}, {"termsOfServiceUrl"}),
        ({"locale": "de"}, {"locale"}),
        ({"locale": "de_DE\n"}, {"locale"}),
        ({"metadata": {str(n): n for n in range(51)}}, {"metadata"}),
        ({"metadata": {"a": "x" * 1024}}, {"metadata"}),
        ({"metadata": {"a": "\u00e4" * 510}}, {"metadata"}),
        ({"metadata": None}, {"metadata"}),
        ({"amountTotal": 1}, {"amountTotal"}),
        ({"unitAmount": 1}, {"unitAmount"}),
        ({"expiresAt": "2026-01-01T00:00:00"}, {"expiresAt"}),
    ],
)
async def test_what_breaks_a_rule_is_refused_by_name(house: House, said: Json, fields: set[str]):
    before = await house.rows()
    answer = await house.buy(**said)
    assert code(answer) == "400 [E4000]", answer.text
    assert problems(answer).keys() == fields
    assert await house.rows() == before


@pytest.mark.parametrize("locale", ["xx_XX", "de_BE", "ja_JP"])
async def test_a_locale_that_the_provider_does_not_have_is_refused_by_name(
    house: House, locale: str
):
    answer = await house.buy(locale=locale)
    assert code(answer) == "400 [E4000]", answer.text
    assert problems(answer).keys() == {"locale"}


async def test_the_price_must_suit_the_mode(house: House):
    monthly, once = house.app.ids["monthly"], house.app.ids["price"]
    for mode, price_uuid in (("payment", monthly), ("subscription", once)):
        answer = await house.buy(mode=mode, productPriceUuid=price_uuid)
        assert code(answer) == "422 [E4220]"
        assert problems(answer).keys() == {"productPriceUuid"}


async def test_the_currency_must_be_the_prices(house: House):
    answer = await house.buy(currency="USD")
    assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {"currency"})
    assert (await house.buy(currency="EUR")).status_code == 200


async def test_nothing_archived_is_sold_or_applied(house: House):
    once, tax = house.app.ids["price"], house.app.ids["exclusive"]
    await house.ok(house.app.admin, "DELETE", f"/tax-rates/{tax}")
    answer = await house.buy(taxRateUuid=tax)
    assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {"taxRateUuid"})
    await house.ok(house.app.admin, "DELETE", f"/prices/{once}")
    answer = await house.buy()
    assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {"productPriceUuid"})


async def test_a_price_of_an_archived_product_is_not_sold(house: House):
    await house.ok(house.app.admin, "DELETE", f"/products/{house.app.ids['product']}")
    assert code(await house.buy()) == "422 [E4220]"


@pytest.mark.parametrize(
    ("field", "name"),
    [("productPriceUuid", "price"), ("taxRateUuid", "exclusive"), ("tenantUuid", "tenant")],
)
async def test_the_other_apps_things_cannot_be_told_from_none(house: House, field: str, name: str):
    before = await house.rows()
    foreign = await house.buy(**{field: house.other.ids[name]})
    unknown = await house.buy(**{field: UNKNOWN})
    assert code(foreign) == "404 [E4040]"
    assert foreign.content == unknown.content
    assert await house.rows() == before


async def test_a_free_price_is_refused(house: House):
    free = await price(house, unitAmount=0)
    assert code(await house.buy(productPriceUuid=free)) == "422 [E4220]"


async def test_a_trial_takes_a_verification_amount_and_not_the_price(house: House):
    monthly = {"recurring": True, "recurringInterval": "month", "trialDays": 7}
    for unit_amount in (9_99, 0):
        trial = await price(house, unitAmount=unit_amount, **monthly)
        row = await house.bought(mode="subscription", productPriceUuid=trial, quantity=3)
        assert (row["amountTotal"], row["amountTax"]) == (100, 0)


@pytest.mark.parametrize("provider", ["komoju", "paypal", "Mollie", "mollie%20"])
async def test_a_provider_that_the_app_has_not_is_not_found(house: House, provider: str):
    path = f"/payment-providers/{provider}/checkout-sessions"
    answer = await house.ask(house.app.user("member"), "POST", path, house.app.order())
    assert code(answer) == "404 [E4040]"


async def test_an_app_without_an_account_cannot_sell(house: House):
    await house.ok(house.app.admin, "DELETE", f"/payment-providers/{house.app.ids['account']}")
    assert code(await house.buy()) == "404 [E4040]"


async def test_a_key_opens_a_session_for_any_tenant(house: House):
    """Nobody in particular: `userUuid` is null."""
    body = house.app.order(tenantUuid=...)
    for tenant in ("tenant", "other_tenant"):
        path = f"/tenants/{house.app.ids[tenant]}/payment-providers/mollie/checkout-sessions"
        answer = await house.ask(house.app.key("write"), "POST", path, body)
        assert answer.status_code == 200, answer.text
        row = answer.json()["items"][0]["createdCheckoutSession"]
        assert (row["tenantUuid"], row["userUuid"]) == (house.app.ids[tenant], None)
    path = f"/tenants/{UNKNOWN}/payment-providers/mollie/checkout-sessions"
    assert code(await house.ask(house.app.key("write"), "POST", path, body)) == "404 [E4040]"
