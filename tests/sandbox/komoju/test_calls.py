"""Every call: who may make it, how often it has an effect, and how it goes wrong on order."""

import asyncio

import httpx
import pytest

from tests.sandbox.komoju.till import Till, a_charge, a_session

NAME = {"X-KOMOJU-IDEMPOTENCY": "attempt-7"}


async def create(till, headers=NAME, **changes):
    return await till.call("POST", "sessions", json=a_session(**changes), headers=headers)


@pytest.mark.parametrize(
    ("user", "password", "status"),
    [
        ("sk_test_shop", "secret", 401),
        ("sk_shop", "", 401),
        ("test_shop", "", 401),
        ("", "", 401),
        ("pk_test_shop", "", 403),
        ("sk_live_shop", "", 200),
    ],
)
async def test_a_secret_key_without_a_password_opens_its_own_world(till, user, password, status):
    await till.paid()
    answer = await till.call("GET", "payments", auth=(user, password))
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["total"] == 0
    else:
        assert answer.json()["error"]["code"] == {401: "unauthorized", 403: "forbidden"}[status]


@pytest.mark.parametrize("header", ["Bearer sk_test_shop", "Basic ???", "Basic", "Basic /w=="])
async def test_a_credential_that_cannot_be_read_is_refused(sandbox, header):
    transport = httpx.ASGITransport(app=sandbox)
    async with httpx.AsyncClient(transport=transport, base_url="http://komoju.test") as http:
        headers = {"Authorization": header}
        answer = await http.get("/komoju/api/v1/payments", headers=headers)
        assert answer.status_code == 401
        assert (await http.get("/komoju/api/v1/payments")).status_code == 401


async def test_a_version_is_one_of_those_that_exist(till):
    for version, status in (("2025-01-28", 200), ("2024-07-15", 200), ("2025-01-29", 400)):
        headers = {"X-KOMOJU-API-VERSION": version}
        assert (await till.call("GET", "payments", headers=headers)).status_code == status


async def test_a_repeated_call_has_one_effect_and_the_same_answer(till):
    first, again = await create(till), await create(till)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert first.headers == again.headers
    assert len(await till.held("sessions")) == 1
    assert [one["replayed"] for one in await till.held("requests")] == [True, False]


async def test_a_charge_under_one_name_is_made_once(till):
    id = await till.customer()
    for _ in range(3):
        await till.post("payments", a_charge(id), name="charge-7")
    assert len(await till.held("payments")) == 1
    await till.post("payments", a_charge(id), name="charge-8")
    assert len(await till.held("payments")) == 2


async def test_two_partial_refunds_under_one_name_are_one(till):
    payment = await till.paid()
    path = f"payments/{payment['id']}/refund"
    for name in ("refund-1", "refund-1", "refund-2"):
        shown = await till.post(path, {"amount": 900}, name=name)
    assert shown["amount_refunded"] == 1800


async def test_a_declined_charge_is_declined_again_under_its_name(till):
    id = await till.customer()
    await till.control("settings", recurringOutcomes=["failed"])
    body = a_charge(id)
    answers = [await till.call("POST", "payments", json=body, headers=NAME) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [402, 402]
    assert len(await till.held("payments")) == 1


async def test_the_same_name_for_something_else_is_refused(till):
    await create(till)
    other = await create(till, amount=1)
    assert other.status_code == 422
    assert len(await till.held("sessions")) == 1


async def test_while_the_first_is_being_answered_the_second_is_409(till):
    await till.control("settings", latencyMs=50)
    answers = await asyncio.gather(*(create(till) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert len(await till.held("sessions")) == 1


async def test_after_a_day_the_name_is_a_new_one_and_a_late_retry_acts_again(till):
    first = (await create(till)).json()
    await till.advance(hours=23, minutes=59)
    assert (await create(till)).json()["id"] == first["id"]
    await till.advance(minutes=1)
    assert (await create(till)).json()["id"] != first["id"]
    assert len(await till.held("sessions")) == 2


async def test_names_of_different_keys_do_not_meet(sandbox, till):
    first = (await create(till)).json()
    other = Till(sandbox, "sk_test_other")
    async with other.http:
        assert (await create(other)).json()["id"] != first["id"]


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "ü"])
async def test_a_name_that_cannot_be_is_a_bad_request(till, name):
    answer = await create(till, {"X-KOMOJU-IDEMPOTENCY": name.encode()})
    assert answer.status_code == 400
    assert (await create(till, {"X-KOMOJU-IDEMPOTENCY": "x" * 100})).status_code == 200


async def test_only_post_heeds_a_name_and_only_that_header(till):
    session = (await create(till)).json()
    await till.shopper(session, "paid", "credit_card")
    for status in ("completed", "completed"):
        answer = await till.call("GET", f"sessions/{session['id']}", headers=NAME)
        assert answer.json()["status"] == status
    headers = {"Idempotency-Key": "attempt-8"}
    assert (await create(till, headers)).json()["id"] != (await create(till, headers)).json()["id"]


async def order(till, kind, operation="createSession", **more):
    await till.control("faults", operation=operation, kind=kind, **more)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "too_many_requests"),
        (500, "internal_server_error"),
        (502, "bad_gateway"),
        (503, "service_unavailable"),
        (504, "gateway_timeout"),
        (418, "bad_request"),
    ],
)
async def test_a_status_comes_as_often_as_ordered_in_the_usual_envelope(till, status, code):
    await order(till, "status", status=status, times=2)
    answers = [await create(till) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].json()["error"]["code"] == code
    assert len(await till.held("sessions")) == 1


async def test_a_fault_can_say_when_to_come_back(till):
    await order(till, "status", status=429, retryAfterSeconds=7)
    assert (await create(till)).headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("timeoutBeforeCommit", httpx.ReadTimeout),
        ("connectionReset", httpx.RemoteProtocolError),
    ],
)
async def test_before_the_commit_nothing_has_happened(till, kind, error):
    await order(till, kind)
    with pytest.raises(error):
        await create(till)
    assert await till.held("sessions") == []
    assert (await create(till)).status_code == 200


async def test_after_the_commit_only_the_answer_is_lost(till):
    id = await till.customer()
    await order(till, "timeoutAfterCommit", "createPayment")
    with pytest.raises(httpx.ReadTimeout):
        await till.post("payments", a_charge(id), name="charge-7")
    [lost] = (await till.get("payments", external_order_num="invoice-7"))["data"]
    again = await till.post("payments", a_charge(id), name="charge-7")
    assert again["id"] == lost["id"]
    assert len(await till.held("payments")) == 1


async def test_who_asks_again_without_a_name_has_charged_twice(till):
    id = await till.customer()
    await order(till, "timeoutAfterCommit", "createPayment")
    with pytest.raises(httpx.ReadTimeout):
        await till.charge(id)
    await till.charge(id)
    assert (await till.get("payments", external_order_num="invoice-7"))["total"] == 2


async def test_half_of_the_answer_is_no_json_but_the_session_exists(till):
    await order(till, "truncatedJson")
    broken = await create(till)
    assert broken.status_code == 200
    with pytest.raises(ValueError):
        broken.json()
    assert (await create(till)).json()["id"] == (await till.held("sessions"))[0]["id"]


async def test_a_fault_meets_only_its_operation_and_only_this_provider(till):
    await order(till, "status", "listEvents")
    assert (await create(till)).status_code == 200
    headers = {"Authorization": "Bearer test_shop"}
    answer = await till.http.get("/v2/methods", headers=headers, auth=None)
    assert answer.status_code == 200
    assert (await till.call("GET", "events")).status_code == 503


async def test_above_the_limit_calls_are_told_to_wait(till):
    await till.control("settings", callsPerSecond=1)
    answers = [await till.call("GET", "payments") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 429, 429]
    assert answers[1].headers["retry-after"] == "1"


async def test_the_log_tells_what_was_asked_without_the_key(till):
    await order(till, "connectionReset")
    with pytest.raises(httpx.RemoteProtocolError):
        await create(till)
    await create(till)
    log = await till.held("requests")
    assert [(one["status"], one["fault"]) for one in log] == [
        (200, None),
        (None, "connectionReset"),
    ]
    assert {one["idempotencyKey"] for one in log} == {"attempt-7"}
    assert {one["path"] for one in log} == {"/komoju/api/v1/sessions"}
    assert {one["key"] for one in log} == {"sk_test_shop..."}
