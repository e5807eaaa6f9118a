"""What Mollie calls: always 200, nothing in it believed, nothing lost."""

import time
from typing import Any, Final

import httpx
import pytest

from tests.http.house import House, Json

HOOK: Final = "/api/v1/webhooks/mollie"
RECEIVED: Final = {"received": True}
IGNORED: Final = {"received": True, "ignored": True}


async def call(house: House, account: str | None, **content: Any) -> httpx.Response:
    query = {} if account is None else {"paymentProviderUuid": account}
    answer = await house.door.post(HOOK, params=query, **content)
    assert answer.status_code == 200, answer.text
    return answer


async def told(house: House, row: Json, as_json: bool = False) -> Any:
    said: Json = {"id": row["sessionId"]}
    content = {"json": said} if as_json else {"data": said}
    return (await call(house, row["paymentProviderUuid"], **content)).json()


async def becomes(sandbox: httpx.AsyncClient, row: Json, status: str) -> None:
    path = f"/_control/payments/{row['sessionId']}/status"
    answer = await sandbox.post(path, json={"status": status})
    assert answer.is_success, answer.text


async def fails_once(sandbox: httpx.AsyncClient, kind: str) -> None:
    """The next time that Mollie is asked for a payment."""
    fault = {"operation": "getPayment", "kind": kind, "times": 1}
    if kind == "status":
        fault["status"] = 503
    answer = await sandbox.post("/_control/faults", json=fault)
    assert answer.is_success, answer.text


async def session(house: House, row: Json) -> Json:
    return await house.ok(house.app.admin, "GET", f"/checkout-sessions/{row['uuid']}")


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_paid_payment_is_received(house: House, sandbox: httpx.AsyncClient, as_json: bool):
    row = await house.bought()
    await becomes(sandbox, row, "paid")
    assert await told(house, row, as_json) == RECEIVED
    after = await session(house, row)
    assert (after["status"], after["paymentStatus"]) == ("complete", "paid")


@pytest.mark.parametrize("status", ["open", "failed", "canceled", "expired", "pending"])
async def test_what_is_not_yet_paid_is_answered_with_its_status(
    house: House, sandbox: httpx.AsyncClient, status: str
):
    row = await house.bought()
    if status != "open":
        await becomes(sandbox, row, status)
    assert await told(house, row) == {"received": True, "status": status}
    after = await session(house, row)
    assert after["status"] == ("processing" if status == "pending" else "open")
    assert after["paymentStatus"] == "unpaid"
    assert after["attempts"][0]["status"] == status


async def test_told_twice_nothing_happens_the_second_time(house: House, sandbox: httpx.AsyncClient):
    row = await house.bought()
    await becomes(sandbox, row, "paid")
    assert await told(house, row) == RECEIVED
    before = await house.rows("inbox")
    assert await told(house, row) == RECEIVED
    assert await house.rows("inbox") == before
    assert await house.count("one_time_payments") == 1


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"data": {"id": ""}},
        {"data": {"id": "ord_123"}},
        {"data": {"id": "tr_1' or 1=1 --"}},
        {"data": {"id": "tr_../../v2/customers"}},
        {"data": {"id": "tr_" + "x" * 3000}},
        {"data": {"no": "id"}},
        {"json": {"id": 7}},
        {"json": {"id": None}},
        {"json": ["tr_123"]},
        {"json": "tr_123"},
        {"content": b"\xff\xfe\x00"},
        {"content": b"{"},
        {"content": b"[" * 3000},
        {"content": b'{"id":' * 600},
        {"content": b"&" * 3000},
        {"content": b"id=tr_1\x00"},
    ],
    ids=lambda content: str(content)[:30],
)
async def test_what_names_no_payment_is_ignored(house: House, content: Json):
    before = await house.rows()
    assert (await call(house, house.app.ids["account"], **content)).json() == IGNORED
    assert await house.rows() == before


@pytest.mark.parametrize("account", [None, "", "x", "00000000-0000-7000-8000-000000000000"])
async def test_what_names_no_account_is_ignored(house: House, account: str | None):
    row = await house.bought()
    before = await house.rows()
    assert (await call(house, account, data={"id": row["sessionId"]})).json() == IGNORED
    assert await house.rows() == before


async def test_a_payment_that_nobody_knows_is_ignored(house: House):
    answer = await call(house, house.app.ids["account"], data={"id": "tr_unknown"})
    assert answer.json() == IGNORED


async def test_a_payment_of_the_other_app_changes_nothing(house: House, sandbox: httpx.AsyncClient):
    row = await house.bought()
    await becomes(sandbox, row, "paid")
    before = await house.rows("inbox")
    answer = await call(house, house.other.ids["account"], data={"id": row["sessionId"]})
    assert answer.json() == IGNORED
    assert await house.rows("inbox") == before


@pytest.mark.parametrize(("size", "status"), [(5_000, 200), (100_000, 413)])
async def test_a_large_body_is_ignored_and_a_huge_one_not_even_read(
    house: House, size: int, status: int
):
    before = await house.rows()
    answer = await house.door.post(
        HOOK, params={"paymentProviderUuid": house.app.ids["account"]}, content=b"x" * size
    )
    assert answer.status_code == status
    assert await house.rows() == before


@pytest.mark.parametrize("kind", ["status", "truncatedJson"])
async def test_what_mollie_does_not_tell_is_stored_for_later(
    house: House, sandbox: httpx.AsyncClient, kind: str
):
    row = await house.bought()
    await becomes(sandbox, row, "paid")
    await fails_once(sandbox, kind)
    assert await told(house, row) == RECEIVED
    (message,) = await house.connection.fetch("select * from inbox")
    assert (message["provider_ref"], message["done_at"]) == (row["sessionId"], None)
    assert message["due_at"] is not None
    assert (await session(house, row))["status"] == "open"
    assert await told(house, row) == RECEIVED
    assert (await session(house, row))["status"] == "complete"


async def test_mollie_hears_from_us_within_two_seconds_while_it_is_slow(
    house: House, sandbox: httpx.AsyncClient
):
    row = await house.bought()
    await fails_once(sandbox, "timeoutBeforeCommit")
    started = time.monotonic()
    assert await told(house, row) == RECEIVED
    assert time.monotonic() - started < 2
    assert await house.count("inbox") == 1


async def test_only_post_is_listened_to(house: House):
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert (await house.door.request(method, HOOK)).status_code == 405
