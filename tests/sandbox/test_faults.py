"""Faults on order: before the commit nothing happened, after it everything did."""

import httpx
import pytest

from tests.sandbox.shop import a_payment

KEY = {"Idempotency-Key": "order-7"}


async def order(shop, kind, **more):
    await shop.control("faults", operation="createPayment", kind=kind, **more)


async def create(shop):
    return await shop.call("POST", "payments", json=a_payment(), headers=KEY)


async def count(shop):
    return len(await shop.held("payments"))


async def test_a_status_comes_as_often_as_ordered_and_is_not_kept(shop):
    await order(shop, "status", status=503, times=2)
    answers = [(await create(shop)).status_code for _ in range(3)]
    assert answers == [503, 503, 201]
    assert await count(shop) == 1


@pytest.mark.parametrize("status", [429, 500, 502])
async def test_a_status_has_the_usual_envelope(shop, status):
    await order(shop, "status", status=status)
    answer = await create(shop)
    assert answer.json()["status"] == answer.status_code == status
    assert answer.headers["content-type"] == "application/hal+json"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("timeoutBeforeCommit", httpx.ReadTimeout),
        ("connectionReset", httpx.RemoteProtocolError),
    ],
)
async def test_before_the_commit_nothing_has_happened(shop, kind, error):
    await order(shop, kind)
    with pytest.raises(error):
        await create(shop)
    assert await count(shop) == 0
    again = await create(shop)
    assert again.status_code == 201
    assert "idempotent-replayed" not in again.headers


async def test_after_the_commit_only_the_answer_is_lost(shop):
    await order(shop, "timeoutAfterCommit")
    with pytest.raises(httpx.ReadTimeout):
        await create(shop)
    assert await count(shop) == 1
    again = await create(shop)
    assert again.headers["idempotent-replayed"] == "true"
    assert await count(shop) == 1


async def test_half_of_the_answer_is_no_json_but_the_payment_exists(shop):
    await order(shop, "truncatedJson")
    broken = await create(shop)
    assert broken.status_code == 201
    with pytest.raises(ValueError):
        broken.json()
    assert (await create(shop)).json()["id"] == (await shop.held("payments"))[0]["id"]


async def test_a_fault_meets_only_its_operation(shop):
    await shop.control("faults", operation="createCustomer", kind="status")
    assert (await create(shop)).status_code == 201
    assert (await shop.call("POST", "customers", json={})).status_code == 503


async def test_any_means_the_next_call_whatever_it_is(shop):
    await shop.control("faults", operation="any", kind="status", status=500)
    assert (await shop.call("GET", "methods")).status_code == 500
    assert (await shop.call("GET", "methods")).status_code == 200


async def test_a_slow_answer_is_slow_and_right(shop):
    await shop.control("settings", latencyMs=20)
    assert (await create(shop)).status_code == 201


async def test_orders_that_make_no_sense_are_refused(shop):
    for body in (
        {"operation": "createMoney", "kind": "status"},
        {"operation": "any", "kind": "meltdown"},
        {"operation": "any", "kind": "status", "status": 200},
        {"operation": "any", "kind": "status", "often": 3},
    ):
        answer = await shop.http.post("/_control/faults", json=body)
        assert answer.status_code == 422
        assert answer.json()["error"]


async def test_the_log_tells_what_was_asked_and_how_it_went_wrong(shop):
    await order(shop, "connectionReset")
    with pytest.raises(httpx.RemoteProtocolError):
        await create(shop)
    await create(shop)
    await create(shop)
    log = await shop.held("requests")
    assert [(r["status"], r["replayed"], r["fault"]) for r in log] == [
        (201, True, None),
        (201, False, None),
        (None, False, "connectionReset"),
    ]
    assert {r["operation"] for r in log} == {"createPayment"}
    assert {r["idempotencyKey"] for r in log} == {"order-7"}
    assert {r["key"] for r in log} == {"test_shop..."}
