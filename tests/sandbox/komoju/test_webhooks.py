"""Webhooks: signed bytes for every event, and every way of going wrong on the way."""

import asyncio
import hashlib
import hmac

import pytest

from app.sandbox.server import create_sandbox
from tests.sandbox.komoju.till import HOOK, Till
from tests.sandbox.shop import eventually, running


async def arrived(letters, *types):
    await eventually(lambda: len(letters.events) >= len(types))
    assert letters.types == list(types)


async def test_a_webhook_is_signed_json_about_what_happened(till, letters):
    await till.hook()
    payment = await till.paid()
    await arrived(letters, "payment.captured")
    request, event = letters.requests[0], letters.events[0]
    signed = hmac.new(b"a word between us", request.content, hashlib.sha256).hexdigest()
    expected = {
        "x-komoju-signature": signed,
        "x-komoju-event": "payment.captured",
        "user-agent": "Komoju-Webhook",
        "content-type": "application/json",
    }
    assert request.headers.items() >= expected.items()
    assert str(request.url) == HOOK
    assert event.keys() == {"id", "type", "resource", "data", "created_at", "reason"}
    assert (event["resource"], event["reason"]) == ("event", None)
    assert event["data"] == payment
    assert request.headers["x-komoju-id"] != event["id"]


async def test_a_ping_comes_as_soon_as_a_webhook_is_made(till):
    await till.hook()
    [delivery] = await till.held("deliveries")
    assert (delivery["reason"], delivery["url"]) == ("ping", HOOK)


async def test_every_step_of_money_has_its_event(till, letters):
    await till.hook()
    payment = await till.paid(method="konbini")
    await till.settle(payment, "captured")
    card = await till.paid()
    await till.post(f"payments/{card['id']}/refund", {"amount": 900})
    await till.control(f"payments/{card['id']}/chargeback")
    events = [event["type"] for event in (await till.get("events", per_page=100))["data"]][::-1]
    assert events == [
        "ping",
        "payment.authorized",
        "payment.captured",
        "payment.captured",
        "payment.refund.created",
        "payment.refund.created",
        "payment.refunded",
    ]
    await eventually(lambda: len(letters.events) == 6)
    last = next(event for event in letters.events if event["type"] == "payment.refunded")
    assert last["data"]["refunds"][-1]["chargeback"] is True


@pytest.mark.parametrize("status", ["failed", "cancelled", "expired", "authorized"])
async def test_every_other_status_is_told(till, letters, status):
    await till.hook()
    session = await till.session()
    payment = (await till.shopper(session, "pending", "paypay"))["payment"]
    await till.settle(payment, status)
    await arrived(letters, f"payment.{status}")
    assert letters.events[0]["data"]["status"] == status


async def test_a_saved_customer_is_told_after_the_payment(till, letters):
    await till.hook()
    session = await till.session(mode="customer_payment")
    await till.shopper(session, "paid")
    await eventually(lambda: len(letters.events) == 2)
    by_type = {event["type"]: event["data"] for event in letters.events}
    assert by_type["customer.updated"]["id"] == session["customer_id"]
    assert by_type["customer.updated"]["source"]["type"] == "credit_card"
    await till.call("DELETE", f"customers/{session['customer_id']}")
    await eventually(lambda: "customer.deleted" in letters.types)


async def test_a_session_that_is_left_or_runs_out_tells_nobody(till, letters):
    await till.hook()
    for mode in ("payment", "customer", "customer_payment"):
        session = await till.session(mode=mode, payment_data=None)
        await till.shopper(session, "cancelled")
        await till.shopper(session, "failed" if mode == "customer" else "cancelled")
    await till.advance(days=2)
    assert [one["reason"] for one in await till.held("deliveries")] == ["ping"]
    assert letters.events == []


async def test_without_a_webhook_the_events_are_there_to_be_asked_for(till):
    payment = await till.paid()
    [event] = (await till.get("events"))["data"]
    assert (event["type"], event["data"]) == ("payment.captured", payment)
    assert await till.get(f"events/{event['id']}") == event
    assert await till.held("deliveries") == []


async def test_what_an_event_tells_is_how_it_was(till):
    payment = await till.paid(method="konbini")
    await till.settle(payment, "captured")
    events = (await till.get("events"))["data"]
    assert [one["data"]["status"] for one in events] == ["captured", "authorized"]


async def test_each_merchant_has_webhooks_of_its_own(sandbox, till, letters):
    await till.hook()
    other = Till(sandbox, "sk_test_other")
    async with other.http:
        await other.paid()
        assert [one["reason"] for one in await till.held("deliveries")] == ["ping"]


async def test_a_webhook_hears_only_of_the_events_that_were_chosen(till, letters):
    await till.hook(events=["payment.refunded"])
    payment = await till.paid()
    await till.post(f"payments/{payment['id']}/refund")
    await arrived(letters, "payment.refunded")


async def test_the_same_address_again_changes_the_secret_and_another_adds_one(till, letters):
    first = await till.hook()
    await till.control("hooks", key=till.key, url=HOOK, secret="old")
    assert (await till.hook())["id"] == first["id"]
    await till.hook(url="https://shop.example.org/second")
    assert len(await till.held("hooks")) == 2
    assert "secret" not in (await till.held("hooks"))[0]
    await till.paid()
    await arrived(letters, "payment.captured", "payment.captured")


async def test_a_webhook_that_is_gone_hears_nothing(till, letters):
    hook = await till.hook()
    assert (await till.http.delete(f"/komoju/_control/hooks/{hook['id']}")).status_code == 200
    await till.paid()
    assert await till.held("hooks") == []
    assert [one["reason"] for one in await till.held("deliveries")] == ["ping"]


async def test_nothing_is_tried_again_unless_it_is_ordered(till, letters):
    await till.hook()
    letters.answers = [500]
    await till.paid()
    await arrived(letters, "payment.captured")
    await till.advance(days=3)
    states = {one["reason"]: one["state"] for one in await till.held("deliveries")}
    assert states["payment.captured"] == "failed"
    assert len(letters.events) == 1


async def test_retries_come_at_the_ordered_times_with_the_same_delivery(till, letters):
    await till.control("settings", webhookRetrySeconds=[60, 300])
    await till.hook()
    letters.answers = [500, 0, 204]
    await till.paid()
    await eventually(lambda: len(letters.events) == 1)
    await till.advance(seconds=55)
    assert len(letters.events) == 1
    await till.advance(seconds=10)
    await eventually(lambda: len(letters.events) == 2)
    await till.advance(seconds=300)
    await eventually(lambda: len(letters.events) == 3)
    assert len({request.headers["x-komoju-id"] for request in letters.requests}) == 1
    assert len({event["id"] for event in letters.events}) == 1

    async def delivered():
        return (await till.held("deliveries"))[0]["state"] == "delivered"

    assert await delivered()


async def test_duplicates_are_two_deliveries_of_one_event(till, letters):
    await till.hook()
    await till.control("webhooks", mode="duplicate")
    await till.paid()
    await arrived(letters, "payment.captured", "payment.captured")
    assert letters.events[0] == letters.events[1]
    assert len({request.headers["x-komoju-id"] for request in letters.requests}) == 2


async def test_what_is_dropped_is_recorded_and_can_be_sent_once_more(till, letters):
    await till.hook()
    await till.control("webhooks", mode="drop")
    payment = await till.paid()
    assert (await till.held("deliveries"))[0]["state"] == "dropped"
    assert letters.events == []
    [event] = [one for one in await till.held("events") if one["type"] == "payment.captured"]
    await till.control("webhooks/redeliver", eventId=event["id"])
    await arrived(letters, "payment.captured")
    await till.control("webhooks/redeliver", paymentId=payment["id"])
    await arrived(letters, "payment.captured", "payment.captured")
    assert {one["id"] for one in letters.events} == {event["id"]}


async def test_a_delayed_webhook_waits_on_the_clock(till, letters):
    await till.hook()
    await till.control("webhooks", mode="delay", delayMs=60_000)
    await till.paid()
    await till.advance(seconds=50)
    assert letters.events == []
    await till.advance(seconds=10)
    await arrived(letters, "payment.captured")


async def test_reordered_events_arrive_the_later_one_first(till, letters):
    await till.hook()
    await till.control("webhooks", mode="reordered", delayMs=3_600_000)
    payment = await till.paid(method="konbini")
    await till.settle(payment, "captured")
    await arrived(letters, "payment.captured", "payment.authorized")
    card = await till.paid()
    await till.post(f"payments/{card['id']}/refund")
    await eventually(lambda: len(letters.events) == 4)
    assert letters.types[2:] == ["payment.refund.created", "payment.captured"]
    # Nobody overtakes the last one: it goes when it has waited long enough.
    await till.advance(hours=1)
    await eventually(lambda: letters.types[4:] == ["payment.refunded"])
    assert {one["state"] for one in await till.held("deliveries")} == {"delivered"}


async def test_who_was_to_be_overtaken_arrives_even_when_the_other_is_refused(till, letters):
    await till.hook()
    await till.control("webhooks", mode="reordered")
    letters.answers = [500]
    payment = await till.paid(method="konbini")
    await till.settle(payment, "captured")
    await arrived(letters, "payment.captured", "payment.authorized")


async def test_a_webhook_can_overtake_the_answer_to_the_charge(till, letters):
    id = await till.customer()
    await till.hook()
    await till.control("webhooks", mode="beforeResponse")
    await till.charge(id)
    assert letters.types == ["payment.captured"]


async def test_without_a_lifespan_the_api_works_and_webhooks_wait(letters):
    app = create_sandbox(webhook_transport=letters)
    async with (till := Till(app)).http:
        await till.hook()
        await till.paid()
        assert letters.events == []
        async with running(app):
            await eventually(lambda: letters.types == ["payment.captured"])


async def test_deliveries_run_at_the_same_time(till, letters):
    for place in range(3):
        await till.hook(url=f"{HOOK}/{place}")
    await asyncio.gather(*(till.paid() for _ in range(4)))
    await eventually(lambda: len(letters.events) == 12)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("hooks", {"key": "test_shop", "url": HOOK, "secret": "s"}, 422),
        ("hooks", {"key": "sk_test_a", "url": "nowhere", "secret": "s"}, 422),
        ("hooks", {"key": "sk_test_a", "url": HOOK, "secret": ""}, 422),
        ("hooks", {"key": "sk_test_a", "url": HOOK, "secret": "s", "events": ["session.x"]}, 422),
        ("webhooks", {"mode": "delay"}, 422),
        ("webhooks/redeliver", {}, 422),
        ("webhooks/redeliver", {"eventId": "x"}, 404),
    ],
)
async def test_what_cannot_be_set_up_is_refused(till, path, body, status):
    answer = await till.http.post(f"/komoju/_control/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]
