"""Our page between a session and the provider: what it asks, and what it costs then."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from app.pages.details_form import TAX_ID_EXAMPLES
from tests.http.checkout_page import (
    ASKED,
    JANE,
    NL_BUSINESS,
    Shopper,
    asked,
    inputs,
    link,
    session,
    words,
)
from tests.http.house import CLOCK, House, Json, problems
from tests.http.till import Till


async def provider_payment(till: Till, ref: str) -> Json:
    """What was asked of the provider for it."""
    key = {"Authorization": f"Bearer {till.house.app.secrets['mollie']}"}
    found: Json = (await till.sandbox.get(f"/v2/payments/{ref}", headers=key)).json()
    return found


async def test_a_session_that_asks_nobody_for_anything_leads_to_the_provider(house: House):
    row = await house.bought()
    assert row["sessionId"].startswith("tr_")
    assert "/checkout/select" in row["nextActionUrl"]


async def test_a_session_that_asks_leads_to_our_page_and_asks_no_money_yet(till: Till):
    before = (await till.sandbox.get("/_control/payments")).json()["items"]
    row, shopper = await asked(till.house)
    assert (row["sessionId"], row["attempts"], row["collected"]) == (None, [], None)
    assert (row["status"], row["paymentStatus"]) == ("open", "unpaid")
    assert row["nextActionUrl"].startswith("https://billing.example/checkout/")
    assert (await till.sandbox.get("/_control/payments")).json()["items"] == before
    page = words(await shopper.opens())
    for text in ("Example", "Pro Plan", "€49.00", "VAT 19 %", "€9.31", "€58.31", "Billing address"):
        assert text in page, text


async def test_its_retry_link_leads_to_the_page_until_everything_is_told(house: House):
    row, shopper = await asked(house)
    assert await shopper.pays() == row["nextActionUrl"]
    await shopper.goes_on(JANE)
    assert "/checkout/select" in await shopper.pays()


async def test_what_is_told_is_on_the_session_and_at_the_provider(till: Till):
    row, shopper = await asked(till.house, quantity=2)
    review = await shopper.goes_on({**JANE, "billing.line2": "3 hoog"})
    assert "Jane Smith Damrak 1 3 hoog 1012 LG Amsterdam Netherlands" in words(review)
    await shopper.pays()
    after = await session(till.house, row)
    address = {
        "givenName": "Jane",
        "familyName": "Smith",
        "organizationName": None,
        "line1": "Damrak 1",
        "line2": "3 hoog",
        "postalCode": "1012 LG",
        "city": "Amsterdam",
        "state": None,
        "country": "NL",
    }
    told = after["collected"]
    assert (told["billingAddress"], told["shippingAddress"]) == (address, address)
    assert (told["taxId"], told["isReverseCharged"]) == (None, False)
    assert (told["consent"]["url"], told["consent"]["locale"]) == (ASKED["termsOfServiceUrl"], "en")
    assert told["consent"]["ip"] == "127.0.0.1"
    payment = await provider_payment(till, after["sessionId"])
    assert payment["amount"] == {"currency": "EUR", "value": "116.62"}
    assert payment["billingAddress"]["streetAndNumber"] == "Damrak 1"
    assert payment["shippingAddress"]["postalCode"] == "1012 LG"
    (line,) = payment["lines"]
    assert (line["totalAmount"]["value"], line["vatRate"], line["vatAmount"]["value"]) == (
        "116.62",
        "19.00",
        "18.62",
    )


async def test_a_paid_session_completes_as_any_other(till: Till):
    row, shopper = await asked(till.house)
    await shopper.goes_on(JANE)
    await shopper.pays()
    ref = (await session(till.house, row))["sessionId"]
    await till.control(f"/payments/{ref}/status", {"status": "paid"})
    assert await shopper.comes_back() == "https://shop.example/thanks"
    assert (await session(till.house, row))["status"] == "complete"
    over = await shopper.opens()
    assert "This order is paid" in words(over)
    assert link(over, "Continue") == "https://shop.example/thanks"


async def test_a_business_of_another_member_state_owes_the_tax_itself(till: Till):
    row, shopper = await asked(till.house)
    review = await shopper.goes_on(NL_BUSINESS)
    assert "Reverse charge" in words(review)
    assert "Pay €49.00" in words(review)
    await shopper.pays()
    after = await session(till.house, row)
    assert (after["amountSubtotal"], after["amountTax"], after["amountTotal"]) == (4900, 0, 4900)
    assert after["collected"]["taxId"] == {"country": "NL", "number": "NL123456782B12"}
    assert after["collected"]["isReverseCharged"] is True
    (line,) = (await provider_payment(till, after["sessionId"]))["lines"]
    assert (line["vatRate"], line["vatAmount"]["value"]) == ("0.00", "0.00")
    await till.control(f"/payments/{after['sessionId']}/status", {"status": "paid"})
    await shopper.comes_back()
    assert await till.books() == {"cash": 4900, "revenue": -4900}


async def test_tax_inside_the_price_is_taken_out_for_it(house: House):
    inclusive = await house.ok(
        house.app.admin,
        "POST",
        "/tax-rates",
        {"name": "BTW", "percentage": 21, "inclusive": True, "countryCode": "BE"},
    )
    row, shopper = await asked(house, taxRateUuid=inclusive["uuid"])
    assert (row["amountSubtotal"], row["amountTax"], row["amountTotal"]) == (4050, 850, 4900)
    await shopper.goes_on(NL_BUSINESS)
    after = await session(house, row)
    assert (after["amountSubtotal"], after["amountTax"], after["amountTotal"]) == (4050, 0, 4050)


async def test_a_business_at_home_pays_the_tax(house: House):
    row, shopper = await asked(house)
    german = JANE | {
        "billing.country": "DE",
        "billing.postal_code": "10115",
        "billing.city": "Berlin",
        "tax_id": "DE 136 695 976",
    }
    await shopper.goes_on(german)
    after = await session(house, row)
    assert (after["amountTax"], after["collected"]["isReverseCharged"]) == (931, False)


async def test_renewals_of_such_a_business_carry_no_tax_either(till: Till):
    monthly = till.house.app.ids["monthly"]
    row, shopper = await asked(till.house, mode="subscription", productPriceUuid=monthly)
    assert "then €11.89 a month" in words(await shopper.opens())
    assert "then €9.99 a month" in words(await shopper.goes_on(NL_BUSINESS))
    await shopper.pays()
    ref = (await session(till.house, row))["sessionId"]
    await till.control(f"/payments/{ref}/status", {"status": "paid"})
    await shopper.comes_back()
    renewal = await till.renewed()
    assert renewal["amount"] == 999
    (subscription,) = await till.all(f"/tenants/{row['tenantUuid']}/subscriptions")
    asked_for = {"quantity": 3, "mode": "now_full"}
    path = f"/subscriptions/{subscription['uuid']}/change-quotes"
    quote = await till.house.ok(till.house.app.admin, "POST", path, asked_for)
    assert (quote["amountTax"], quote["amountDue"] % 999) == (0, 0)


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"billing.postal_code": "12345"}, "billing.postal_code", "Postcode: this does not look"),
        ({"billing.city": " "}, "billing.city", "Town or city: please fill this in"),
        ({"billing.family_name": ""}, "billing.family_name", "Last name: please fill this in"),
        ({"billing.country": "ZZ"}, "billing.country", "Country: this does not look right"),
        ({"tax_id": "NL123"}, "tax_id", "VAT number: this does not look right"),
        ({"consent": ""}, "consent", "Please agree to the terms"),
        (
            {"ship_to_billing": "", "shipping.country": "NL"},
            "shipping.line1",
            "Delivery address, Street and number: please fill this in",
        ),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_changes_nothing(
    house: House, change: dict[str, str], field: str, says: str
):
    row, shopper = await asked(house)
    before = await house.rows()
    answer = await shopper.fills_in({**NL_BUSINESS, **change})
    assert answer.status_code == 422
    assert says in words(answer)
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}-fault"' in answer.text
    assert 'value="Damrak 1"' in answer.text  # what was right need not be typed again
    assert await house.rows() == before
    assert (await session(house, row))["collected"] is None


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"a=b&" * 100, b"consent=yes&billing.line1=%00", b"{}", b"=" * 60_000],
)
async def test_nonsense_is_a_form_that_is_not_filled_in(house: House, body: bytes):
    _, shopper = await asked(house)
    before = await house.rows()
    answer = await house.door.post(shopper.url, content=body)
    assert answer.status_code == 422
    assert await house.rows() == before


async def test_markup_in_a_field_is_text(house: House):
    _, shopper = await asked(house)
    nasty = '"><script>alert(1)</script>'
    answer = await shopper.fills_in({**JANE, "billing.given_name": nasty, "billing.city": ""})
    assert "<script>" not in answer.text
    review = await shopper.goes_on({**JANE, "billing.given_name": nasty})
    assert "<script>" not in review.text


async def test_only_what_is_asked_is_shown_and_taken(house: House):
    row = await house.bought(billingAddressCollection=True)
    shopper = Shopper(house, row["nextActionUrl"])
    assert not inputs(await shopper.opens()) & {"tax_id", "consent", "shipping.line1"}
    await shopper.goes_on(NL_BUSINESS)
    told = (await session(house, row))["collected"]
    assert (told["taxId"], told["shippingAddress"], told["consent"]) == (None, None, None)


async def test_a_tax_id_that_is_required_is_required(house: House):
    row = await house.bought(isTaxIdCollectionRequired=True)
    shopper = Shopper(house, row["nextActionUrl"])
    assert (await shopper.fills_in({})).status_code == 422
    await shopper.goes_on({"tax_id": "CHE-107.787.577 IVA", "tax_id_country": "CH"})
    told = (await session(house, row))["collected"]
    assert told["taxId"] == {"country": "CH", "number": "CHE107787577IVA"}


async def test_each_country_has_its_own_fields(house: House):
    _, shopper = await asked(house)
    american = await shopper.fills_in({"show": "billing", "billing.country": "US"})
    assert american.status_code == 200
    assert "State" in words(american) and "ZIP code" in words(american)
    assert '<option value="CA">California</option>' in american.text
    hong_kong = await shopper.fills_in({"show": "billing", "billing.country": "HK"})
    assert "billing.postal_code" not in inputs(hong_kong)


async def test_another_delivery_address_is_taken(house: House):
    row, shopper = await asked(house)
    elsewhere = {name.replace("billing", "shipping"): value for name, value in JANE.items()}
    elsewhere |= {"shipping.line1": "Coolsingel 40", "shipping.city": "Rotterdam"}
    elsewhere["shipping.postal_code"] = "3011 AD"
    await shopper.goes_on({**elsewhere, **JANE, "ship_to_billing": ""})
    told = (await session(house, row))["collected"]
    assert told["billingAddress"]["city"] == "Amsterdam"
    assert told["shippingAddress"]["city"] == "Rotterdam"


async def test_details_may_be_changed_until_there_is_a_payment_and_not_after(till: Till):
    row, shopper = await asked(till.house)
    review = await shopper.goes_on(NL_BUSINESS)
    form = await shopper.opens(link(review, "Change your details"))
    assert 'value="Smith BV"' in form.text and 'value="NL123456782B12"' in form.text
    assert "Pay €58.31" in words(await shopper.goes_on(JANE))
    await shopper.pays()
    before = await till.house.rows()
    assert "Change your details" not in words(await shopper.goes_on(NL_BUSINESS))
    assert await till.house.rows() == before
    assert (await session(till.house, row))["amountTotal"] == 5831


async def test_after_a_decline_the_page_says_why_and_offers_another_try(till: Till):
    row, shopper = await asked(till.house)
    await shopper.goes_on(JANE)
    await shopper.pays()
    first = (await session(till.house, row))["sessionId"]
    failed = {"status": "failed", "failureReason": "insufficient_funds"}
    await till.control(f"/payments/{first}/status", failed)
    assert await shopper.comes_back() == row["nextActionUrl"]
    page = await shopper.opens()
    assert "not enough money" in words(page)
    again = link(page, "Try again")
    assert "/checkout/select" in (await shopper.opens(again)).headers["location"]
    after = await session(till.house, row)
    assert [a["status"] for a in after["attempts"]] == ["failed", "open"]
    assert after["attempts"][0]["failureReason"] == "insufficient_funds"
    await till.control(f"/payments/{after['sessionId']}/status", {"status": "paid"})
    assert await shopper.comes_back() == "https://shop.example/thanks"


async def test_whoever_gives_up_at_the_provider_goes_back_to_the_shop(till: Till):
    row, shopper = await asked(till.house)
    await shopper.goes_on(JANE)
    await shopper.pays()
    ref = (await session(till.house, row))["sessionId"]
    await till.control(f"/payments/{ref}/status", {"status": "canceled"})
    assert await shopper.comes_back() == "https://shop.example/sorry"


async def test_ten_clicks_on_pay_make_one_payment(till: Till):
    row, shopper = await asked(till.house)
    await shopper.goes_on(JANE)
    answers = await asyncio.gather(*(shopper.opens(f"{shopper.url}/pay") for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {303, 503}
    assert len((await session(till.house, row))["attempts"]) == 1


async def test_an_ended_session_says_so_and_takes_nothing(house: House):
    row, shopper = await asked(house)
    await house.ok(house.app.user("member"), "POST", f"/checkout-sessions/{row['uuid']}/expire")
    before = await house.rows()
    assert "This checkout has ended" in words(await shopper.goes_on(JANE))
    assert link(await shopper.opens(), "Back to the shop") == "https://shop.example/sorry"
    assert await house.rows() == before


async def test_a_session_past_its_time_takes_nothing(house: House):
    row, shopper = await asked(house)
    await house.connection.execute(
        "update checkout_sessions set expires_at = expires_at - $2::interval where uuid = $1",
        UUID(row["uuid"]),
        timedelta(days=2),
    )
    assert "This checkout has ended" in words(await shopper.goes_on(JANE))
    assert (await session(house, row))["collected"] is None


@pytest.mark.parametrize("secret", ["", "x", "%00", "wrong" * 8])
async def test_without_the_links_secret_there_is_nothing_to_see_or_fill_in(
    house: House, secret: str
):
    _, shopper = await asked(house)
    stranger = Shopper(house, shopper.url.rpartition("/")[0] + "/" + secret)
    before = await house.rows()
    for answer in (await stranger.opens(), await stranger.fills_in(JANE)):
        assert answer.status_code in (404, 405)
        assert "Pro Plan" not in answer.text
    assert await house.rows() == before


async def test_the_secret_of_one_app_opens_nothing_in_another(house: House):
    _, shopper = await asked(house)
    ours, theirs = str(house.app.app_uuid), str(house.other.app_uuid)
    stranger = Shopper(house, shopper.url.replace(ours, theirs))
    assert (await stranger.opens()).status_code == 404
    assert (await stranger.fills_in(JANE)).status_code == 404


@pytest.mark.parametrize(
    ("lang", "accepted", "locale", "text"),
    [
        (None, "", None, "Your order"),
        (None, "fr-CH, fr;q=0.9, en;q=0.8", None, "Votre commande"),
        (None, "xx, nl;q=0.5, de;q=0.9", None, "Ihre Bestellung"),
        (None, "fr", "nl_NL", "Uw bestelling"),
        ("de", "fr", "nl_NL", "Ihre Bestellung"),
        ("tlh", "en;q=nonsense", None, "Your order"),
    ],
)
async def test_it_speaks_the_shoppers_language(
    house: House, lang: str | None, accepted: str, locale: str | None, text: str
):
    _, shopper = await asked(house, locale=locale)
    shopper.headers["Accept-Language"] = accepted
    answer = await shopper.opens(shopper.url + (f"?lang={lang}" if lang else ""))
    assert text in words(answer)


async def test_amounts_look_as_they_do_in_each_language(house: House):
    _, shopper = await asked(house, quantity=100)
    assert "€5,831.00" in words(await shopper.opens(f"{shopper.url}?lang=en"))
    assert "5.831,00 €" in words(await shopper.opens(f"{shopper.url}?lang=de"))


async def test_nothing_on_the_page_comes_from_elsewhere(house: House):
    _, shopper = await asked(house)
    for answer in (await shopper.opens(), await shopper.goes_on(JANE)):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "<script" not in answer.text and "style=" not in answer.text
    style = await house.door.get("/checkout/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text and "@import" not in style.text


async def test_a_key_gives_the_same_session_again_while_it_waits_for_the_shopper(house: House):
    path, member = "/payment-providers/mollie/checkout-sessions", house.app.user("member")
    order = house.app.order(**ASKED)
    first = await house.ask(member, "POST", path, order, Idempotency_Key="one")
    again = await house.ask(member, "POST", path, order, Idempotency_Key="one")
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await house.count("checkout_sessions") == 1
    clicks = [await house.bought(**ASKED, quantity=3) for _ in range(2)]
    assert clicks[0]["uuid"] == clicks[1]["uuid"]


async def test_a_session_that_waits_expires_like_any_other(till: Till):
    row, _ = await asked(till.house)
    await till.parts.expire.by_time(till.house.app.app_uuid, UUID(row["uuid"]))
    assert (await session(till.house, row))["status"] == "expired"


async def test_what_was_told_for_nothing_is_forgotten_after_a_month(till: Till):
    paid_row, paid = await asked(till.house)
    await paid.goes_on(JANE)
    await paid.pays()
    ref = (await session(till.house, paid_row))["sessionId"]
    await till.control(f"/payments/{ref}/status", {"status": "paid"})
    await paid.comes_back()
    row, shopper = await asked(till.house, quantity=2)
    await shopper.goes_on(JANE)
    await shopper.pays()
    await till.parts.expire.by_time(till.house.app.app_uuid, UUID(row["uuid"]))
    for days, is_kept in ((29, True), (31, False)):
        before = CLOCK.now() + timedelta(days=days - 30)
        async with till.house.database.begin(till.house.app.app_uuid) as tx:
            await tx.due_work.forget_details(ended_before=before)
        assert ((await session(till.house, row))["collected"] is not None) is is_kept
    assert (await session(till.house, paid_row))["collected"] is not None
    asked_for = await till.house.connection.fetch("select request from payment_attempts")
    assert [row[0] for row in asked_for] == [b"", b""]  # forgotten as soon as it was answered


async def test_a_card_check_is_told_as_one(house: House):
    row = await house.bought(
        mode="setup",
        currency="EUR",
        productPriceUuid=...,
        billingAddressCollection=True,
    )
    shopper = Shopper(house, row["nextActionUrl"])
    page = words(await shopper.goes_on(NL_BUSINESS))
    assert "Store a payment method" in page
    assert "given back at once" in page
    assert "Check the card with €1.00" in page


# What shoppers and providers do that nobody hoped for.


async def test_a_session_from_before_the_page_goes_on_to_its_payment(house: House):
    row = await house.bought()
    await house.connection.execute(
        """update checkout_sessions set terms = terms || '{"billing_address_collection": true}'
            where uuid = $1""",
        UUID(row["uuid"]),
    )
    shopper = Shopper(house, row["retryUrl"].removesuffix("/pay"))
    assert await shopper.pays() == row["nextActionUrl"]
    assert "Please check your order" in words(await shopper.opens())


async def test_a_total_that_has_changed_in_another_tab_is_shown_before_it_is_paid(till: Till):
    row, shopper = await asked(till.house)
    old = link(await shopper.goes_on(NL_BUSINESS), "Pay €49.00")
    await shopper.goes_on(JANE)
    assert (await shopper.opens(old)).headers["location"] == row["nextActionUrl"]
    assert (await session(till.house, row))["attempts"] == []
    new = link(await shopper.opens(), "Pay €58.31")
    assert "/checkout/select" in (await shopper.opens(new)).headers["location"]


async def test_the_page_asks_the_provider_and_not_only_our_books(till: Till):
    row, shopper = await asked(till.house)
    await shopper.goes_on(JANE)
    await shopper.pays()
    ref = (await session(till.house, row))["sessionId"]
    await till.control(f"/payments/{ref}/status", {"status": "paid"})
    assert "This order is paid" in words(await shopper.opens())  # no webhook has come


async def test_while_the_provider_is_away_the_page_shows_what_we_know(till: Till):
    _, shopper = await asked(till.house)
    await shopper.goes_on(JANE)
    await shopper.pays()
    await till.control("/faults", {"operation": "getPayment", "kind": "status", "status": 503})
    assert "Please check your order" in words(await shopper.opens())


async def test_a_no_of_the_provider_is_told_on_the_page_and_can_be_tried_again(till: Till):
    row, shopper = await asked(till.house)
    await shopper.goes_on(JANE)
    fault = {"operation": "createPayment", "kind": "status", "status": 422}
    await till.control("/faults", fault)
    assert await shopper.pays() == row["nextActionUrl"]
    assert "The payment did not work" in words(await shopper.opens())
    assert (await session(till.house, row))["status"] == "open"
    assert "/checkout/select" in await shopper.pays()


@pytest.mark.parametrize(
    "unusual",
    [
        {"billing.given_name": "J"},
        {"billing.family_name": "李"},
        {"billing.country": "HK", "billing.state": "Kowloon", "billing.postal_code": ""},
        {"billing.country": "IE", "billing.city": "Cork", "billing.postal_code": ""},
    ],
)
async def test_an_address_that_the_provider_would_refuse_is_kept_from_it(
    till: Till, unusual: dict[str, str]
):
    row, shopper = await asked(till.house)
    await shopper.goes_on({**JANE, **unusual})
    assert "/checkout/select" in await shopper.pays()
    after = await session(till.house, row)
    assert after["collected"]["billingAddress"]["line1"] == "Damrak 1"
    payment = await provider_payment(till, after["sessionId"])
    assert payment.get("billingAddress") is None


async def test_a_customer_that_was_lost_meanwhile_is_made_again(till: Till):
    row, shopper = await asked(till.house)
    await shopper.goes_on(JANE)
    forgotten = "update customers set provider_ref = null, lease_until = now()"
    await till.house.connection.execute(forgotten)
    assert "/checkout/select" in await shopper.pays()
    assert (await session(till.house, row))["sessionId"]


async def test_a_session_that_ends_while_its_payment_is_made_is_not_paid(till: Till):
    row, shopper = await asked(till.house)
    await shopper.goes_on(JANE)
    await till.control("/settings", {"latencyMs": 300})
    try:
        paying = asyncio.create_task(shopper.pays())
        while not (await session(till.house, row))["attempts"]:
            pass
        path = f"/checkout-sessions/{row['uuid']}/expire"
        await till.house.ok(till.house.app.user("member"), "POST", path)
        assert await paying == "https://shop.example/sorry"
    finally:
        await till.control("/settings", {"latencyMs": 0})
    (attempt,) = (await session(till.house, row))["attempts"]
    payment = await provider_payment(till, attempt["sessionId"])
    assert payment["status"] in ("canceled", "open")
    assert payment["status"] == "canceled" or not payment["isCancelable"]


# Who owes the tax.


@pytest.mark.parametrize("country", ["DE", "NL", "FR"])
async def test_the_example_beside_the_field_takes_no_tax_off(house: House, country: str):
    _, shopper = await asked(house)
    copied = {**JANE, "billing.country": country, "tax_id": TAX_ID_EXAMPLES[country]}
    answer = await shopper.fills_in(copied)
    assert answer.status_code == 422
    assert "VAT number: this does not look right" in words(answer)


async def test_what_is_sent_to_the_sellers_country_is_taxed_there(house: House):
    row, shopper = await asked(house)
    berlin = {name.replace("billing", "shipping"): value for name, value in JANE.items()}
    berlin |= {"shipping.country": "DE", "shipping.postal_code": "10115", "shipping.city": "Berlin"}
    await shopper.goes_on({**berlin, **NL_BUSINESS, "ship_to_billing": ""})
    after = await session(house, row)
    assert (after["amountTax"], after["collected"]["isReverseCharged"]) == (931, False)


async def test_a_subscription_handed_over_without_it_finds_the_tax_id_on_its_checkout(till: Till):
    monthly = till.house.app.ids["monthly"]
    row, shopper = await asked(till.house, mode="subscription", productPriceUuid=monthly)
    await shopper.goes_on(NL_BUSINESS)
    await shopper.pays()
    ref = (await session(till.house, row))["sessionId"]
    await till.control(f"/payments/{ref}/status", {"status": "paid"})
    await shopper.comes_back()
    await till.house.connection.execute("update subscriptions set tax_id_country = null")
    assert (await till.renewed())["amount"] == 999


async def test_a_tax_id_given_with_a_card_counts_for_what_is_charged_on_it(till: Till):
    house = till.house
    row = await house.bought(
        mode="setup",
        currency="EUR",
        productPriceUuid=...,
        billingAddressCollection=True,
        isTaxIdCollectionEnabled=True,
    )
    shopper = Shopper(house, row["nextActionUrl"])
    await shopper.goes_on(NL_BUSINESS)
    await shopper.pays()
    ref = (await session(house, row))["sessionId"]
    await till.control(f"/payments/{ref}/status", {"status": "paid"})
    await shopper.comes_back()
    new = {"productPriceUuid": house.app.ids["monthly"], "taxRateUuid": house.app.ids["exclusive"]}
    path = f"/tenants/{row['tenantUuid']}/subscriptions"
    started = await house.ok(house.app.admin, "POST", path, new)
    bills = await till.all(f"/subscriptions/{started['uuid']}/bills")
    assert [(bill["amountTax"], bill["amountTotal"]) for bill in bills] == [(0, 999)]


async def test_where_no_tax_id_can_be_checked_none_is_required(house: House):
    row = await house.bought(billingAddressCollection=True, isTaxIdCollectionRequired=True)
    shopper = Shopper(house, row["nextActionUrl"])
    american = JANE | {
        "billing.country": "US",
        "billing.state": "CA",
        "billing.postal_code": "90210",
        "billing.city": "Malibu",
    }
    form = await shopper.fills_in({**american, "show": "billing"})
    assert "tax_id" not in inputs(form)
    await shopper.goes_on({**american, "tax_id": "12-3456789"})
    assert (await session(house, row))["collected"]["taxId"] is None


async def test_terms_must_be_on_a_host_of_the_apps(house: House):
    await house.connection.execute("update apps set allowed_hosts = '{shop.example}'")
    answer = await house.buy(**{**ASKED, "termsOfServiceUrl": "https://evil.example/terms"})
    assert problems(answer) == {"termsOfServiceUrl": "this host is not on the app's list"}
