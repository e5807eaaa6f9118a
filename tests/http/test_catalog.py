"""Products, prices, tax rates, countries: made, changed where that is allowed, never lost."""

import re
from typing import Any, Final
from uuid import UUID

import pytest

from tests.http.examples import UNKNOWN
from tests.http.house import House, Json, code, problems

PRICE: Final = {
    "uuid", "appUuid", "productPriceId", "productUuid", "paymentProviderUuid", "currency",
    "unitAmount", "recurring", "recurringInterval", "recurringIntervalCount", "trialDays",
    "nickname", "lookupKey", "metadata", "createdAt", "updatedAt", "archivedAt",
}  # fmt: skip
PRODUCT: Final = {
    "uuid", "appUuid", "productId", "name", "description", "shippable", "packageDimensionHeight",
    "packageDimensionWidth", "packageDimensionLength", "packageDimensionWeight", "url",
    "metadata", "createdAt", "updatedAt", "archivedAt", "productImages", "productPrices",
}  # fmt: skip
IMAGE: Final = {
    "uuid", "appUuid", "productUuid", "url", "createdAt", "updatedAt",
}  # fmt: skip
RATE: Final = {
    "id", "uuid", "taxRateId", "appUuid", "paymentProviderUuid", "countryUuid", "name",
    "percentage", "inclusive", "state", "jurisdiction", "description", "createdAt", "updatedAt",
    "deletedAt", "country",
}  # fmt: skip
COUNTRY: Final = {
    "id", "uuid", "name", "alpha2", "alpha3", "createdAt", "updatedAt", "deletedAt",
}  # fmt: skip
STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
NEW_RATE: Final[Json] = {"name": "VAT", "inclusive": False, "countryCode": "DE"}


async def made(house: House, path: str, body: Json) -> Json:
    return await house.ok(house.app.admin, "POST", path, body)


async def changed(house: House, path: str, body: Json) -> Json:
    return await house.ok(house.app.admin, "PUT", path, body)


async def read(house: House, path: str) -> Json:
    return await house.ok(house.app.user("guest"), "GET", path)


async def total(house: House, path: str) -> int:
    return int((await house.ask(house.app.admin, "GET", path)).json()["totalItems"])


async def test_a_product_is_made_with_its_prices_and_images_in_one_go(house: House):
    body: Json = {
        "productId": "ext_1",
        "name": "Team Plan",
        "description": "For teams",
        "shippable": True,
        "packageDimensionHeight": 1,
        "packageDimensionWidth": 2,
        "packageDimensionLength": 3,
        "packageDimensionWeight": 4,
        "url": "https://shop.example/team",
        "metadata": {"team": "growth"},
        "prices": [
            {"unitAmount": 100, "currency": "EUR", "nickname": "once"},
            {"unitAmount": 200, "currency": "JPY", "lookupKey": "jp"},
            {
                "unitAmount": 300,
                "currency": "EUR",
                "recurring": True,
                "recurringInterval": "month",
                "recurringIntervalCount": 3,
                "trialDays": 14,
                "productPriceId": "price_1",
                "paymentProviderUuid": house.app.ids["account"],
                "metadata": {"a": 1},
            },
        ],
        "images": [{"url": "https://cdn.example/1.png"}, {"url": "https://cdn.example/2.png"}],
    }
    product = await made(house, "/products", body)
    assert set(product) == PRODUCT
    plain = body.keys() - {"prices", "images"}
    assert {name: product[name] for name in plain} == {name: body[name] for name in plain}
    assert [image["url"] for image in product["productImages"]] == [
        image["url"] for image in body["images"]
    ]
    for image in product["productImages"]:
        assert set(image) == IMAGE and image["productUuid"] == product["uuid"]
    for price, said in zip(product["productPrices"], body["prices"], strict=True):
        assert set(price) == PRICE
        assert {name: price[name] for name in said} == said
        assert price["productUuid"] == product["uuid"]
        assert await read(house, f"/prices/{price['uuid']}") == price
    assert await read(house, f"/products/{product['uuid']}") == product
    assert UUID(product["uuid"]).version == 7
    assert STAMP.fullmatch(product["createdAt"]) and product["archivedAt"] is None


async def test_a_product_with_one_bad_price_is_not_made_at_all(house: House):
    before = await house.rows()
    good = {"unitAmount": 100, "currency": "EUR"}
    for bad in ({"unitAmount": 1}, good | {"paymentProviderUuid": UNKNOWN}):
        body = {"name": "x", "prices": [good, bad]}
        answer = await house.ask(house.app.admin, "POST", "/products", body)
        assert answer.status_code in (400, 422)
        assert await house.rows() == before


async def test_an_update_changes_what_was_sent_and_nothing_else(house: House):
    product = await made(house, "/products", {"name": "A", "description": "d", "url": None})
    path = f"/products/{product['uuid']}"
    after = await changed(house, path, {"name": "B"})
    assert after == product | {"name": "B", "updatedAt": after["updatedAt"]}
    assert (await changed(house, path, {"description": None}))["description"] is None
    assert await changed(house, path, {}) == await read(house, path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("unitAmount", 4901),
        ("unitAmount", 0),
        ("currency", "USD"),
        ("recurring", True),
        ("recurringInterval", "month"),
        ("recurringIntervalCount", 2),
    ],
)
async def test_what_a_price_costs_never_changes(house: House, field: str, value: Any):
    path = f"/prices/{house.app.ids['price']}"
    before = await read(house, path)
    answer = await house.ask(house.app.admin, "PUT", path, {"nickname": "x", field: value})
    assert code(answer) == "422 [E4220]"
    assert problems(answer).keys() == {field}
    assert await read(house, path) == before


@pytest.mark.parametrize(
    ("field", "value"), [("percentage", 19.1), ("inclusive", True), ("countryCode", "NL")]
)
async def test_what_a_tax_rate_takes_never_changes(house: House, field: str, value: Any):
    path = f"/tax-rates/{house.app.ids['exclusive']}"
    before = await read(house, path)
    answer = await house.ask(house.app.admin, "PUT", path, {"name": "x", field: value})
    assert code(answer) == "422 [E4220]"
    assert problems(answer).keys() == {field}
    assert await read(house, path) == before


async def test_the_country_of_a_tax_rate_never_changes(house: House):
    countries = (await house.ask(house.app.admin, "GET", "/countries?limit=100")).json()["items"]
    path = f"/tax-rates/{house.app.ids['exclusive']}"
    other = next(c["uuid"] for c in countries if c["alpha2"] != "DE")
    answer = await house.ask(house.app.admin, "PUT", path, {"countryUuid": other})
    assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {"countryUuid"})


async def test_final_facts_may_be_repeated(house: House):
    for path in (f"/prices/{house.app.ids['price']}", f"/tax-rates/{house.app.ids['exclusive']}"):
        row = await read(house, path)
        names = ("unitAmount", "currency", "recurring", "percentage", "inclusive", "countryUuid")
        facts = {name: row[name] for name in names if name in row}
        assert await changed(house, path, facts) == row


async def test_an_archived_product_stays_readable_with_its_prices_and_leaves_the_lists(
    house: House,
):
    product, price = house.app.ids["product"], house.app.ids["price"]
    archived = await house.ok(house.app.admin, "DELETE", f"/products/{product}")
    assert STAMP.fullmatch(archived["archivedAt"])
    assert (await read(house, f"/products/{product}"))["archivedAt"] == archived["archivedAt"]
    assert (await read(house, f"/prices/{price}"))["archivedAt"] is not None
    assert await total(house, "/products") == 0
    assert await total(house, f"/products/{product}/prices") == 0
    assert await house.ok(house.app.admin, "DELETE", f"/products/{product}") == archived


async def test_an_archived_price_stays_readable_and_leaves_the_lists(house: House):
    product, price = house.app.ids["product"], house.app.ids["price"]
    before = await read(house, f"/prices/{price}")
    archived = await house.ok(house.app.admin, "DELETE", f"/prices/{price}")
    kept = await read(house, f"/prices/{price}")
    changed_names = {"archivedAt", "updatedAt"}
    assert {n: v for n, v in kept.items() if n not in changed_names} == {
        n: v for n, v in before.items() if n not in changed_names
    }
    assert kept == archived
    assert await total(house, f"/products/{product}/prices") == 1
    shown = (await read(house, f"/products/{product}"))["productPrices"]
    assert [row["uuid"] for row in shown] == [house.app.ids["monthly"]]
    assert await house.ok(house.app.admin, "DELETE", f"/prices/{price}") == archived


async def test_an_archived_tax_rate_stays_readable_and_leaves_the_lists(house: House):
    path = f"/tax-rates/{house.app.ids['exclusive']}"
    archived = await house.ok(house.app.admin, "DELETE", path)
    assert STAMP.fullmatch(archived["deletedAt"])
    assert await read(house, path) == archived
    assert await total(house, "/tax-rates") == 1


async def test_nothing_archived_is_changed_or_added_to(house: House):
    await house.ok(house.app.admin, "DELETE", f"/products/{house.app.ids['product']}")
    await house.ok(house.app.admin, "DELETE", f"/tax-rates/{house.app.ids['exclusive']}")
    product, price = f"/products/{house.app.ids['product']}", f"/prices/{house.app.ids['price']}"
    rate = f"/tax-rates/{house.app.ids['exclusive']}"
    new_price = {"unitAmount": 1, "currency": "EUR"}
    for method, path, body in (
        ("PUT", product, {"name": "x"}),
        ("PUT", price, {"nickname": "x"}),
        ("PUT", rate, {"name": "x"}),
        ("POST", f"{product}/prices", new_price),
    ):
        assert code(await house.ask(house.app.admin, method, path, body)) == "409 [E4090]", path


async def test_lists_come_in_pages_that_count_all_matches(house: House):
    names = ["Pro Plan"]
    for number in range(11):
        names.append((await made(house, "/products", {"name": f"P{number}"}))["name"])

    async def page(query: str) -> tuple[int, int, list[str]]:
        found = (await house.ask(house.app.key("read"), "GET", f"/products?{query}")).json()
        shown = [row["name"] for row in found["items"]]
        return found["totalItems"], found["itemsLength"], shown

    newest_first = names[::-1]
    assert await page("") == (12, 10, newest_first[:10])
    assert await page("page=1") == (12, 2, newest_first[10:])
    assert await page("limit=5&page=2") == (12, 2, newest_first[10:])
    assert await page("limit=100") == (12, 12, newest_first)


async def test_two_apps_never_see_each_others_catalog(house: House):
    assert await total(house, "/products") == 1
    path = house.other.path("/products")
    await house.door.post(path, json={"name": "Theirs"}, headers=dict(house.other.admin))
    assert await total(house, "/products") == 1


async def test_a_lookup_key_finds_one_active_price(house: House):
    path = f"/products/{house.app.ids['product']}/prices"
    body = {"unitAmount": 1, "currency": "EUR", "lookupKey": "pro"}
    first = await made(house, path, body)
    assert code(await house.ask(house.app.admin, "POST", path, body)) == "409 [E4090]"
    await house.ok(house.app.admin, "DELETE", f"/prices/{first['uuid']}")
    assert (await made(house, path, body))["lookupKey"] == "pro"


@pytest.mark.parametrize("digits", ["8.1", "19", "19.25", "0.0001", "0", "100", "99.9999", "8.0"])
async def test_a_percentage_is_a_number_with_the_digits_that_were_sent(house: House, digits: str):
    body = b'{"name":"VAT","inclusive":false,"countryCode":"DE","percentage":%s}' % digits.encode()
    headers = {**house.app.admin, "Content-Type": "application/json"}
    answer = await house.door.post(house.app.path("/tax-rates"), content=body, headers=headers)
    assert answer.status_code == 201, answer.text
    digits = digits.removesuffix(".0")
    assert f'"percentage":{digits},'.encode() in answer.content
    uuid = answer.json()["items"][0]["uuid"]
    for path in (f"/tax-rates/{uuid}", "/tax-rates"):
        found = await house.ask(house.app.admin, "GET", path)
        assert f'"percentage":{digits},'.encode() in found.content


@pytest.mark.parametrize("percentage", [8.12345, 1e-5, -0.1, 100.0001, "19", True, None, [19]])
async def test_what_is_no_percentage_is_refused(house: House, percentage: Any):
    body = NEW_RATE | {"percentage": percentage}
    answer = await house.ask(house.app.admin, "POST", "/tax-rates", body)
    assert (code(answer), problems(answer).keys()) == ("400 [E4000]", {"percentage"})


async def test_a_tax_rate_has_the_row_of_the_contract(house: House):
    body = NEW_RATE | {
        "percentage": 19,
        "taxRateId": "txr_1",
        "state": "BE",
        "jurisdiction": "Berlin",
        "description": "German VAT",
    }
    row = await made(house, "/tax-rates", body)
    assert set(row) == RATE and set(row["country"]) == COUNTRY
    assert row["country"]["alpha2"] == "DE" and row["countryUuid"] == row["country"]["uuid"]
    kept = body.keys() - {"countryCode"}
    assert {name: row[name] for name in kept} == {name: body[name] for name in kept}


async def test_countries_are_the_same_for_all_and_complete(house: House):
    found: list[Json] = []
    for page in range(3):
        answer = await house.ask(
            house.app.user("guest"), "GET", f"/countries?limit=100&page={page}"
        )
        found += answer.json()["items"]
    assert answer.json()["totalItems"] == len(found) == 249
    assert all(set(country) == COUNTRY for country in found)
    assert [c["alpha2"] for c in found] == sorted({c["alpha2"] for c in found})
    germany = next(country for country in found if country["alpha2"] == "DE")
    assert (germany["alpha3"], germany["name"]) == ("DEU", "Germany")
    by_uuid = {"name": "VAT", "inclusive": True, "percentage": 1, "countryUuid": germany["uuid"]}
    assert (await made(house, "/tax-rates", by_uuid))["country"] == germany


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"countryCode": "XX"}, "countryCode"),
        ({"countryCode": ..., "countryUuid": UNKNOWN}, "countryUuid"),
        ({"paymentProviderUuid": UNKNOWN}, "paymentProviderUuid"),
    ],
)
async def test_what_a_tax_rate_refers_to_must_be_there(house: House, said: Json, field: str):
    body = {n: v for n, v in (NEW_RATE | {"percentage": 1} | said).items() if v is not ...}
    answer = await house.ask(house.app.admin, "POST", "/tax-rates", body)
    assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {field})


async def test_the_other_apps_account_cannot_be_referred_to(house: House):
    body = {
        "unitAmount": 1,
        "currency": "EUR",
        "paymentProviderUuid": house.other.ids["account"],
    }
    path = f"/products/{house.app.ids['product']}/prices"
    foreign = await house.ask(house.app.admin, "POST", path, body)
    unknown = await house.ask(
        house.app.admin, "POST", path, body | {"paymentProviderUuid": UNKNOWN}
    )
    assert (code(foreign), foreign.content) == ("422 [E4220]", unknown.content)
