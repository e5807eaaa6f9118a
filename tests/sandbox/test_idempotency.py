"""Idempotency keys: one effect and one answer for an hour, on POST, per credential."""

import asyncio

from tests.sandbox.shop import Shop, a_payment

KEY = {"Idempotency-Key": "order-7"}


async def test_a_repeated_call_has_one_effect_and_the_first_answer(shop):
    first = await shop.call("POST", "payments", json=a_payment(), headers=KEY)
    again = await shop.call("POST", "payments", json=a_payment(), headers=KEY)

    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (201, first.content)
    assert len(await shop.held("payments")) == 1


async def test_the_same_key_for_something_else_is_refused(shop):
    await shop.call("POST", "payments", json=a_payment(), headers=KEY)
    other_body = await shop.call("POST", "payments", json=a_payment(locale="de_DE"), headers=KEY)
    other_place = await shop.call("POST", "customers", json={}, headers=KEY)
    assert (other_body.status_code, other_place.status_code) == (400, 400)
    assert other_body.json()["detail"] == "This Idempotency-Key has already been used."


async def test_while_the_first_is_being_answered_the_second_must_wait(shop):
    await shop.control("settings", latencyMs=50)
    calls = (shop.call("POST", "payments", json=a_payment(), headers=KEY) for _ in range(5))
    answers = await asyncio.gather(*calls)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert len(await shop.held("payments")) == 1


async def test_after_an_hour_the_key_is_a_new_one(shop):
    first = await shop.post("payments", a_payment(), **KEY)
    await shop.advance(minutes=59)
    assert (await shop.post("payments", a_payment(), **KEY))["id"] == first["id"]
    await shop.advance(minutes=1)
    assert (await shop.post("payments", a_payment(), **KEY))["id"] != first["id"]


async def test_keys_of_different_credentials_do_not_meet(sandbox, shop):
    first = await shop.post("payments", a_payment(), **KEY)
    other = Shop(sandbox, "test_other")
    async with other.http:
        assert (await other.post("payments", a_payment(), **KEY))["id"] != first["id"]


async def test_other_methods_accept_a_key_and_ignore_it(shop):
    payment = await shop.post("payments", a_payment(), **KEY)
    for _ in range(2):
        answer = await shop.call("GET", f"payments/{payment['id']}", headers=KEY)
        assert answer.status_code == 200
        assert "idempotent-replayed" not in answer.headers


async def test_refusals_are_kept_or_not_as_the_setting_says(shop):
    bad, good = a_payment(description=None), a_payment()
    assert (await shop.call("POST", "payments", json=bad, headers=KEY)).status_code == 422
    assert (await shop.call("POST", "payments", json=good, headers=KEY)).status_code == 400

    await shop.control("settings", idempotencyCachesErrors=False)
    other = {"Idempotency-Key": "order-8"}
    assert (await shop.call("POST", "payments", json=bad, headers=other)).status_code == 422
    assert (await shop.call("POST", "payments", json=good, headers=other)).status_code == 201
