"""The ways to charge a tenant: which one is the default, what ends one, and what does not."""

import asyncio
from uuid import UUID

import pytest

from tests.http.house import Headers, Json, code, problems
from tests.http.till import Till

SETUP = {"mode": "setup", "productPriceUuid": ..., "currency": "EUR", "taxRateUuid": ...}


def methods(till: Till, uuid: str = "") -> str:
    return f"/tenants/{till.house.app.ids['tenant']}/payment-methods{uuid and '/'}{uuid}"


@pytest.fixture
async def bare(till: Till) -> Till:
    """The tenant has no payment method yet."""
    await till.house.connection.execute("delete from mandates")
    return till


async def stored(till: Till) -> Json:
    """A payment method, as a setup leaves it."""
    payment = await till.sold(**SETUP)
    row: Json = (await till.all(methods(till)))[-1]
    return row | {"payment": payment}


async def standing(till: Till) -> list[tuple[str, bool]]:
    return [(row["status"], row["isDefault"]) for row in await till.all(methods(till))]


async def at_mollie(till: Till, method: Json, verb: str) -> int:
    answer = await till.sandbox.request(
        verb,
        f"/v2/customers/{method['customerId']}/mandates/{method['paymentMethodId']}",
        headers={"Authorization": f"Bearer {till.house.app.secrets['mollie']}"},
    )
    return answer.status_code


async def fails_once(till: Till, operation: str) -> None:
    await till.control(
        "/faults", {"operation": operation, "kind": "status", "status": 503, "times": 1}
    )


async def test_the_first_valid_one_is_the_default_until_another_is_made_it(bare: Till):
    till, member = bare, bare.house.app.user("member")
    first, second = await stored(till), await stored(till)
    assert await standing(till) == [("valid", True), ("valid", False)]
    for _ in range(2):
        row = await till.house.ok(member, "PUT", methods(till, second["uuid"]) + "/default")
        assert row["isDefault"] is True
    assert await standing(till) == [("valid", False), ("valid", True)]
    assert first["uuid"] != second["uuid"]
    told = await till.house.connection.fetchval(
        "select count(*) from outbox where type = 'mandate.made_default'"
    )
    assert told == 1


async def test_of_those_that_become_valid_at_once_one_is_the_default(bare: Till):
    till = bare
    sessions = [await till.house.bought(**SETUP, clientReferenceId=str(n)) for n in range(3)]
    for session in sessions:
        await till.control(f"/payments/{session['sessionId']}/status", {"status": "paid"})
    said = [{**s, "paymentId": s["sessionId"]} for s in sessions]
    await asyncio.gather(*(till.told(payment) for payment in said))
    assert sorted(await standing(till)) == [("valid", False)] * 2 + [("valid", True)]


async def test_two_that_are_made_the_default_at_once_leave_one(bare: Till):
    till, member = bare, bare.house.app.user("member")
    rows = [await stored(till) for _ in range(2)]
    paths = [methods(till, row["uuid"]) + "/default" for row in rows]
    answers = await asyncio.gather(*(till.house.ask(member, "PUT", path) for path in paths * 2))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(await standing(till)) == [("valid", False), ("valid", True)]


async def test_what_cannot_be_charged_is_no_default(bare: Till):
    till, admin = bare, bare.house.app.admin
    await till.control("/settings", {"mandateDelaySeconds": 3600})
    try:
        pending = await stored(till)
    finally:
        await till.control("/settings", {"mandateDelaySeconds": 0})
    assert await standing(till) == [("pending", False)]
    refused = await till.house.ask(admin, "PUT", methods(till, pending["uuid"]) + "/default")
    assert code(refused) == "409 [E4090]"
    # It becomes valid, and nobody calls: mandates have no webhook. The payment is looked at.
    due_at = await till.house.connection.fetchval(
        "select due_at from payments where provider_ref = $1", pending["payment"]["paymentId"]
    )
    assert due_at is not None
    await till.control(f"/mandates/{pending['paymentMethodId']}/status", {"status": "valid"})
    payment = pending["payment"]
    account = UUID(payment["paymentProviderUuid"])
    await till.parts.observe(till.house.app.app_uuid, account, payment["paymentId"])
    assert await standing(till) == [("valid", True)]


async def test_a_provider_that_cannot_say_ends_nothing(bare: Till):
    till = bare
    method = await stored(till)
    await fails_once(till, "getMandate")
    await till.told(method["payment"])
    assert await standing(till) == [("valid", True)]


@pytest.mark.parametrize("how", ["invalid", "gone"])
async def test_the_providers_word_that_it_is_invalid_or_gone_ends_it(bare: Till, how: str):
    till = bare
    method = await stored(till)
    if how == "invalid":
        path = f"/mandates/{method['paymentMethodId']}/status"
        await till.control(path, {"status": "invalid"})
    else:
        assert await at_mollie(till, method, "DELETE") == 204
    await till.told(method["payment"])
    assert await standing(till) == [("invalid", False)]
    await stored(till)
    assert await standing(till) == [("invalid", False), ("valid", True)]


async def test_one_that_is_given_up_is_gone_at_the_provider_too(bare: Till):
    till, member = bare, bare.house.app.user("member")
    method = await stored(till)
    for _ in range(2):
        row = await till.house.ok(member, "DELETE", methods(till, method["uuid"]))
        assert (row["status"], row["isDefault"]) == ("invalid", False)
    assert await at_mollie(till, method, "GET") == 410
    await till.told(method["payment"])
    assert await standing(till) == [("invalid", False)]
    told = await till.house.connection.fetch(
        "select type from outbox where aggregate_uuid = $1 order by id", UUID(method["uuid"])
    )
    assert [row["type"] for row in told] == ["mandate.valid", "mandate.revoked"]


async def test_while_the_provider_is_away_it_is_kept_and_can_be_given_up_later(bare: Till):
    till, member = bare, bare.house.app.user("member")
    method = await stored(till)
    await fails_once(till, "revokeMandate")
    away = await till.house.ask(member, "DELETE", methods(till, method["uuid"]))
    assert away.status_code == 503
    assert await standing(till) == [("valid", True)]
    await till.house.ok(member, "DELETE", methods(till, method["uuid"]))
    assert await standing(till) == [("invalid", False)]


async def test_one_that_a_subscription_is_charged_on_is_kept_unless_the_app_insists(bare: Till):
    till, member = bare, bare.house.app.user("member")
    await till.subscribed()
    subscription = await till.house.connection.fetchval("select uuid from subscriptions")
    (method,) = await till.all(methods(till))
    path = methods(till, method["uuid"])
    kept = await till.house.ask(member, "DELETE", path)
    assert code(kept) == "409 [E4090]"
    assert str(subscription) in str(problems(kept)[None])
    assert await at_mollie(till, method, "GET") == 200
    row = await till.house.ok(member, "DELETE", f"{path}?force=true")
    assert row["status"] == "invalid"
    assert await at_mollie(till, method, "GET") == 410


async def test_it_is_given_up_when_its_subscription_has_ended(bare: Till):
    till = bare
    await till.subscribed()
    (method,) = await till.all(methods(till))
    await till.house.connection.execute("update subscriptions set status = 'canceled'")
    row = await till.house.ok(till.house.app.user("owner"), "DELETE", methods(till, method["uuid"]))
    assert row["status"] == "invalid"


async def test_another_tenants_payment_method_is_not_there(bare: Till):
    till, house = bare, bare.house
    method = await stored(till)
    theirs = f"/tenants/{house.app.ids['other_tenant']}/payment-methods/{method['uuid']}"
    before = await house.rows()
    whos: list[tuple[Headers, str]] = [
        (house.app.admin, theirs),
        (house.app.user("neighbour"), theirs),
        (house.app.user("neighbour"), methods(till, method["uuid"])),
        (house.app.user("guest", "refunds:write"), methods(till, method["uuid"])),
    ]
    for who, path in whos:
        assert code(await house.ask(who, "DELETE", path)) == "404 [E4040]"
        assert code(await house.ask(who, "PUT", f"{path}/default")) == "404 [E4040]"
    assert await house.rows() == before


def all_methods(till: Till, query: str = "") -> str:
    tenant = till.house.app.ids["tenant"]
    return f"/tenants/{tenant}/payment-providers/mollie/payment-methods{query}"


async def test_all_of_a_tenants_methods_at_a_provider_end_at_once(bare: Till):
    till, member = bare, bare.house.app.user("member")
    first, second = await stored(till), await stored(till)
    answer = await till.house.ask(member, "DELETE", all_methods(till))
    assert answer.json()["totalItems"] == 2
    assert {row["uuid"] for row in answer.json()["items"]} == {first["uuid"], second["uuid"]}
    assert {row["status"] for row in answer.json()["items"]} == {"invalid"}
    assert [await at_mollie(till, m, "GET") for m in (first, second)] == [410, 410]
    again = await till.house.ask(member, "DELETE", all_methods(till))
    assert (again.status_code, again.json()["items"]) == (200, [])


async def test_when_the_provider_is_away_a_repeat_goes_on(bare: Till):
    till, member = bare, bare.house.app.user("member")
    first, second = await stored(till), await stored(till)
    assert await at_mollie(till, second, "DELETE") == 204  # which is told to us as gone already
    await fails_once(till, "revokeMandate")
    answer = await till.house.ask(member, "DELETE", all_methods(till))
    assert answer.status_code == 503
    again = await till.house.ask(member, "DELETE", all_methods(till))
    assert {row["uuid"] for row in again.json()["items"]} == {first["uuid"], second["uuid"]}


async def test_one_that_the_provider_keeps_does_not_keep_the_others(bare: Till):
    till, member = bare, bare.house.app.user("member")
    await stored(till)
    await stored(till)
    fault = {"operation": "revokeMandate", "kind": "status", "status": 422, "times": 1}
    await till.control("/faults", fault)
    answer = await till.house.ask(member, "DELETE", all_methods(till))
    assert code(answer) == "422 [E4220]"
    assert sorted(status for status, _ in await standing(till)) == ["invalid", "valid"]


async def test_what_a_subscription_is_charged_on_is_kept_unless_the_app_insists(till: Till):
    await till.subscribed()
    member = till.house.app.user("member")
    before = await standing(till)
    assert code(await till.house.ask(member, "DELETE", all_methods(till))) == "409 [E4090]"
    assert await standing(till) == before
    answer = await till.house.ask(member, "DELETE", all_methods(till, "?force=true"))
    assert answer.status_code == 200
    assert {status for status, _ in await standing(till)} == {"invalid"}
