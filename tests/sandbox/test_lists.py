"""Lists: an inclusive cursor, a limit, both directions, and null at the ends."""

import pytest


@pytest.fixture
async def payments(shop):
    return [(await shop.pay(description=str(n)))["id"] for n in range(5)]


def ids(page):
    return [payment["id"] for payment in page["_embedded"]["payments"]]


async def test_the_newest_comes_first_and_both_ends_are_null(shop, payments):
    page = await shop.get("payments")
    assert ids(page) == payments[::-1]
    assert page["count"] == 5
    assert page["_links"]["previous"] is None
    assert page["_links"]["next"] is None


async def test_the_cursor_is_inclusive_and_links_lead_both_ways(shop, payments):
    page = await shop.get(f"payments?limit=2&from={payments[2]}")
    assert ids(page) == [payments[2], payments[1]]

    following = (await shop.http.get(page["_links"]["next"]["href"])).json()
    assert ids(following) == [payments[0]]
    before = (await shop.http.get(page["_links"]["previous"]["href"])).json()
    assert ids(before) == [payments[4], payments[3]]


async def test_the_page_before_a_short_way_down_begins_at_the_top(shop, payments):
    page = await shop.get(f"payments?limit=5&from={payments[1]}")
    assert ids(page) == [payments[1], payments[0]]
    assert page["_links"]["next"] is None
    before = (await shop.http.get(page["_links"]["previous"]["href"])).json()
    assert ids(before) == payments[::-1]


async def test_the_oldest_first_on_request(shop, payments):
    assert ids(await shop.get("payments?sort=asc&limit=2")) == payments[:2]


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=251", "limit"), ("limit=x", "limit"), ("from=tr_0", "from")],
)
async def test_a_bad_page_is_refused(shop, payments, query, field):
    answer = await shop.call("GET", f"payments?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_payments_are_listed_under_their_customer_too(shop):
    customer = await shop.customer()
    body = {
        "amount": {"currency": "EUR", "value": "1.00"},
        "description": "x",
        "redirectUrl": "https://shop.example.org/back",
    }
    made = await shop.post(f"customers/{customer}/payments", body)
    assert made["customerId"] == customer
    assert ids(await shop.get(f"customers/{customer}/payments")) == [made["id"]]


async def test_methods_are_filtered_by_amount_and_sequence(shop):
    def names(page):
        return {method["id"] for method in page["_embedded"]["methods"]}

    recurring = names(await shop.get("methods?sequenceType=recurring"))
    assert recurring == {"creditcard", "directdebit", "paypal"}
    large = names(await shop.get("methods?amount[value]=40000.00&amount[currency]=EUR"))
    assert "ideal" in large
    assert "creditcard" not in large
    assert (await shop.call("GET", "methods/cash")).status_code == 404
    assert (await shop.call("GET", "methods?sequenceType=never")).status_code == 400
