"""Letting an app in: the page, the code, the tokens, and how each of them ends."""

import httpx
import pytest

from app.sandbox.mollie.routes import ROUTES
from app.sandbox.mollie.scopes import NEEDED, SCOPES
from tests.sandbox.connected import APP, BACK, EVERYTHING, App, came_back
from tests.sandbox.shop import Shop


@pytest.fixture
async def app(shop: Shop) -> App:
    app = App(shop)
    await app.register()
    return app


def refusal(answer):
    said = answer.json()
    assert said.keys() == {"error", "error_description"}
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return answer.status_code, said["error"]


async def usable(sandbox, token):
    async with (shop := Shop(sandbox, token)).http:
        return (await shop.call("GET", "organizations/me")).status_code


async def test_the_page_says_who_asks_for_what_and_offers_both_answers(app):
    merchant = await app.merchant("Flowers & <Co>")
    answer = await app.asks(scope="payments.read customers.write")
    assert answer.status_code == 200
    for shown in (APP[0], "Payments", "Customers", "Flowers &amp; &lt;Co&gt;", merchant["id"]):
        assert shown in answer.text
    assert 'value="allow"' in answer.text
    assert 'value="deny"' in answer.text
    assert "<script" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy


async def test_allowing_comes_back_with_a_code_and_denying_with_an_error(app):
    merchant = await app.merchant()
    allowed = await app.answered(merchant["id"])
    assert allowed["code"].startswith("auth_")
    denied = await app.answered(merchant["id"], "deny")
    assert denied["error"] == "access_denied"
    assert "code" not in denied


async def test_who_is_new_signs_up_by_allowing(app):
    code = (await app.answered("new"))["code"]
    await app.exchanged(code)
    held = (await app.http.get("/_control/oauth")).json()
    assert [one["name"] for one in held["organizations"]] == ["New shop"]
    assert len(held["organizations"][0]["profiles"]) == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"state": None}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "payments.read everything"}, "invalid_scope"),
        ({"approval_prompt": "never"}, "invalid_request"),
    ],
)
async def test_what_is_wrong_with_a_wish_is_told_to_the_app(app, change, error):
    answer = await app.asks(**change)
    assert answer.status_code == 303
    assert came_back(answer)["error"] == error
    # And nothing can be allowed by skipping the page.
    merchant = await app.merchant()
    assert "code" not in await app.answered(merchant["id"], **change)


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "app_unknown"},
        {"client_id": None},
        {"redirect_uri": "https://evil.example.org/"},
        {"redirect_uri": BACK + "&more=1"},
        {"redirect_uri": ""},
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_the_apps(app, change):
    answer = await app.asks(**change)
    assert (answer.status_code, answer.headers.get("location")) == (400, None)
    form = {"organization": "new", "name": "x", "decision": "allow"}
    params = app.query(**change)
    answer = await app.http.post("/oauth2/authorize", params=params, data=form)
    assert (answer.status_code, answer.headers.get("location")) == (400, None)


async def test_a_parameter_that_is_given_twice_is_refused(app):
    query = [*app.query().items(), ("state", "other")]
    answer = await app.http.get("/oauth2/authorize", params=query)
    assert came_back_error(answer) == "invalid_request"


def came_back_error(answer):
    return answer.headers["location"].partition("error=")[2].partition("&")[0]


async def test_without_a_choice_the_page_is_shown_again(app):
    for form in ({"decision": "allow", "organization": "org_0"}, {"organization": "new"}, {}):
        answer = await app.http.post("/oauth2/authorize", params=app.query(), data=form)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text


@pytest.mark.parametrize("as_json", [True, False])
async def test_a_code_becomes_tokens(app, sandbox, as_json):
    code = await app.code(await app.merchant(), scope="organizations.read payments.read")
    said = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    body = {"json": said} if as_json else {"data": said}
    answer = await app.http.post("/oauth2/tokens", auth=APP, **body)
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert tokens["access_token"].startswith("access_")
    assert tokens["refresh_token"].startswith("refresh_")
    assert (tokens["expires_in"], tokens["token_type"]) == (3600, "bearer")
    assert tokens["scope"] == "organizations.read payments.read"
    assert await usable(sandbox, tokens["access_token"]) == 200


async def test_a_code_used_twice_is_refused_and_what_it_gave_is_taken_back(app, sandbox):
    code = await app.code(await app.merchant())
    tokens = (await app.exchanged(code)).json()
    assert refusal(await app.exchanged(code)) == (400, "invalid_grant")
    assert await usable(sandbox, tokens["access_token"]) == 401
    assert refusal(await app.refreshed(tokens["refresh_token"])) == (400, "invalid_grant")


async def test_a_code_lives_for_thirty_seconds(app):
    merchant = await app.merchant()
    in_time, too_late = await app.code(merchant), await app.code(merchant)
    await app.shop.advance(seconds=28)
    assert (await app.exchanged(in_time)).status_code == 200
    await app.shop.advance(seconds=2)
    assert refusal(await app.exchanged(too_late)) == (400, "invalid_grant")


async def test_the_answer_to_a_code_can_be_lost_and_then_the_code_is_gone(app):
    code = await app.code(await app.merchant())
    lost = {"operation": "createTokens", "kind": "timeoutAfterCommit"}
    await app.shop.control("faults", **lost)
    with pytest.raises(httpx.ReadTimeout):
        await app.exchanged(code)
    assert refusal(await app.exchanged(code)) == (400, "invalid_grant")


async def test_a_fault_before_the_exchange_leaves_the_code_as_it_was(app):
    code = await app.code(await app.merchant())
    fault = {"operation": "createTokens", "kind": "status", "status": 503}
    await app.shop.control("faults", **fault)
    assert (await app.exchanged(code)).status_code == 503
    assert (await app.exchanged(code)).status_code == 200
    asked = [(one["path"], one["status"]) for one in await app.shop.held("requests")]
    assert asked == [("/oauth2/tokens", 200), ("/oauth2/tokens", 503)]


async def test_the_address_has_to_be_said_again_if_it_was_said_before(app):
    merchant = await app.merchant()
    said, unsaid = await app.code(merchant), await app.code(merchant, redirect_uri=None)
    for wrong in ("https://evil.example.org/", "https://app.example.org/connected"):
        answer = await app.exchanged(said, redirect_uri=wrong)
        assert refusal(answer) == (400, "invalid_grant")
    answer = await app.tokens(grant_type="authorization_code", code=said)
    assert refusal(answer) == (400, "invalid_grant")
    answer = await app.tokens(grant_type="authorization_code", code=unsaid)
    assert answer.status_code == 200


async def test_a_code_is_of_no_use_to_another_app(app):
    code = await app.code(await app.merchant())
    other = ("app_other", "other-secret")
    said = {"clientId": other[0], "clientSecret": other[1], "redirectUri": BACK}
    await app.shop.control("oauth/clients", **said)
    said = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    assert refusal(await app.tokens(auth=other, **said)) == (400, "invalid_grant")
    # Nor is it spoiled by the attempt.
    tokens = (await app.exchanged(code)).json()
    said = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert refusal(await app.tokens(auth=other, **said)) == (400, "invalid_grant")


@pytest.mark.parametrize("auth", [None, ("app_kontor", "wrong"), ("app_unknown", "app-secret")])
async def test_without_the_apps_secret_nothing_is_given(app, auth):
    code = await app.code(await app.merchant())
    answer = await app.tokens(auth=auth, grant_type="authorization_code", code=code)
    assert refusal(answer) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "refresh_0"}, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "auth_0"}, "invalid_grant"),
    ],
)
async def test_a_grant_that_is_none_is_refused_in_oauths_words(app, body, error):
    assert refusal(await app.tokens(**body)) == (400, error)


async def test_other_methods_are_not_possible(app):
    answer = await app.http.get("/oauth2/tokens", auth=APP)
    assert refusal(answer) == (405, "invalid_request")


async def test_a_refresh_token_stays_as_it_is_and_never_expires(app, sandbox):
    tokens = await app.connected(await app.merchant())
    await app.shop.advance(days=400)
    assert await usable(sandbox, tokens["access_token"]) == 401
    for _ in range(2):
        fresh = (await app.refreshed(tokens["refresh_token"])).json()
        assert fresh["refresh_token"] == tokens["refresh_token"]
        assert fresh["access_token"] != tokens["access_token"]
        assert fresh["scope"] == EVERYTHING
        assert await usable(sandbox, fresh["access_token"]) == 200


async def test_an_access_token_lives_for_an_hour_whatever_is_refreshed_meanwhile(app, sandbox):
    tokens = await app.connected(await app.merchant())
    await app.shop.advance(minutes=59)
    fresh = (await app.refreshed(tokens["refresh_token"])).json()
    assert await usable(sandbox, tokens["access_token"]) == 200
    await app.shop.advance(minutes=1)
    assert await usable(sandbox, tokens["access_token"]) == 401
    assert await usable(sandbox, fresh["access_token"]) == 200


async def test_a_refresh_token_that_was_never_given_out_cannot_be_guessed_from_its_code(app):
    code = await app.code(await app.merchant())
    assert refusal(await app.refreshed(code)) == (400, "invalid_grant")


async def test_revoking_a_refresh_token_ends_all_its_access_tokens(app, sandbox):
    tokens = await app.connected(await app.merchant())
    fresh = (await app.refreshed(tokens["refresh_token"])).json()
    answer = await app.revoked(tokens["refresh_token"], "refresh_token")
    assert (answer.status_code, answer.content) == (204, b"")
    for token in (tokens["access_token"], fresh["access_token"]):
        assert await usable(sandbox, token) == 401
    assert refusal(await app.refreshed(tokens["refresh_token"])) == (400, "invalid_grant")


async def test_revoking_an_access_token_ends_only_that_one(app, sandbox):
    tokens = await app.connected(await app.merchant())
    fresh = (await app.refreshed(tokens["refresh_token"])).json()
    assert (await app.revoked(tokens["access_token"], "access_token")).status_code == 204
    assert await usable(sandbox, tokens["access_token"]) == 401
    assert await usable(sandbox, fresh["access_token"]) == 200
    assert (await app.refreshed(tokens["refresh_token"])).status_code == 200


async def test_revoking_what_is_unknown_is_no_error_and_what_is_unclear_is(app):
    assert (await app.revoked("access_unknown", "access_token")).status_code == 204
    assert refusal(await app.revoked("access_1", "id_token")) == (400, "unsupported_token_type")
    assert refusal(await app.revoked("", "access_token")) == (400, "invalid_request")


async def test_another_merchants_tokens_outlive_a_revocation(app, sandbox):
    one, other = await app.merchant("One"), await app.merchant("Other")
    ours, theirs = await app.connected(one), await app.connected(other)
    await app.revoked(ours["refresh_token"], "refresh_token")
    assert await usable(sandbox, theirs["access_token"]) == 200


@pytest.mark.parametrize(("prompt", "status"), [("force", 401), ("auto", 200), (None, 200)])
async def test_a_forced_authorization_ends_those_before_it(app, sandbox, prompt, status):
    merchant = await app.merchant()
    before = await app.connected(merchant)
    await app.code(merchant, approval_prompt=prompt)
    assert await usable(sandbox, before["access_token"]) == status


async def test_a_merchant_can_shut_the_app_out(app, sandbox):
    merchant = await app.merchant()
    tokens = await app.connected(merchant)
    said = {"clientId": APP[0], "organizationId": merchant["id"]}
    assert await app.shop.control("oauth/shut-out", **said) == {"revoked": 1}
    assert await usable(sandbox, tokens["access_token"]) == 401
    assert refusal(await app.refreshed(tokens["refresh_token"])) == (400, "invalid_grant")


async def test_the_control_plane_allows_without_the_page(app, sandbox):
    merchant = await app.merchant()
    said = {"clientId": APP[0], "organizationId": merchant["id"], "scope": "organizations.read"}
    code = (await app.shop.control("oauth/allow", **said))["code"]
    answer = await app.tokens(grant_type="authorization_code", code=code)
    assert await usable(sandbox, answer.json()["access_token"]) == 200


async def test_the_control_plane_shows_grants_and_tells_no_secret(app):
    merchant = await app.merchant()
    tokens = await app.connected(merchant, "payments.read")
    answer = await app.http.get("/_control/oauth")
    held = answer.json()
    assert held["clients"] == [{"clientId": APP[0], "redirectUri": BACK}]
    grant = held["grants"][0]
    assert (grant["organizationId"], grant["scope"]) == (merchant["id"], "payments.read")
    assert len(grant["accessTokens"]) == 1
    for secret in (APP[1], tokens["access_token"], tokens["refresh_token"]):
        assert secret not in answer.text


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("clients", {"clientId": "kontor", "clientSecret": "x", "redirectUri": BACK}, 422),
        ("clients", {"clientId": "app_x", "clientSecret": "", "redirectUri": BACK}, 422),
        ("clients", {"clientId": "app_x", "clientSecret": "x", "redirectUri": "here"}, 422),
        ("clients", {"clientId": "app_x"}, 422),
        ("organizations", {}, 422),
        ("organizations/org_0/onboarding", {"status": "completed"}, 404),
        ("organizations/org_0/onboarding", {"status": "done"}, 422),
        ("shut-out", {"clientId": "app_0", "organizationId": "org_0"}, 404),
    ],
)
async def test_the_control_plane_refuses_what_it_cannot_do(shop, path, body, status):
    assert (await shop.http.post(f"/_control/oauth/{path}", json=body)).status_code == status


def test_every_call_asks_for_a_permission_that_exists():
    operations = {name for name, _ in ROUTES.values()}
    assert operations == NEEDED.keys()
    assert set(NEEDED.values()) <= SCOPES
