"""What a tenant was billed and has paid, as one list: what is in it, and how it reads."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from tests.http.house import Headers, House, Json, code
from tests.http.komoju import Shop, shop
from tests.http.street import Street
from tests.http.test_collecting import linked, owing
from tests.http.test_subscription_changes import accepted, priced, quoted
from tests.http.till import Till

__all__ = ["shop"]

OF_MONEY: Final = ("amountSubtotal", "amountTax", "amountTotal")


def invoices(house: House, provider: str = "mollie", tenant: str = "tenant") -> str:
    return f"/tenants/{house.app.ids[tenant]}/payment-providers/{provider}/invoices"


async def page(house: House, query: str = "", who: Headers | None = None, **where: str) -> Json:
    answer = await house.ask(who or house.app.key("read"), "GET", invoices(house, **where) + query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    assert (found["kind"], found["itemsLength"]) == ("invoices", len(found["items"]))
    return found


async def listed(house: House, **where: str) -> list[Json]:
    """The newest first."""
    found = await page(house, "?limit=100", **where)
    assert found["totalItems"] == len(found["items"])
    items: list[Json] = found["items"]
    return items


def money(invoice: Json) -> tuple[Any, ...]:
    return tuple(invoice[name] for name in OF_MONEY)


def back(invoice: Json) -> tuple[Any, ...]:
    return tuple(invoice[name] for name in ("status", "amountRefunded", "amountChargedBack"))


@pytest.mark.parametrize(
    ("rate", "amounts"),
    [(..., (98_00, 0, 98_00)), ("exclusive", (98_00, 18_62, 116_62)),
     ("inclusive", (80_99, 17_01, 98_00))],
)  # fmt: skip
async def test_what_was_bought_once_is_in_it_once(till: Till, rate: Any, amounts: Any):
    ids = till.house.app.ids
    rate_uuid = ids.get(rate) if rate is not ... else None
    payment = await till.sold(quantity=2, taxRateUuid=rate_uuid)
    for _ in range(2):
        await till.told(payment)
    (invoice,) = await listed(till.house)
    (bought,) = await till.all(f"/tenants/{ids['tenant']}/one-time-payments")
    assert money(invoice) == amounts
    assert {name: value for name, value in invoice.items() if name not in OF_MONEY} == {
        "uuid": bought["uuid"],
        "type": "oneTimePayment",
        "status": "paid",
        "tenantUuid": ids["tenant"],
        "paymentProviderUuid": ids["account"],
        "productUuid": ids["product"],
        "productPriceUuid": ids["price"],
        "taxRateUuid": rate_uuid,
        "invoiceId": None,
        "invoiceUrl": None,
        "paymentId": payment["paymentId"],
        "paymentUrl": f"https://my.mollie.com/dashboard/payments/{payment['paymentId']}",
        "subscriptionId": None,
        "paidFrom": None,
        "paidUntil": None,
        "units": 2,
        "isPromotion": False,
        "currency": "EUR",
        "amountRefunded": 0,
        "amountChargedBack": 0,
        "createdAt": bought["createdAt"],
        "updatedAt": bought["updatedAt"],
    }


async def test_yen_are_whole_and_each_provider_has_its_own_list(shop: Shop):
    row = await shop.bought(taxRateUuid=shop.house.app.ids["inclusive"])
    await shop.shopper(row)
    await shop.tell_all()
    (invoice,) = await listed(shop.house, provider="komoju")
    assert (invoice["currency"], money(invoice)) == ("JPY", (4050, 850, 4900))
    assert (invoice["paymentId"], invoice["paymentUrl"]) == (row["sessionId"], None)
    assert invoice["paymentProviderUuid"] == shop.account["uuid"]
    assert await listed(shop.house) == []


async def test_a_subscriptions_bills_are_in_it_with_the_periods_that_they_are_for(street: Street):
    ids = street.house.app.ids
    row = await street.subscribed(taxRateUuid=ids["exclusive"], quantity=2)
    await street.days_pass()
    charge = await street.bank_says("paid")
    renewal, first = await listed(street.house)
    bills, periods = await street.of(row, "bills"), await street.of(row, "periods")
    for invoice, bill, period in zip((renewal, first), bills, periods, strict=True):
        assert (invoice["uuid"], invoice["type"]) == (bill["uuid"], "subscription")
        assert (invoice["subscriptionId"], invoice["units"]) == (row["uuid"], 2)
        assert (invoice["productPriceUuid"], invoice["taxRateUuid"]) == (
            ids["monthly"],
            ids["exclusive"],
        )
        assert money(invoice) == (1998, 380, 2378)
        assert back(invoice) == ("paid", 0, 0)
        assert invoice["createdAt"] == bill["createdAt"]
        assert bill["paymentUuid"] == period["paymentUuid"]
    assert renewal["paymentId"] == charge["paymentId"] != first["paymentId"]
    now = await street.now(row)
    assert (renewal["paidFrom"], renewal["paidUntil"]) == (
        now["currentPeriodStart"],
        now["currentPeriodEnd"],
    )


async def test_a_bill_names_the_price_that_it_was_for_whatever_the_subscription_costs_since(
    street: Street,
):
    cheap, ids = await street.subscribed(), street.house.app.ids
    dear = await priced(street, 49_00)
    quote = await quoted(street, cheap, productPriceUuid=dear, quantity=3, mode="next_period")
    await accepted(street, cheap, quote)
    await street.days_pass()
    await street.bank_says("paid")
    renewal, first = await listed(street.house)
    assert (renewal["productPriceUuid"], renewal["units"]) == (dear, 3)
    assert (first["productPriceUuid"], first["units"]) == (ids["monthly"], 1)
    assert renewal["productUuid"] == first["productUuid"] == ids["product"]


async def test_a_change_is_in_it_with_what_it_sells_for_the_rest_of_the_period(street: Street):
    row = await street.subscribed()
    dear = await priced(street, 49_00)
    quote = await quoted(street, row, productPriceUuid=dear, quantity=2)
    await accepted(street, row, quote)
    assert len(await listed(street.house)) == 1  # it is not paid yet
    charge = await street.bank_says("paid")
    change, _ = await listed(street.house)
    assert (change["uuid"], change["paymentId"]) == (quote["uuid"], charge["paymentId"])
    assert (change["productPriceUuid"], change["units"]) == (dear, 2)
    assert change["amountTotal"] == 98_00 - 9_99
    assert (change["paidFrom"], change["paidUntil"]) == (
        quote["lines"][-1]["startsAt"],
        row["currentPeriodEnd"],
    )


async def test_what_credit_has_paid_is_in_it_without_a_payment(street: Street):
    row = await street.subscribed()
    cheap = await priced(street, 1_00)
    await accepted(street, row, await quoted(street, row, productPriceUuid=cheap))
    await street.days_pass()
    renewal, change, _ = await listed(street.house)
    for invoice, total in ((renewal, 1_00), (change, 0)):
        assert (invoice["productPriceUuid"], invoice["amountTotal"]) == (cheap, total)
        assert (invoice["paymentId"], invoice["paymentUrl"]) == (None, None)
        assert back(invoice) == ("paid", 0, 0)


async def test_what_nobody_has_paid_is_not_in_it(street: Street):
    house = street.house
    await house.bought()
    await street.stores_a_card()
    trial = await priced(street, 999, trialDays=14)
    assert (await street.subscribed(productPriceUuid=trial))["status"] == "trialing"
    assert await listed(house) == []
    row = await street.subscribed()
    await street.days_pass()
    await street.bank_says("failed")
    assert [bill["status"] for bill in await street.of(row, "bills")] == ["open", "paid"]
    assert row["uuid"] in [invoice["subscriptionId"] for invoice in await listed(house)]
    assert len(await listed(house)) == 1


async def test_what_was_given_back_says_so(till: Till):
    payment = await till.sold()
    part = await till.send(await till.refunded(payment, "a", amount=1))
    await till.refund_becomes(payment, part["refundId"], "refunded")
    (invoice,) = await listed(till.house)
    assert back(invoice) == ("partially_refunded", 1, 0)
    rest = await till.send(await till.refunded(payment, "b"))
    await till.refund_becomes(payment, rest["refundId"], "refunded")
    (invoice,) = await listed(till.house)
    assert back(invoice) == ("refunded", 58_31, 0)
    assert invoice["amountTotal"] == 58_31


async def test_what_a_bank_took_back_says_so_and_what_is_owed_again_stays(till: Till):
    payment = await till.subscribed()
    await till.charged_back(payment)
    (invoice,) = await listed(till.house)
    assert back(invoice) == ("charged_back", 0, 11_89)
    await till.given_again(payment)
    (invoice,) = await listed(till.house)
    assert back(invoice) == ("paid", 0, 0)


async def test_what_is_owed_again_stays_in_its_place_until_it_is_paid_again(street: Street):
    house = street.house
    await house.ok(house.app.admin, "PUT", "/billing-policy", {"chargebackAction": "recollect"})
    row = await street.subscribed()
    (before,) = await listed(house)
    till = Till(house, street.sandbox, street.parts)
    await till.charged_back(await till.payment_with(before["paymentId"]))
    (owed,) = await listed(house)
    assert (owed["uuid"], back(owed)) == (before["uuid"], ("open", 0, 9_99))
    session = (await linked(street, row))["createdCheckoutSession"]
    await street.pays(session)
    (again,) = await listed(house)
    assert (again["uuid"], back(again)) == (before["uuid"], ("paid", 0, 0))
    assert again["paymentId"] == session["sessionId"] != before["paymentId"]


async def test_a_payment_for_several_bills_gives_back_to_each_its_share(street: Street):
    house = street.house
    await house.ok(house.app.admin, "PUT", "/billing-policy", {"minimumCharge": 15_00})
    await street.subscribed()
    await street.days_pass()
    assert len(await listed(house)) == 1  # too little to be charged by itself
    await street.days_pass()
    charge = await street.bank_says("paid")
    assert charge["amount"] == 2 * 9_99
    till = Till(house, street.sandbox, street.parts)
    payment = await till.payment_with(charge["paymentId"])
    refund = await till.send(await till.refunded(payment, "a", amount=10_00))
    await till.refund_becomes(payment, refund["refundId"], "refunded")
    newest, second, first = await listed(house)
    assert newest["paymentId"] == second["paymentId"] == charge["paymentId"]
    for invoice in (newest, second):
        assert back(invoice) == ("partially_refunded", 5_00, 0)
    assert back(first) == ("paid", 0, 0)


async def test_what_was_too_much_of_a_payment_was_never_part_of_an_invoice(street: Street):
    house = street.house
    await house.ok(house.app.admin, "PUT", "/billing-policy", {"minimumCharge": 15_00})
    row = await street.subscribed()
    await street.days_pass()
    link = (await linked(street, row))["createdCheckoutSession"]
    await street.days_pass()
    await street.pays(link)  # for the second period, while both are being charged
    charge = await street.bank_says("paid")
    assert charge["amount"] == 2 * 9_99
    till = Till(house, street.sandbox, street.parts)
    payment = await till.payment_with(charge["paymentId"])
    (surplus,) = await till.all(f"/payments/{payment['uuid']}/refunds")
    assert (surplus["reason"], surplus["amount"]) == ("surplus", 9_99)
    paid_with = [charge["paymentId"], link["sessionId"]]
    sent = await till.send(surplus)
    for status in ("pending", "refunded"):
        await till.refund_becomes(payment, sent["refundId"], status)
        third, second, _ = await listed(house)
        assert [third["paymentId"], second["paymentId"]] == paid_with
        assert back(third) == back(second) == ("paid", 0, 0)
    assert (await till.payment_with(charge["paymentId"]))["amountRefunded"] == 9_99
    wanted = await till.send(await till.refunded(payment, "a", amount=9_98))
    await till.refund_becomes(payment, wanted["refundId"], "refunded")
    third, second, _ = await listed(house)
    assert (back(third), back(second)) == (
        ("partially_refunded", 9_98, 0),
        ("paid", 0, 0),
    )


async def test_what_a_tenant_got_back_is_told_while_what_was_too_much_is_on_its_way(
    street: Street,
):
    house = street.house
    await house.ok(house.app.admin, "PUT", "/billing-policy", {"minimumCharge": 15_00})
    row = await street.subscribed()
    await street.days_pass()
    link = (await linked(street, row))["createdCheckoutSession"]
    await street.days_pass()
    await street.pays(link)  # for the second period, while both are being charged
    charge = await street.bank_says("paid")
    till = Till(house, street.sandbox, street.parts)
    payment = await till.payment_with(charge["paymentId"])
    (surplus,) = await till.all(f"/payments/{payment['uuid']}/refunds")
    wanted = await till.send(await till.refunded(payment, "a", amount=9_98))
    await till.refund_becomes(payment, wanted["refundId"], "refunded")
    third, *_ = await listed(house)
    assert back(third) == ("partially_refunded", 9_98, 0)
    await till.send(surplus)  # accepted, and its webhook is still to come
    third, *_ = await listed(house)
    assert back(third) == ("partially_refunded", 9_98, 0)


async def test_what_went_back_of_several_bills_adds_up_to_the_cent(street: Street):
    house = street.house
    await house.ok(house.app.admin, "PUT", "/billing-policy", {"minimumCharge": 15_00})
    await street.subscribed()
    await street.days_pass()
    await street.days_pass()
    charge = await street.bank_says("paid")
    till = Till(house, street.sandbox, street.parts)
    payment = await till.payment_with(charge["paymentId"])
    refund = await till.send(await till.refunded(payment, "a", amount=1))
    await till.refund_becomes(payment, refund["refundId"], "refunded")
    newest, second, _ = await listed(house)
    assert (back(newest), back(second)) == (("paid", 0, 0), ("partially_refunded", 1, 0))


async def test_a_bill_that_is_paid_late_takes_the_place_of_its_day(street: Street):
    row = await owing(street)
    await street.pays(await street.house.bought())
    before = [invoice["type"] for invoice in await listed(street.house)]
    assert before == ["oneTimePayment", "subscription"]
    await street.pays((await linked(street, row))["createdCheckoutSession"])
    bought, late, first = await listed(street.house)
    assert bought["type"] == "oneTimePayment"
    bills = await street.of(row, "bills")
    assert [late["uuid"], first["uuid"]] == [bill["uuid"] for bill in bills]


@pytest.fixture
async def five(till: Till) -> AsyncIterator[list[str]]:
    """A subscription's first bill among four things bought, the newest first."""
    for count in (1, 2):
        await till.sold(quantity=count)
    await till.subscribed()
    for count in (3, 4):
        await till.sold(quantity=count)
    yield [invoice["uuid"] for invoice in await listed(till.house)]


async def test_the_two_kinds_are_one_list_in_pages(till: Till, five: list[str]):
    assert len(set(five)) == 5
    types = [invoice["type"] for invoice in await listed(till.house)]
    assert types == ["oneTimePayment"] * 2 + ["subscription"] + ["oneTimePayment"] * 2
    for number, expected in enumerate((five[:2], five[2:4], five[4:], [])):
        found = await page(till.house, f"?limit=2&page={number}")
        assert found["totalItems"] == 5
        assert [invoice["uuid"] for invoice in found["items"]] == expected


async def test_after_is_stable_while_others_arrive(till: Till, five: list[str]):
    seen: list[str] = [i["uuid"] for i in (await page(till.house, "?limit=2"))["items"]]
    for count in (5, 6):
        await till.sold(quantity=count)
        rest = await page(till.house, f"?limit=2&after={seen[-1]}")
        seen += [invoice["uuid"] for invoice in rest["items"]]
    assert seen == five
    assert (await page(till.house, f"?after={five[-1]}"))["items"] == []
    assert (await listed(till.house))[2]["uuid"] == five[0]


async def test_everybody_sees_what_is_theirs_and_nothing_else(till: Till, five: list[str]):
    house, neighbour = till.house, till.house.app.user("neighbour")
    other_tenant = house.app.ids["other_tenant"]
    theirs = await house.bought(neighbour, tenantUuid=other_tenant)
    await till.control(f"/payments/{theirs['sessionId']}/status", {"status": "paid"})
    await till.told({**theirs, "paymentId": theirs["sessionId"]})
    for who in (house.app.user("member"), house.app.user("owner"), house.app.admin):
        found = await page(house, "?limit=100", who=who)
        assert [invoice["uuid"] for invoice in found["items"]] == five
        assert found["totalItems"] == 5
    (invoice,) = (await page(house, who=neighbour, tenant="other_tenant"))["items"]
    assert (invoice["tenantUuid"], invoice["paymentId"]) == (other_tenant, theirs["sessionId"])
    assert await listed(house, provider="komoju") == []
    assert code(await house.ask(neighbour, "GET", invoices(house))) == "404 [E4040]"
    unknown = await house.ask(house.app.admin, "GET", invoices(house, provider="stripe"))
    assert code(unknown) == "404 [E4040]"
    key = house.other.key("read")
    path = house.other.path(invoices(house))
    foreign = await house.door.get(path, headers=dict(key))
    assert code(foreign) == "404 [E4040]"
    next_door = house.other.path(
        f"/tenants/{house.other.ids['tenant']}/payment-providers/mollie/invoices"
    )
    assert (await house.door.get(next_door, headers=dict(key))).json()["items"] == []


@pytest.mark.parametrize("query", ["page=-1", "limit=0", "limit=101", "after=yesterday"])
async def test_a_page_that_cannot_be_is_named(house: House, query: str):
    answer = await house.ask(house.app.key("read"), "GET", f"{invoices(house)}?{query}")
    assert code(answer) == "400 [E4000]"
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]
