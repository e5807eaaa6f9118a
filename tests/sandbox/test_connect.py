"""What an app may do in the account of an organisation that has let it in, and in which world."""

import pytest

from tests.sandbox.connected import App, profile_of
from tests.sandbox.shop import Shop, a_payment
from tests.sandbox.test_sessions import a_session


@pytest.fixture
async def app(shop: Shop) -> App:
    app = App(shop)
    await app.register()
    return app


@pytest.fixture
async def merchant(app: App):
    return await app.merchant(profiles=["Second shop"])


@pytest.fixture
async def own(sandbox):
    """The maker of the app, with a token of its own organisation."""
    async with (shop := Shop(sandbox, "access_own")).http:
        yield shop


@pytest.fixture
async def theirs(app: App, merchant):
    async with (shop := await app.shop_of(merchant)).http:
        yield shop


def euros(value):
    return {"currency": "EUR", "value": value}


def their_payment(merchant, place=0, **changes):
    said = {"profileId": profile_of(merchant, place), "testmode": True, **changes}
    return a_payment(**said)


async def test_a_payment_belongs_to_the_profile_that_was_named(theirs, merchant):
    made = await theirs.post("payments", their_payment(merchant, place=1))
    assert (made["mode"], made["profileId"]) == ("test", profile_of(merchant, 1))
    await theirs.post("payments", their_payment(merchant))
    for place in (0, 1):
        query = f"testmode=true&profileId={profile_of(merchant, place)}"
        assert (await theirs.get(f"payments?{query}"))["count"] == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [("payments", a_payment()), ("sessions", a_session())],
)
async def test_a_profile_has_to_be_named_and_be_ones_own(theirs, path, body):
    for profile in (None, "pfl_other", "other", 7):
        said = {**body, "testmode": True, "profileId": profile}
        assert (await theirs.refused(path, said))[:2] == (422, "profileId")


async def test_lists_of_payments_need_a_profile_too(theirs, merchant):
    answer = await theirs.call("GET", "payments?testmode=true")
    assert (answer.status_code, answer.json()["field"]) == (422, "profileId")


async def test_the_mode_is_said_in_the_body_to_write_and_in_the_query_to_read(theirs, merchant):
    made = await theirs.post("payments", their_payment(merchant))
    path = f"payments/{made['id']}"
    assert (await theirs.get(f"{path}?testmode=true"))["id"] == made["id"]
    assert "wrong mode" in (await theirs.call("GET", path)).json()["detail"]

    in_query = await theirs.call("POST", "customers?testmode=true", json={})
    assert (in_query.status_code, in_query.json()["field"]) == (422, "testmode")
    in_body = await theirs.call("GET", path, json={"testmode": True})
    assert (in_body.status_code, in_body.json()["field"]) == (422, "testmode")
    assert (await theirs.refused("customers", {"testmode": "yes"}))[:2] == (422, "testmode")


async def test_without_a_mode_everything_is_live(theirs, merchant):
    made = await theirs.post("payments", their_payment(merchant, testmode=None))
    assert made["mode"] == "live"
    assert (await theirs.get(f"payments/{made['id']}"))["id"] == made["id"]


async def test_who_takes_no_profile_refuses_one(theirs, merchant):
    said = {"testmode": True, "profileId": profile_of(merchant)}
    assert (await theirs.refused("customers", said))[:2] == (422, "profileId")


async def test_an_api_key_says_neither(shop):
    for said in ({"testmode": True}, {"profileId": "pfl_1"}):
        field = next(iter(said))
        for path, body in (("payments", a_payment()), ("sessions", a_session())):
            assert (await shop.refused(path, {**body, **said}))[:2] == (422, field)


async def test_all_tokens_of_an_organisation_see_the_same_and_others_do_not(app, merchant, theirs):
    made = await theirs.post("payments", their_payment(merchant))
    path = f"payments/{made['id']}?testmode=true"
    async with (again := await app.shop_of(merchant)).http:
        assert (await again.get(path))["id"] == made["id"]
    async with (others := await app.shop_of(await app.merchant("Other"))).http:
        assert (await others.call("GET", path)).status_code == 404
    async with (key := Shop(app.shop.app, "test_org")).http:
        assert (await key.call("GET", path.partition("?")[0])).status_code == 404


async def test_a_call_needs_its_permission(app, merchant):
    async with (reader := await app.shop_of(merchant, "payments.read")).http:
        said = their_payment(merchant)
        answer = await reader.call("POST", "payments", json=said)
        problem = answer.json()
        assert (problem["status"], problem["title"]) == (403, "Forbidden")
        assert "payments.write" in problem["detail"]
        assert answer.headers["content-type"] == "application/hal+json"
        query = f"testmode=true&profileId={profile_of(merchant)}"
        assert (await reader.get(f"payments?{query}"))["count"] == 0
        assert (await reader.call("GET", "customers")).status_code == 403
        assert (await reader.call("GET", "organizations/me")).status_code == 403


async def test_a_token_that_is_over_is_no_credential_at_all(app, merchant, theirs):
    key = {"Idempotency-Key": "order-7"}
    await theirs.post("payments", their_payment(merchant), **key)
    await app.shop.advance(hours=1)
    # Not even for what it could have had repeated.
    answer = await theirs.call("POST", "payments", json=their_payment(merchant), headers=key)
    assert answer.status_code == 401
    assert answer.json()["title"] == "Unauthorized Request"


async def test_a_fee_is_taken_up_to_what_is_left_of_six_percent_and_thirty_five_cents(
    theirs, merchant
):
    fee = {"amount": euros("45.71"), "description": "Kontor"}  # 49.00 - 2.94 - 0.35
    made = await theirs.post("payments", their_payment(merchant, applicationFee=fee))
    assert made["applicationFee"] == fee
    for wrong, field in (
        ({**fee, "amount": euros("45.72")}, "applicationFee.amount"),
        ({**fee, "amount": euros("0.00")}, "applicationFee.amount"),
        ({**fee, "amount": {"currency": "USD", "value": "1.00"}}, "applicationFee.amount.currency"),
        ({"amount": euros("1.00")}, "applicationFee.description"),
        ({**fee, "description": "d" * 256}, "applicationFee.description"),
        ({**fee, "vat": "21.00"}, "applicationFee.vat"),
        ("1.00", "applicationFee"),
    ):
        said = their_payment(merchant, applicationFee=wrong)
        assert (await theirs.refused("payments", said))[:2] == (422, field)


async def test_six_percent_are_never_rounded_in_the_apps_favour(theirs, merchant):
    said = {"amount": euros("1.01")}  # 1.01 - 0.0606 - 0.35 = 0.5994
    fee = {"amount": euros("0.59"), "description": "Kontor"}
    await theirs.post("payments", their_payment(merchant, **said, applicationFee=fee))
    fee = {**fee, "amount": euros("0.60")}
    body = their_payment(merchant, **said, applicationFee=fee)
    assert (await theirs.refused("payments", body))[1] == "applicationFee.amount"


@pytest.mark.parametrize("key", ["test_shop", "access_own"])
async def test_only_an_app_takes_a_fee(sandbox, key):
    fee = {"amount": euros("1.00"), "description": "Kontor"}
    said = a_payment(applicationFee=fee)
    if key.startswith("access_"):
        said.update(profileId="pfl_1", testmode=True)
    async with (shop := Shop(sandbox, key)).http:
        assert (await shop.refused("payments", said))[:2] == (422, "applicationFee")


async def test_a_subscription_takes_profile_and_fee_into_each_charge(app, theirs, merchant):
    customer = (await theirs.post("customers", {"testmode": True}))["id"]
    first = their_payment(
        merchant, place=1, sequenceType="first", customerId=customer, method="creditcard"
    )
    paid = await theirs.post("payments", first)
    await app.shop.settle(paid["id"], "paid")
    fee = {"amount": euros("1.00"), "description": "Kontor"}
    said = {"amount": euros("9.99"), "interval": "1 month", "description": "Pro", "testmode": True}
    path = f"customers/{customer}/subscriptions"
    assert (await theirs.refused(path, said))[:2] == (422, "profileId")
    said |= {"profileId": profile_of(merchant, 1), "applicationFee": fee}
    subscription = await theirs.post(path, said)
    assert subscription["_links"]["profile"]["href"].endswith(profile_of(merchant, 1))

    await app.shop.advance(days=40)
    fresh = await app.shop_of(merchant)
    async with fresh.http:
        charges = await fresh.get(f"{path}/{subscription['id']}/payments?testmode=true")
    for charge in charges["_embedded"]["payments"]:
        assert (charge["profileId"], charge["applicationFee"]) == (profile_of(merchant, 1), fee)
    assert charges["count"] == 2


async def test_a_session_is_the_profiles_and_so_is_what_is_paid_in_it(app, theirs, merchant):
    said = {"profileId": profile_of(merchant, 1), "testmode": True}
    session = await theirs.post("sessions", a_session(**said))
    assert (session["profileId"], session["mode"]) == (profile_of(merchant, 1), "test")
    done = await app.shop.control(f"sessions/{session['id']}/status", status="paid")
    payment = await theirs.get(f"payments/{done['paymentIds'][0]}?testmode=true")
    assert payment["profileId"] == profile_of(merchant, 1)


async def test_captures_of_an_app_say_their_mode_and_releases_their_profile_too(
    app, theirs, merchant
):
    hold = {"method": "creditcard", "captureMode": "manual"}
    made = await theirs.post("payments", their_payment(merchant, **hold))
    path = f"payments/{made['id']}"
    await app.shop.settle(made["id"], "authorized")
    assert (await theirs.refused(f"{path}/captures", {}))[0] == 404
    said = {"testmode": True}
    assert (await theirs.refused(f"{path}/release-authorization", said))[1] == "profileId"
    said["profileId"] = profile_of(merchant)
    answer = await theirs.call("POST", f"{path}/release-authorization", json=said)
    assert answer.status_code == 202


async def test_an_organisation_tells_who_it_is_and_how_far_it_has_come(app, theirs, merchant):
    own = await theirs.get("organizations/me")
    assert (own["id"], own["name"]) == (merchant["id"], "Flowers")
    assert await theirs.get(f"organizations/{merchant['id']}") == own
    assert (await theirs.call("GET", "organizations/org_0")).status_code == 404

    status = await theirs.get("onboarding/me")
    assert (status["status"], status["canReceivePayments"]) == ("completed", True)
    path = f"oauth/organizations/{merchant['id']}/onboarding"
    await app.shop.control(path, status="in-review", canReceivePayments=True)
    status = await theirs.get("onboarding/me")
    assert status["status"] == "in-review"
    assert (status["canReceivePayments"], status["canReceiveSettlements"]) == (True, False)


async def test_profiles_are_listed_for_a_token_and_me_is_for_a_key(app, shop, theirs, merchant):
    listed = await theirs.get("profiles?sort=asc")
    assert [one["id"] for one in listed["_embedded"]["profiles"]] == [
        profile_of(merchant, place) for place in (0, 1)
    ]
    assert (await theirs.get(f"profiles/{profile_of(merchant, 1)}"))["name"] == "Second shop"
    assert (await theirs.call("GET", "profiles/me")).status_code == 403
    assert (await theirs.call("GET", "profiles/pfl_0")).status_code == 404
    assert (await theirs.call("GET", "profiles?testmode=true")).json()["field"] == "testmode"
    assert (await shop.get("profiles/me"))["resource"] == "profile"


async def test_an_api_key_knows_nothing_of_its_organisation(shop):
    for path in ("organizations/me", "onboarding/me", "profiles"):
        answer = await shop.call("GET", path)
        assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")


async def test_an_organisations_own_token_may_do_everything_in_an_account_of_its_own(own):
    organization = await own.get("organizations/me")
    assert organization == await own.get("organizations/me")
    profile = (await own.get("profiles"))["_embedded"]["profiles"][0]
    made = await own.post("payments", a_payment(profileId=profile["id"], testmode=True))
    assert made["profileId"] == profile["id"]


def an_invitation(**changes):
    return {
        "owner": {"email": "ada@example.org", "givenName": "Ada", "familyName": "Byron"},
        "name": "Engines",
        "address": {"country": "GB"},
        **changes,
    }


async def test_an_invited_merchant_signs_up_by_following_the_link(app, own):
    made = await own.post("client-links", an_invitation())
    href = made["_links"]["clientLink"]["href"]
    query = app.query(response_type=None)
    followed = await app.http.get(href, params=query)
    again = await app.http.get(href, params=query)
    assert followed.status_code == 303
    assert followed.headers["location"] == again.headers["location"]
    page = await app.http.get(followed.headers["location"])
    assert "Engines" in page.text

    held = (await app.http.get("/_control/oauth")).json()["organizations"]
    (joined,) = [one for one in held if one["name"] == "Engines"]
    assert (joined["email"], joined["onboarding"]) == ("ada@example.org", "needs-data")
    async with (their := await app.shop_of(joined)).http:
        assert (await their.get("onboarding/me"))["canReceivePayments"] is False


async def test_only_the_maker_of_an_app_invites(shop, theirs):
    for other in (shop, theirs):
        assert (await other.refused("client-links", an_invitation()))[0] == 403


async def test_an_invitation_is_good_for_thirty_days(app, own):
    made = await own.post("client-links", an_invitation())
    await app.shop.advance(days=30)
    answer = await app.http.get(made["_links"]["clientLink"]["href"], params=app.query())
    assert answer.status_code == 404
    assert (await app.http.get("/dashboard/client-link/cl_0")).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"owner": None}, "owner"),
        ({"owner": {"email": "a@example.org"}}, "owner.givenName"),
        ({"owner": {"email": 7}}, "owner.email"),
        ({"name": None}, "name"),
        ({"address": {"country": "England"}}, "address.country"),
        ({"address": {"planet": "Earth"}}, "address.planet"),
        ({"vatNumber": 7}, "vatNumber"),
        ({"incorporationDate": "soon"}, "incorporationDate"),
        ({"testmode": True}, "testmode"),
    ],
)
async def test_an_invitation_that_lacks_something_is_refused(own, change, field):
    assert (await own.refused("client-links", an_invitation(**change)))[:2] == (422, field)


async def test_a_key_that_is_repeated_with_a_fresh_token_is_a_new_call(app, merchant):
    key = {"Idempotency-Key": "order-7"}
    made = set()
    for _ in range(2):
        async with (shop := await app.shop_of(merchant)).http:
            for _ in range(2):
                made.add((await shop.post("payments", their_payment(merchant), **key))["id"])
    assert len(made) == 2
