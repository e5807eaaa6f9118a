"""Accounts at providers: a credential goes in, is used, and never comes out again."""

import base64
from typing import Any, Final

import httpx
import pytest

from tests.http.house import House, Json, code, problems

LIST: Final = "/payment-providers"
OLD: Final = "test_canary0old0canary0old0canary"
NEW: Final = "test_canary0new0canary0new0canary"
ROW: Final = {
    "id", "uuid", "appUuid", "name", "mode", "title", "isDefault", "credentialHint",
    "hasWebhookSecret", "verificationAmount", "account", "connected", "createdAt", "updatedAt",
    "deletedAt",
}  # fmt: skip


async def account(house: House, credential: str = OLD, **said: Any) -> Json:
    body = {"name": "mollie", "credential": credential} | said
    return await house.ok(house.app.admin, "POST", LIST, body)


async def defaults(house: House) -> list[str]:
    found = (await house.ask(house.app.admin, "GET", LIST)).json()["items"]
    return [row["uuid"] for row in found if row["isDefault"]]


async def dump(house: House) -> str:
    """Every row of every table, as text; bytes are in it as hexadecimal digits."""
    text = ""
    for table in await house.rows():
        for row in await house.connection.fetch(f'select t::text from "{table}" t'):
            text += row[0] + "\n"
    return text


async def test_a_credential_is_in_no_answer_and_in_no_table(house: House):
    keyed = {**house.app.admin, "Idempotency-Key": "k"}
    body = {"name": "mollie", "credential": OLD, "title": "Ours"}
    answers = [await house.ask(keyed, "POST", LIST, body) for _ in range(2)]
    path = f"{LIST}/{answers[0].json()['items'][0]['uuid']}"
    wrong: list[Json] = [
        body | {"mode": "live"},
        body | {"credential": f"{OLD} with a space"},
        body | {"credential": OLD.replace("test_", "pk_")},
    ]
    answers += [await house.ask(house.app.admin, "POST", LIST, said) for said in wrong]
    answers += [await house.ask(keyed, "POST", LIST, body | {"credential": NEW})]
    answers += [await house.ask(house.app.admin, "PUT", path, {"credential": NEW})]
    answers += [await house.ask(house.app.admin, "PUT", path, {"isDefault": True})]
    answers += [await house.buy()]
    answers += [await house.ask(house.app.admin, "GET", where) for where in (LIST, path)]
    answers += [await house.ask(house.app.admin, "DELETE", path)]
    answers += [await house.door.get("/metrics")]
    assert {answer.status_code for answer in answers} == {200, 201, 400, 422}
    rows = await dump(house)
    for secret in ("canary0old", "canary0new", house.app.secrets["mollie"], "canary"):
        for said in (secret, secret.encode().hex(), base64.b64encode(secret.encode()).decode()):
            assert said not in rows
            assert [a.text for a in answers if said in a.text or said in str(a.headers)] == []


async def test_an_account_has_the_row_without_its_credential(house: House):
    row = await account(house, title="Mollie EU", verificationAmount=1)
    assert set(row) == ROW
    expected = {
        "name": "mollie",
        "mode": "test",
        "title": "Mollie EU",
        "isDefault": False,
        "credentialHint": f"...{OLD[-4:]}",
        "hasWebhookSecret": False,
        "verificationAmount": 1,
        "connected": True,
        "deletedAt": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert await house.ok(house.app.key("read"), "GET", f"{LIST}/{row['uuid']}") == row


async def test_the_first_account_is_the_default_and_another_may_become_it(house: House):
    first = house.app.ids["account"]
    second = (await account(house))["uuid"]
    assert await defaults(house) == [first]
    await house.ok(house.app.admin, "PUT", f"{LIST}/{second}", {"isDefault": True})
    assert await defaults(house) == [second]
    assert (await house.bought())["paymentProviderUuid"] == second
    refused = await house.ask(house.app.admin, "PUT", f"{LIST}/{second}", {"isDefault": False})
    assert (code(refused), problems(refused).keys()) == ("422 [E4220]", {"isDefault"})


async def test_a_rotated_credential_is_used_from_then_on(house: House, sandbox: httpx.AsyncClient):
    """The sandbox keeps a world per key."""
    path = f"{LIST}/{house.app.ids['account']}"
    rotated = await house.ok(house.app.admin, "PUT", path, {"credential": NEW})
    assert rotated["credentialHint"] == f"...{NEW[-4:]}"
    payment = f"/v2/payments/{(await house.bought())['sessionId']}"
    for key, status in ((NEW, 200), (house.app.secrets["mollie"], 404)):
        answer = await sandbox.get(payment, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == status


async def test_rotating_stays_within_the_mode(house: House):
    path = f"{LIST}/{house.app.ids['account']}"
    before = await house.rows()
    answer = await house.ask(
        house.app.admin, "PUT", path, {"credential": NEW.replace("test_", "live_")}
    )
    assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {"credential"})
    assert await house.rows() == before


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"mode": "live"}, "mode"),
        ({"credential": "live_0123456789", "mode": "test"}, "mode"),
        ({"credential": "sk_live_0123456789"}, "credential"),
        ({"credential": "test_12"}, "credential"),
        ({"credential": "t" * 201}, "credential"),
        ({"name": "komoju", "credential": "sk_0123456789"}, "mode"),
        ({"name": "stripe"}, "name"),
        ({"verificationAmount": 0}, "verificationAmount"),
    ],
)
async def test_an_account_that_cannot_be_is_refused_by_name(house: House, said: Json, field: str):
    body = {"name": "mollie", "credential": OLD} | said
    before = await house.rows()
    answer = await house.ask(house.app.admin, "POST", LIST, body)
    assert (code(answer), problems(answer).keys()) == ("400 [E4000]", {field})
    assert await house.rows() == before


async def test_all_that_is_wrong_with_a_credential_is_told_at_once(house: House):
    """What is right is the provider's to say; the answer does not repeat what was sent."""
    body = {"name": "komoju", "credential": "pk_test_canary_canary"}
    answer = await house.ask(house.app.admin, "POST", LIST, body)
    assert (code(answer), problems(answer).keys()) == ("400 [E4000]", {"credential", "mode"})
    body = {"name": "mollie", "credential": "access_canary_canary", "webhookSecret": "canary-12"}
    answer = await house.ask(house.app.admin, "POST", LIST, body)
    assert problems(answer).keys() == {"credential", "webhookSecret"}
    assert "canary" not in answer.text


async def test_the_mode_follows_from_the_credential(house: House):
    assert (await account(house, "live_0123456789"))["mode"] == "live"
    assert (await account(house, OLD, mode="test"))["mode"] == "test"


async def test_a_deleted_account_stays_readable_and_takes_no_more_payments(house: House):
    path = f"{LIST}/{house.app.ids['account']}"
    gone = await house.ok(house.app.admin, "DELETE", path)
    assert (gone["connected"], gone["isDefault"]) == (False, False)
    assert gone["deletedAt"] is not None
    assert await house.ok(house.app.admin, "GET", path) == gone
    assert (await house.ask(house.app.admin, "GET", LIST)).json()["totalItems"] == 0
    assert await house.ok(house.app.admin, "DELETE", path) == gone
    assert code(await house.ask(house.app.admin, "PUT", path, {"title": "x"})) == "409 [E4090]"
    assert code(await house.buy()) == "404 [E4040]"


async def test_a_deleted_default_is_replaced_by_nobody_unasked(house: House):
    second = (await account(house, "live_0123456789"))["uuid"]
    await house.ok(house.app.admin, "DELETE", f"{LIST}/{house.app.ids['account']}")
    assert await defaults(house) == []
    await house.ok(house.app.admin, "PUT", f"{LIST}/{second}", {"isDefault": True})
    assert await defaults(house) == [second]
