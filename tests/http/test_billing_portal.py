"""The billing portal: whom it lets in, what it shows, and what comes of what is done there."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from app.parts import Parts
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.subscriptions.portal import PASS_LASTS, PortalPass
from tests.http.checkout_page import Shopper, link, words
from tests.http.house import CLOCK, House, Json, code, problems
from tests.http.till import Till

RETURN = {"defaultReturnUrl": "https://shop.example/account"}


async def opened(house: House) -> Shopper:
    """A member of the tenant before its portal."""
    body = {"tenantUuid": house.app.ids["tenant"], **RETURN}
    path = "/payment-providers/mollie/billing-portals"
    item = await house.ok(house.app.user("member"), "POST", path, body)
    return Shopper(house, item["nextAction"]["url"])


async def does(customer: Shopper, subscription: Json, deed: str) -> str:
    """Where that leads to."""
    url = f"{customer.url}/subscriptions/{subscription['uuid']}/{deed}"
    answer = await customer.house.door.post(url)
    assert answer.status_code == 303, words(answer)
    return answer.headers["location"]


async def subscription(till: Till) -> Json:
    (found,) = await till.all(f"/tenants/{till.house.app.ids['tenant']}/subscriptions")
    return found


def a_pass(house: House, parts: Parts, **facts: object) -> str:
    held = {
        "app_uuid": house.app.app_uuid,
        "tenant_uuid": TenantUuid(UUID(house.app.ids["tenant"])),
        "visitor_uuid": UserUuid(UUID(house.app.ids["member"])),
        "is_member": False,
        "return_url": "https://shop.example",
        "expires_at": CLOCK.now() + PASS_LASTS,
    }
    seals = parts.portals().seals
    return seals.seal(PortalPass(**{**held, **facts}), context="billing portal pass")


async def test_it_shows_what_the_tenant_has(till: Till):
    await till.subscribed()
    page = await (await opened(till.house)).opens()
    assert page.status_code == 200
    for text in ("Example", "Acme GmbH", "Pro Plan", "Active", "€11.89", "Renews on", "Paid"):
        assert text in words(page), text
    assert link(page, "Back to the app") == RETURN["defaultReturnUrl"]
    assert "<script" not in page.text


async def test_with_nothing_to_show_it_says_so(house: House):
    assert words(await (await opened(house)).opens()).count("There is nothing here.") == 3


async def test_a_subscription_is_canceled_and_kept_after_all(till: Till):
    await till.subscribed()
    customer, before = await opened(till.house), await subscription(till)
    assert await does(customer, before, "cancel") == customer.url
    canceled = await subscription(till)
    assert (canceled["status"], canceled["cancelReason"]) == ("active", "canceled_in_portal")
    assert canceled["cancelAt"] == before["currentPeriodEnd"]
    assert "Ends on" in words(await customer.opens())
    await does(customer, before, "cancel")  # a second click changes nothing
    assert await subscription(till) == canceled
    await does(customer, before, "uncancel")
    assert (await subscription(till))["cancelAt"] is None
    assert "Renews on" in words(await customer.opens())


async def test_a_new_payment_method_takes_the_place_of_the_old(till: Till):
    await till.subscribed()
    customer, before = await opened(till.house), await subscription(till)
    ours = await does(customer, before, "pay")
    assert ours.startswith("https://billing.example/checkout/")
    shopper = Shopper(till.house, ours)
    page = await shopper.opens()
    assert "Store a payment method" in words(page)
    await shopper.pays()
    ref = await till.house.connection.fetchval(
        "select provider_ref from checkout_sessions where subscription_uuid = $1",
        UUID(before["uuid"]),
    )
    await till.control(f"/payments/{ref}/status", {"status": "paid"})
    assert await shopper.comes_back() == RETURN["defaultReturnUrl"]
    after = await subscription(till)
    assert after["paymentMethodUuid"] != before["paymentMethodUuid"]


async def test_clicking_twice_opens_one_page(till: Till):
    await till.subscribed()
    customer, before = await opened(till.house), await subscription(till)
    assert await does(customer, before, "pay") == await does(customer, before, "pay")


async def test_what_is_open_is_paid_there(subscribed: House, parts: Parts):
    owing = subscribed.app.ids["owing"]
    customer = Shopper(subscribed, (await opened(subscribed)).url)
    assert "is open" in words(await customer.opens())
    ours = await does(customer, {"uuid": owing}, "pay")
    assert "What is open" in words(await Shopper(subscribed, ours).opens())
    assert "/checkout/" in ours


async def test_an_ended_subscription_can_only_be_looked_at(till: Till):
    await till.subscribed()
    customer, before = await opened(till.house), await subscription(till)
    path = f"/subscriptions/{before['uuid']}/cancel"
    await till.house.ok(till.house.app.admin, "POST", path, {"when": "now"})
    page = await customer.opens()
    assert "Canceled" in words(page) and "/cancel" not in page.text
    for deed in ("cancel", "uncancel"):
        assert await does(customer, before, deed) == customer.url
    told = await customer.opens(await does(customer, before, "pay"))
    assert "That did not work" in words(told)
    assert (await subscription(till))["status"] == "canceled"


async def test_a_key_opens_it_for_any_tenant(house: House):
    path = f"/tenants/{house.app.ids['other_tenant']}/payment-providers/mollie/billing-portals"
    item = await house.ok(house.app.key("write"), "POST", path, RETURN)
    page = await Shopper(house, item["nextAction"]["url"]).opens()
    assert "Globex BV" in words(page)


async def test_nobody_opens_a_portal_for_another_tenant(house: House):
    body = {"tenantUuid": house.app.ids["other_tenant"], **RETURN}
    path = "/payment-providers/mollie/billing-portals"
    for who in (house.app.user("member"), house.app.user("guest")):
        assert code(await house.ask(who, "POST", path, body)) == "404 [E4040]"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://shop.example/account", "must be https"),
        ("https://evil.example", "not on the app's list"),
        ("javascript:alert(1)", "must begin with https"),
    ],
)
async def test_customers_are_sent_back_to_the_app_alone(house: House, url: str, why: str):
    await house.connection.execute("update apps set allowed_hosts = '{shop.example}'")
    body = {"tenantUuid": house.app.ids["tenant"], "defaultReturnUrl": url}
    path = "/payment-providers/mollie/billing-portals"
    answer = await house.ask(house.app.user("member"), "POST", path, body)
    assert why in problems(answer)["defaultReturnUrl"]


@pytest.mark.parametrize("provider", ["komoju", "stripe", "x"])
async def test_without_an_account_there_is_no_portal(house: House, provider: str):
    body = {"tenantUuid": house.app.ids["tenant"], **RETURN}
    path = f"/payment-providers/{provider}/billing-portals"
    assert code(await house.ask(house.app.user("member"), "POST", path, body)) == "404 [E4040]"


async def test_a_pass_is_good_for_an_hour_and_for_its_tenant(till: Till, parts: Parts):
    await till.subscribed()
    house, before = till.house, await subscription(till)
    now = CLOCK.now()
    other = TenantUuid(UUID(house.app.ids["other_tenant"]))
    good = a_pass(house, parts)
    bad = {
        "over": a_pass(house, parts, expires_at=now - timedelta(seconds=1)),
        "altered": good[:-6] + ("AAAAAA" if good[-6:] != "AAAAAA" else "BBBBBB"),
        "nonsense": "x" * 200,
        "long": "x" * 9000,
        "an unknown app's": a_pass(house, parts, app_uuid=AppUuid(UUID(int=7))),
        "another app's tenant here": a_pass(
            house, parts, tenant_uuid=TenantUuid(UUID(house.other.ids["tenant"]))
        ),
    }
    rows = await house.rows()
    for name, token in bad.items():
        customer = Shopper(house, f"https://billing.example/portal/{token}")
        assert (await customer.opens()).status_code == 404, name
        for deed in ("cancel", "uncancel", "pay"):
            url = f"{customer.url}/subscriptions/{before['uuid']}/{deed}"
            assert (await house.door.post(url)).status_code == 404, name
    theirs = a_pass(house, parts, tenant_uuid=other)
    neighbour = Shopper(house, f"https://billing.example/portal/{theirs}")
    assert "Pro Plan" not in words(await neighbour.opens())
    for deed in ("cancel", "uncancel", "pay"):
        url = f"{neighbour.url}/subscriptions/{before['uuid']}/{deed}"
        assert (await house.door.post(url)).status_code == 404
    assert await house.rows() == rows


async def test_a_disabled_apps_portal_is_closed_at_once(till: Till):
    await till.subscribed()
    customer, before = await opened(till.house), await subscription(till)
    await till.house.connection.execute("update apps set is_disabled = true")
    assert (await customer.opens()).status_code == 404
    url = f"{customer.url}/subscriptions/{before['uuid']}/cancel"
    assert (await till.house.door.post(url)).status_code == 404


async def test_it_speaks_the_customers_language_and_keeps_it(till: Till):
    await till.subscribed()
    customer, before = await opened(till.house), await subscription(till)
    assert "Abonnement kündigen" in words(await customer.opens(f"{customer.url}?lang=de"))
    url = f"{customer.url}/subscriptions/{before['uuid']}/cancel?lang=de"
    answer = await till.house.door.post(url)
    assert answer.headers["location"] == f"{customer.url}?lang=de"
    assert "Endet am" in words(await customer.opens(answer.headers["location"]))


async def test_what_canceling_means_is_said_as_things_stand(subscribed: House):
    page = words(await (await opened(subscribed)).opens())
    assert "does not renew, and nothing more is charged" in page
    assert "What is open is still collected" in page


async def test_a_removed_member_is_out_at_once(till: Till):
    await till.subscribed()
    house = till.house
    customer, before = await opened(house), await subscription(till)
    tenant, member = house.app.ids["tenant"], house.app.ids["member"]
    await house.ask(house.app.admin, "DELETE", f"/tenants/{tenant}/members/{member}")
    assert (await customer.opens()).status_code == 404
    for deed in ("cancel", "uncancel", "pay"):
        url = f"{customer.url}/subscriptions/{before['uuid']}/{deed}"
        assert (await house.door.post(url)).status_code == 404
    assert (await subscription(till))["cancelAt"] is None


async def test_a_link_is_kept_nowhere_and_each_request_gets_another(house: House):
    body = {"tenantUuid": house.app.ids["tenant"], **RETURN}
    path, member = "/payment-providers/mollie/billing-portals", house.app.user("member")
    before = await house.rows()
    answers = [
        await house.ask(member, "POST", path, body, Idempotency_Key="same") for _ in range(2)
    ]
    assert answers[0].content != answers[1].content
    assert await house.rows() == before


async def test_while_the_provider_is_away_the_customer_is_led_back_to_the_portal(till: Till):
    await till.subscribed()
    customer, before = await opened(till.house), await subscription(till)
    await till.control("/faults", {"operation": "createPayment", "kind": "status", "status": 503})
    url = f"{customer.url}/subscriptions/{before['uuid']}/pay?lang=de"
    answer = await till.house.door.post(url)
    assert answer.status_code == 503
    assert "Einen Moment bitte: wir arbeiten daran" in words(answer)
    again = re.search(r'content="3; url=([^"]+)"', answer.text)
    assert again
    back = await customer.opens(f"https://billing.example{again[1]}")
    assert (back.status_code, "Abrechnung" in words(back)) == (200, True)


@pytest.mark.parametrize("refuses", ["createPayment", "hosts"])
async def test_a_refusal_is_told_in_the_portal(till: Till, refuses: str):
    await till.subscribed()
    customer, before = await opened(till.house), await subscription(till)
    if refuses == "hosts":
        await till.house.connection.execute("update apps set allowed_hosts = '{new.example}'")
    else:
        await till.control("/faults", {"operation": refuses, "kind": "status", "status": 422})
    page = await customer.opens(await does(customer, before, "pay"))
    assert page.status_code == 200
    assert "That did not work just now" in words(page)


async def test_an_expired_link_says_what_to_do(house: House, parts: Parts):
    token = a_pass(house, parts, expires_at=CLOCK.now())
    page = await Shopper(house, f"https://billing.example/portal/{token}").opens()
    assert (page.status_code, "open your billing from there again" in words(page)) == (404, True)
