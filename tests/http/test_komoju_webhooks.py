"""What KOMOJU calls: signed, or nothing; once, or nothing more; and never believed about money."""

import json
from typing import Any, Final

import pytest

from app.sandbox.komoju.notify import signature
from tests.http.house import Json, code
from tests.http.komoju import Shop, an_account, id_of, shop

__all__ = ["shop"]

RECEIVED: Final = {"received": True}
IGNORED: Final = {"received": True, "ignored": True}


async def sold(shop: Shop) -> tuple[Json, Json]:
    """A session that was paid, and KOMOJU's event about it."""
    row = await shop.bought()
    await shop.shopper(row)
    events = [e for e in await shop.events() if e["type"] == "payment.captured"]
    return row, events[-1]


def written(event: Json) -> bytes:
    return json.dumps(event).encode()


async def test_a_paid_payment_is_received(shop: Shop):
    row, event = await sold(shop)
    assert await shop.tell(event) == RECEIVED
    assert (await shop.session(row))["paymentStatus"] == "paid"


async def test_what_the_stand_in_signs_is_believed(shop: Shop):
    """It works the signature out by itself."""
    row, event = await sold(shop)
    body = written(event)
    assert (await shop.call(body, signature(shop.secret, body))).json() == RECEIVED
    assert (await shop.session(row))["status"] == "complete"


@pytest.mark.parametrize(
    "forge",
    [
        lambda shop, body: None,
        lambda shop, body: "",
        lambda shop, body: "0" * 64,
        lambda shop, body: shop.signature(body, "another-secret"),
        lambda shop, body: shop.signature(body).upper(),
        lambda shop, body: f"sha256={shop.signature(body)}",
        lambda shop, body: shop.signature(body)[:-1],
        lambda shop, body: shop.signature(body + b" "),
        lambda shop, body: "é",
    ],
    ids=["none", "empty", "zeros", "other", "upper", "prefixed", "short", "bytes", "letters"],
)
async def test_what_is_not_signed_by_komoju_leaves_no_trace(shop: Shop, forge: Any):
    row, event = await sold(shop)
    before, body = await shop.house.rows(), written(event)
    assert code(await shop.call(body, forge(shop, body))) == "401 [E4010]"
    assert await shop.house.rows() == before
    assert (await shop.session(row))["paymentStatus"] == "unpaid"


async def test_one_changed_byte_is_a_forgery(shop: Shop):
    _, event = await sold(shop)
    said = written(event)
    forged = said.replace(b'"captured"', b'"refunded"')
    assert forged != said
    assert code(await shop.call(forged, shop.signature(said))) == "401 [E4010]"


async def test_another_apps_secret_does_not_verify(shop: Shop):
    _, event = await sold(shop)
    other = await an_account(
        shop.house, shop.house.other, shop.house.other.admin, "the-other-apps-secret"
    )
    before, body = await shop.house.rows(), written(event)
    for account, secret in (
        (shop.account["uuid"], "the-other-apps-secret"),
        (other["uuid"], shop.secret),
    ):
        answer = await shop.call(body, shop.signature(body, secret), account)
        assert code(answer) == "401 [E4010]"
    assert await shop.house.rows() == before
    # Signed with its own secret it is read with its own key, which sees nothing of it.
    answer = await shop.call(body, shop.signature(body, "the-other-apps-secret"), other["uuid"])
    assert answer.json() == IGNORED
    assert await shop.house.rows("inbox") == {k: v for k, v in before.items() if k != "inbox"}


async def test_strangers_get_nothing(shop: Shop):
    _, event = await sold(shop)
    bare = await an_account(shop.house, shop.house.app, shop.house.app.admin, None)
    mollie = shop.house.app.ids["account"]
    before, body = await shop.house.rows(), written(event)
    unknown = "00000000-0000-7000-8000-000000000000"
    told = set()
    for account in (bare["uuid"], mollie, unknown, "x", " "):
        answer = await shop.call(body, shop.signature(body, ""), account)
        assert code(answer) == "401 [E4010]"
        told.add(answer.content)
    assert len(told) == 1  # and nobody learns which accounts there are
    assert await shop.house.rows() == before


async def test_an_event_is_taken_in_once(shop: Shop):
    _, event = await sold(shop)
    assert await shop.tell(event) == RECEIVED
    before = await shop.house.rows()
    assert [await shop.tell(event) for _ in range(3)] == [IGNORED] * 3
    assert await shop.house.rows() == before
    assert await shop.house.count("inbox") == 1


async def test_an_old_event_says_nothing_about_today(shop: Shop):
    """Only what it is about is taken of it: how that is, KOMOJU is asked."""
    row, event = await sold(shop)
    payment = await shop.paid_at_komoju(row)
    await shop.api("POST", f"payments/{payment['id']}/refund")
    assert event["data"]["status"] == "captured"
    await shop.tell(event)
    after = await shop.session(row)
    assert after["paymentStatus"] == "refunded"


async def test_events_may_come_in_any_order(shop: Shop):
    row = await shop.bought(paymentMethod="konbini")
    await shop.shopper(row, method="konbini")
    voucher = await shop.paid_at_komoju(row)
    await shop.control(f"payments/{voucher['id']}/status", status="captured")
    events = await shop.events()
    assert [e["type"] for e in events] == ["payment.authorized", "payment.captured"]
    await shop.tell_all(reversed(events))
    assert (await shop.session(row))["paymentStatus"] == "paid"
    assert await shop.house.count("one_time_payments") == 1


async def test_what_nobody_told_us_is_found_by_a_look(shop: Shop):
    row = await shop.bought()
    stored = await shop.stores()
    await shop.shopper(row)
    await shop.shopper(stored)
    await shop.looks()
    assert (await shop.session(row))["paymentStatus"] == "paid"
    assert (await shop.session(stored))["paymentStatus"] == "no_payment_required"
    assert [await shop.tell(e) for e in await shop.events()]  # late, and no harm
    assert await shop.house.count("one_time_payments") == 1
    assert await shop.has_right_books()


async def test_a_stored_card_is_told_by_its_customer_alone(shop: Shop):
    row = await shop.stores()
    await shop.shopper(row)
    (event,) = await shop.events()
    assert (event["type"], "session" in event["data"]) == ("customer.updated", False)
    assert await shop.tell(event) == RECEIVED
    assert (await shop.session(row))["status"] == "complete"


async def test_a_card_that_was_deleted_at_komoju_is_charged_no_more(shop: Shop):
    row = await shop.stores()
    await shop.shopper(row)
    await shop.tell_all()
    (method,) = await shop.all("/payment-methods")
    await shop.api("DELETE", f"customers/{method['paymentMethodId']}")
    await shop.tell_all()
    assert (await shop.all("/payment-methods"))[0]["status"] == "invalid"


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        "payment.captured",
        {"id": "1", "type": "ping", "data": {"id": "x"}},
        {"id": "", "type": "payment.captured", "data": {"id": "x"}},
        {"id": "e" * 101, "type": "payment.captured", "data": {"id": "x"}},
        {"id": 7, "type": "payment.captured", "data": {"id": "x"}},
        {"id": "1", "type": "payment.captured", "data": None},
        {"id": "1", "type": "payment.captured", "data": {"id": "../customers"}},
        {"id": "1", "type": "payment.captured", "data": {"session": "a?b"}},
        {"id": "1", "type": "customer.updated", "data": {"id": "x"}},
        {"id": "1", "type": "customer.updated", "data": {"metadata": {"attempt": "x"}}},
        {
            "id": "1",
            "type": "customer.updated",
            "data": {"metadata": {"attempt": "01a22738-0000-7000-8000-000000000000"}},
        },
        {"id": "1", "type": "settlement.created", "data": {"id": "x"}},
    ],
    ids=lambda event: str(event)[:60],
)
async def test_what_is_about_nothing_of_ours_is_not_kept(shop: Shop, event: Any):
    before = await shop.house.rows()
    body = json.dumps(event).encode()
    answer = await shop.call(body, shop.signature(body))
    assert (answer.status_code, answer.json()) == (200, IGNORED)
    assert await shop.house.rows() == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 30_000, b"null"])
async def test_what_is_no_event_is_not_kept(shop: Shop, body: bytes):
    answer = await shop.call(body, shop.signature(body))
    assert (answer.status_code, answer.json()) == (200, IGNORED)
    assert await shop.house.count("inbox") == 0


async def test_what_komoju_does_not_tell_is_stored_for_later(shop: Shop):
    row, event = await sold(shop)
    await shop.control("faults", operation="getSession", kind="status", status=503)
    assert await shop.tell(event) == RECEIVED
    (message,) = await shop.house.connection.fetch("select * from inbox")
    assert (message["provider_ref"], message["event_id"]) == (f"session_{id_of(row)}", event["id"])
    assert message["done_at"] is None
    assert await shop.tell(event) == IGNORED  # it is on its way already
    assert (await shop.session(row))["paymentStatus"] == "unpaid"


async def test_a_new_secret_takes_the_old_ones_place(shop: Shop):
    _, event = await sold(shop)
    path, body = f"/payment-providers/{shop.account['uuid']}", written(event)
    row = await shop.ok("PUT", path, {"webhookSecret": "a-new-and-random-secret"})
    assert row["hasWebhookSecret"] is True
    assert code(await shop.call(body, shop.signature(body))) == "401 [E4010]"
    assert (await shop.ok("PUT", path, {"webhookSecret": None}))["hasWebhookSecret"] is False
    signed = shop.signature(body, "a-new-and-random-secret")
    assert code(await shop.call(body, signed)) == "401 [E4010]"


async def test_a_webhook_secret_is_in_no_answer_and_in_no_table(shop: Shop):
    path = f"/payment-providers/{shop.account['uuid']}"
    admin = shop.house.app.admin
    canary = "canary-secret-canary"
    answers = [
        await shop.house.ask(admin, "PUT", path, {"webhookSecret": canary}),
        await shop.house.ask(admin, "PUT", path, {"webhookSecret": f"{canary} with a space"}),
        await shop.house.ask(admin, "GET", path),
        await shop.house.ask(admin, "GET", "/payment-providers"),
    ]
    assert [a.status_code for a in answers] == [200, 400, 200, 200]
    assert [a.text for a in answers if "canary" in a.text] == []
    for table in await shop.house.rows():
        for row in await shop.house.connection.fetch(f'select t::text from "{table}" t'):
            assert "canary" not in row[0]
            assert b"canary".hex() not in row[0]


async def test_a_provider_that_signs_nothing_takes_no_secret(shop: Shop):
    path = f"/payment-providers/{shop.house.app.ids['account']}"
    answer = await shop.house.ask(
        shop.house.app.admin, "PUT", path, {"webhookSecret": "a-long-secret"}
    )
    assert code(answer) == "400 [E4000]"
    assert "webhookSecret" in answer.text


async def test_only_post_is_listened_to(shop: Shop):
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = await shop.house.door.request(method, "/api/v1/webhooks/komoju")
        assert answer.status_code == 405
