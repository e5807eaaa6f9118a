"""A merchant connects its account by consent, and takes that back: through the front door."""

import asyncio
import re
from typing import Final

import httpx
import pytest

from app.main import build
from app.settings import Settings
from tests.http.house import House, code, problems
from tests.http.lifespan import running
from tests.http.merchant import ACCOUNTS, OUR_APP, Merchant, founded
from tests.http.test_payment_providers import dump

PENDING: Final = re.compile(r"pending_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-.{12}")
ROW: Final = {
    "id", "uuid", "appUuid", "name", "account", "profileId", "providerMetadata", "connected",
    "disconnectedBy", "mode", "createdAt", "updatedAt", "deletedAt",
}  # fmt: skip
STANDING: Final = {
    "onboardingStatus": "completed",
    "organizationName": "Flowers",
    "canReceivePayments": True,
    "canReceiveSettlements": True,
    "missingFields": [],
}


async def test_an_account_is_made_once_for_each_mode(merchant: Merchant):
    empty = await merchant.asks("GET")
    assert empty.json() == {
        "kind": "paymentProviders",
        "totalItems": 0,
        "itemsLength": 0,
        "items": [],
    }
    made = await merchant.asks("POST")
    assert made.status_code == 201
    row = made.json()["items"][0]
    assert set(row) == ROW
    assert PENDING.fullmatch(row["account"])
    assert (row["name"], row["mode"], row["connected"]) == ("mollie", "test", False)
    assert (row["profileId"], row["providerMetadata"], row["deletedAt"]) == (None, None, None)
    assert await merchant.gets("POST") == row == await merchant.gets("GET")
    live = await merchant.gets("POST", "")
    assert (live["mode"], live["uuid"] != row["uuid"]) == ("live", True)
    assert await merchant.gets("GET", "") == live


async def test_a_merchant_who_allows_it_on_mollies_page_is_connected(merchant: Merchant):
    pending = await merchant.gets("POST")
    asked = await merchant.gets("PUT", "mode=test&connected=false")
    assert set(asked) == ROW | {"nextAction"}
    assert (asked["nextAction"]["type"], asked["account"]) == ("accountLink", pending["account"])
    came = await merchant.consents(asked["nextAction"]["url"])
    query = f"mode=test&connected=true&code={came['code']}&state={came['state']}"
    done = await merchant.gets("PUT", query)
    assert (done["account"], done["connected"]) == (merchant.organization, True)
    assert done["profileId"].startswith("pfl_")
    assert (done["providerMetadata"], done["nextAction"]) == (STANDING, {"type": "none"})
    assert await merchant.gets("PUT", query) == done
    row = await merchant.gets("GET")
    assert {**row, "nextAction": {"type": "none"}} == done
    (grant,) = await merchant.grants()
    assert len(grant["accessTokens"]) == 1


async def test_one_who_cannot_be_paid_yet_is_sent_to_mollie(merchant: Merchant):
    await merchant.becomes("needs-data")
    await merchant.gets("POST")
    query = await merchant.begins()
    done = await merchant.gets("PUT", query)
    assert done["providerMetadata"]["onboardingStatus"] == "needs-data"
    assert done["providerMetadata"]["canReceivePayments"] is False
    assert done["nextAction"]["type"] == "accountLink"
    assert done["nextAction"]["url"].startswith("http")
    assert await merchant.gets("PUT", query) == done


async def test_whatever_is_wrong_is_named_and_changes_nothing(merchant: Merchant):
    await merchant.gets("POST")
    before = await merchant.house.rows()
    for query, expected, fields in (
        ("mode=test", "400 [E4000]", {"connected"}),
        ("mode=test&connected=perhaps", "400 [E4000]", {"connected"}),
        ("mode=both&connected=false", "400 [E4000]", {"mode"}),
        ("mode=test&connected=true", "400 [E4000]", {"code", "state"}),
        ("mode=test&connected=true&code=c", "400 [E4000]", {"state"}),
        ("mode=test&connected=true&code=&state=s", "400 [E4000]", {"code"}),
        (f"mode=test&connected=true&code={'c' * 501}&state=s", "400 [E4000]", {"code"}),
        (f"mode=test&connected=true&code=c&state={'s' * 201}", "400 [E4000]", {"state"}),
        ("mode=test&connected=true&code=c&state=s", "422 [E4220]", {"state"}),
        ("connected=false", "404 [E4040]", {None}),
    ):
        answer = await merchant.asks("PUT", query)
        assert (code(answer), problems(answer).keys()) == (expected, fields), query
    assert await merchant.house.rows() == before


async def test_a_code_is_good_once_and_a_state_too(merchant: Merchant):
    await merchant.gets("POST")
    query = await merchant.begins()
    done = await merchant.gets("PUT", query)
    guess = re.sub("code=[^&]+", "code=auth_guess", query)
    assert problems(await merchant.asks("PUT", guess)).keys() == {"state"}
    # The same code with a fresh state: Mollie says no, and ends what the first had led to.
    asked = await merchant.gets("PUT", "mode=test&connected=false")
    state = re.search("state=([^&]+)", asked["nextAction"]["url"])
    assert state is not None
    again = re.sub("state=[^&]+", f"state={state[1]}", query)
    answer = await merchant.asks("PUT", again)
    assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {"code"})
    assert (await merchant.gets("GET"))["account"] == done["account"]


async def test_another_apps_state_connects_nothing(merchant: Merchant):
    house = merchant.house
    await merchant.gets("POST")
    query = await merchant.begins()
    path = house.other.path(f"{ACCOUNTS}?{query}")
    answer = await house.door.put(path, headers=dict(house.other.admin))
    assert code(answer) == "404 [E4040]"
    begins = house.other.path(f"{ACCOUNTS}?mode=test")
    assert (await house.door.post(begins, headers=dict(house.other.admin))).status_code == 201
    answer = await house.door.put(path, headers=dict(house.other.admin))
    assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {"state"})
    assert (await merchant.gets("PUT", query))["connected"] is True


async def test_no_token_code_state_or_secret_is_in_a_table_or_an_answer(merchant: Merchant):
    await merchant.gets("POST")
    query = await merchant.begins()
    answer = await merchant.asks("PUT", query)
    assert answer.status_code == 200
    found = re.fullmatch("mode=test&connected=true&code=(.+)&state=(.+)", query)
    assert found is not None
    rows = await dump(merchant.house)
    for secret in (*found.groups(), "access_", "refresh_", OUR_APP["clientSecret"]):
        assert secret not in rows.replace("access_s", "").replace("refresh_s", "")
        assert secret.encode().hex() not in rows
        assert secret not in answer.text


async def test_a_disconnected_account_waits_again_and_mollie_is_told(merchant: Merchant):
    done = await merchant.connects()
    answer = await merchant.asks("DELETE")
    assert answer.status_code == 201
    row = answer.json()["items"][0]
    assert PENDING.fullmatch(row["account"])
    assert (row["uuid"], row["connected"], row["profileId"]) == (done["uuid"], False, None)
    assert (row["providerMetadata"], row["disconnectedBy"]) == ({}, "app")
    (grant,) = await merchant.grants()
    assert grant["revokedAt"] is not None
    assert await merchant.gets("DELETE") == row
    assert await merchant.house.connection.fetchval(
        "select num_nulls(refresh_sealed, access_sealed, state_hash, code_hash) "
        "from provider_grants"
    ) == 4  # fmt: skip


async def test_a_used_account_is_not_given_to_another_organisation(merchant: Merchant):
    await merchant.connects()
    await merchant.house.bought()
    await merchant.asks("DELETE")
    stranger = await founded(merchant.sandbox, "Books")
    answer = await merchant.asks("PUT", await merchant.begins(stranger))
    assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {"code"})
    assert "make another account" in answer.text
    assert (await merchant.gets("PUT", await merchant.begins()))["connected"] is True


async def test_six_who_make_the_account_at_once_make_one(merchant: Merchant):
    answers = await asyncio.gather(*[merchant.asks("POST") for _ in range(6)])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["items"][0]["uuid"] for answer in answers}) == 1


async def test_an_answer_of_mollies_that_cannot_be_kept_leaves_no_consent_behind(
    merchant: Merchant,
):
    await merchant.gets("POST")
    odd = Merchant(merchant.house, merchant.sandbox, await founded(merchant.sandbox, "Flo\x00wers"))
    answer = await odd.asks("PUT", await odd.begins())
    assert code(answer) == "502 [E5020]"
    (grant,) = await odd.grants()
    assert grant["revokedAt"] is not None


async def test_the_consent_of_a_deleted_account_stays_until_it_is_ended(merchant: Merchant):
    house, row = merchant.house, await merchant.connects()
    await house.ok(house.app.admin, "DELETE", f"/payment-providers/{row['uuid']}")
    (grant,) = await merchant.grants()
    assert grant["revokedAt"] is None  # refunds and renewals go on
    over = await merchant.gets("DELETE")
    assert (over["uuid"], over["connected"], over["deletedAt"] is None) == (
        row["uuid"],
        False,
        False,
    )
    (grant,) = await merchant.grants()
    assert grant["revokedAt"] is not None
    assert code(await merchant.asks("DELETE")) == "404 [E4040]"


async def test_an_unused_account_may_become_another_organisations(merchant: Merchant):
    await merchant.connects()
    stranger = await founded(merchant.sandbox, "Books")
    done = await merchant.gets("PUT", await merchant.begins(stranger))
    assert (done["account"], done["connected"]) == (stranger, True)
    (grant,) = await merchant.grants()
    assert grant["revokedAt"] is not None
    assert (await merchant.house.buy()).status_code == 200


async def test_a_connected_account_has_no_credential_and_a_pending_one_is_no_default(
    merchant: Merchant,
):
    house, row = merchant.house, await merchant.gets("POST")
    path = f"/payment-providers/{row['uuid']}"
    shown = await house.ok(house.app.admin, "GET", path)
    assert (shown["connected"], shown["credentialHint"]) == (False, "")
    assert shown["account"] == row["account"]
    for said, field in (
        ({"credential": "test_0123456789012345"}, "credential"),
        ({"isDefault": True}, "isDefault"),
    ):
        answer = await house.ask(house.app.admin, "PUT", path, said)
        assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {field})


async def test_a_provider_that_knows_no_consent_has_no_such_accounts(house: House):
    for method, query in (("GET", ""), ("POST", ""), ("PUT", "?connected=false"), ("DELETE", "")):
        for provider in ("komoju", "stripe"):
            path = f"/payment-providers/{provider}/accounts{query}"
            answer = await house.ask(house.app.admin, method, path)
            assert code(answer) == "404 [E4040]", (method, provider)


async def test_an_operator_who_has_not_registered_is_told_what_to_set(
    house: House, settings: Settings
):
    application = build(
        Settings(
            database_url=settings.database_url,
            mollie_url=settings.mollie_url,
            secret_key=settings.secret_key,
        )
    )
    transport = httpx.ASGITransport(app=application)
    url = "https://billing.example"
    async with (
        running(application),
        httpx.AsyncClient(transport=transport, base_url=url) as door,
    ):
        for method, query in (
            ("POST", ""),
            ("PUT", "?connected=false"),
            ("PUT", "?connected=true&code=c&state=s"),
        ):
            path = house.app.path(f"{ACCOUNTS}{query}")
            answer = await door.request(method, path, headers=dict(house.app.admin))
            assert code(answer) == "422 [E4220]", method
            assert "KONTOR_MOLLIE_CONNECT_CLIENT_ID" in answer.text
        path = house.app.path(ACCOUNTS)
        assert (await door.get(path, headers=dict(house.app.admin))).json()["items"] == []
        assert code(await door.delete(path, headers=dict(house.app.admin))) == "404 [E4040]"


@pytest.mark.parametrize("key_type", ["read", "write"])
async def test_a_key_does_what_a_key_may(merchant: Merchant, key_type: str):
    key = merchant.house.app.key(key_type)
    assert (await merchant.asks("GET", who=key)).status_code == (200 if key_type == "read" else 401)
    assert (await merchant.asks("POST", who=key)).status_code == (
        201 if key_type == "write" else 401
    )
