"""Webhooks: the bytes, the schedule on the sandbox's clock, and every way of going wrong."""

import asyncio

import pytest

from app.sandbox.mollie.server import create_sandbox
from tests.sandbox.shop import Shop, a_payment, eventually, running

# The ten attempts, in minutes after the change.
SCHEDULE = [0, 1, 3, 7, 15, 31, 60, 120, 240, 1560]


async def a_paid(shop, **changes):
    payment = await shop.pay(**changes)
    await shop.settle(payment["id"], "paid")
    return payment["id"]


async def test_a_webhook_is_a_form_with_nothing_but_the_id(shop, hooks):
    id = await a_paid(shop)
    await eventually(lambda: hooks.ids == [id])

    request = hooks.requests[0]
    assert request.method == "POST"
    assert request.content == f"id={id}".encode()
    assert str(request.url) == "https://shop.example.org/hook?provider=7"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["user-agent"] == "Mollie HTTP client/1.0"
    assert request.headers["content-length"] == str(len(request.content))


async def deliveries(shop):
    return [(d["reason"], d["state"]) for d in await shop.held("deliveries")]


async def test_nobody_hears_of_open_pending_or_an_update(shop, hooks):
    payment = await shop.pay(method="banktransfer")
    await shop.call("PATCH", f"payments/{payment['id']}", json={"description": "New"})
    await shop.settle(payment["id"], "pending")
    assert await deliveries(shop) == []


@pytest.mark.parametrize("status", ["paid", "failed", "canceled", "expired", "authorized"])
async def test_every_other_status_is_told(shop, hooks, status):
    payment = await shop.pay()
    await shop.settle(payment["id"], status)
    await eventually(lambda: hooks.ids == [payment["id"]])


async def test_a_cancellation_by_the_shop_is_told(shop, hooks):
    payment = await shop.pay(method="banktransfer")
    await shop.call("DELETE", f"payments/{payment['id']}")
    await eventually(lambda: hooks.ids == [payment["id"]])


async def test_without_an_address_nothing_is_sent(shop):
    await a_paid(shop, webhookUrl=None)
    assert await deliveries(shop) == []


async def test_only_200_ends_the_ten_attempts_in_26_hours(shop, hooks):
    hooks.answers = [500, 404, 302, 204, 201, 0, 503, 400, 0, 500]
    await a_paid(shop)
    for count, minutes in enumerate(SCHEDULE, start=1):
        await eventually(lambda count=count: len(hooks.ids) == count)
        if count < len(SCHEDULE):
            gap = SCHEDULE[count] - minutes
            # Not before its time, and then at once.
            await shop.advance(seconds=gap * 60 - 5)
            assert len(hooks.ids) == count
            await shop.advance(seconds=5)

    [delivery] = await shop.held("deliveries")
    assert delivery["state"] == "failed"
    assert delivery["nextAttemptAt"] is None
    told = [attempt["status"] for attempt in delivery["attempts"]]
    assert told == [500, 404, 302, 204, 201, None, 503, 400, None, 500]
    await shop.advance(days=30)
    assert len(hooks.ids) == 10


async def test_a_delivery_that_succeeds_later_is_not_repeated(shop, hooks):
    hooks.answers = [500]
    await a_paid(shop)
    await shop.advance(minutes=1)
    await eventually(lambda: len(hooks.ids) == 2)
    await shop.advance(hours=26)
    assert await deliveries(shop) == [("paid", "delivered")]
    assert len(hooks.ids) == 2


async def test_a_long_leap_of_the_clock_makes_all_missed_attempts(shop, hooks):
    hooks.answers = [500] * 10
    await a_paid(shop)
    await shop.advance(hours=27)
    await eventually(lambda: len(hooks.ids) == 10)


async def test_dropped_webhooks_are_recorded_and_can_be_sent_once_more(shop, hooks):
    await shop.control("webhooks", mode="drop")
    id = await a_paid(shop)
    assert await deliveries(shop) == [("paid", "dropped")]
    assert hooks.ids == []

    await shop.control("webhooks/redeliver", paymentId=id)
    await eventually(lambda: hooks.ids == [id])


async def test_duplicates_arrive_at_the_same_time(shop, hooks):
    both = asyncio.Barrier(2)  # nobody is answered before both have arrived

    async def meet(_id):
        async with asyncio.timeout(5):
            await both.wait()

    hooks.on_arrival = meet
    await shop.control("webhooks", mode="duplicate")
    id = await a_paid(shop)
    await eventually(lambda: hooks.ids == [id, id])
    assert await deliveries(shop) == [("paid", "delivered")] * 2


async def test_a_delayed_webhook_waits_on_the_clock(shop, hooks):
    await shop.control("webhooks", mode="normal", delayMs=60_000)
    await a_paid(shop)
    await shop.advance(seconds=50)
    assert hooks.ids == []
    await shop.advance(seconds=10)
    await eventually(lambda: len(hooks.ids) == 1)


async def test_a_webhook_can_overtake_the_answer_to_the_creation(shop, hooks):
    seen = []

    async def look(id):
        seen.append((await shop.get(f"payments/{id}"))["status"])

    hooks.on_arrival = look
    await shop.control("webhooks", mode="beforeResponse")
    payment = await shop.post("payments", a_payment())
    assert hooks.ids == [payment["id"]]
    await shop.settle(payment["id"], "paid")
    assert hooks.ids == [payment["id"]] * 2
    assert seen == ["open", "paid"]


async def test_what_the_clock_brings_is_told_once_even_then(shop, hooks):
    await shop.control("webhooks", mode="beforeResponse")
    payment = await shop.pay(method="ideal")
    await shop.advance(minutes=20)
    assert hooks.ids == [payment["id"]] * 2
    await shop.get("payments")
    assert await deliveries(shop) == [("expired", "delivered"), ("created", "delivered")]


async def test_without_a_lifespan_the_api_works_and_webhooks_wait(hooks):
    app = create_sandbox(webhook_transport=hooks)
    async with (shop := Shop(app)).http:
        customer, _ = await shop.mandate()
        charge = await shop.pay(sequenceType="recurring", customerId=customer)
        await shop.advance(seconds=1)
        assert (await shop.get(f"payments/{charge['id']}"))["status"] == "paid"
        assert await deliveries(shop) == [("paid", "pending")] * 2
        async with running(app):
            await eventually(lambda: len(hooks.ids) == 2)


async def test_a_payment_without_an_address_cannot_be_redelivered(shop):
    payment = await shop.pay(webhookUrl=None)
    answer = await shop.http.post("/_control/webhooks/redeliver", json={"paymentId": payment["id"]})
    assert answer.status_code == 422
