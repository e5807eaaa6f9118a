"""The control plane: strict about what it is told, honest about what is held."""

import pytest

from tests.sandbox.shop import eventually


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"latency": 1}),
        ("settings", {"latencyMs": -1}),
        ("settings", {"recurringOutcome": "maybe"}),
        ("webhooks", {"mode": "sometimes"}),
        ("webhooks", {"mode": "normal", "delayMs": -1}),
        ("clock", {}),
        ("clock", {"advanceSeconds": -1}),
        ("clock", {"now": "2026-01-01T00:00:00Z", "advanceSeconds": 1}),
        ("clock", {"advanceSeconds": 3_200_000_000_000}),
    ],
)
async def test_what_is_not_understood_is_refused(shop, path, body):
    answer = await shop.http.post(f"/_control/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]


async def test_what_does_not_exist_is_not_found(shop):
    for path, body in (
        ("payments/tr_0/status", {"status": "paid"}),
        ("payments/tr_0/chargeback", {}),
        ("mandates/mdt_0/status", {"status": "valid"}),
        ("webhooks/redeliver", {"paymentId": "tr_0"}),
    ):
        assert (await shop.http.post(f"/_control/{path}", json=body)).status_code == 404


async def test_settings_change_only_what_is_given(shop):
    await shop.control("settings", latencyMs=3)
    settings = await shop.control("settings", mandateDelaySeconds=5)
    assert (settings["latencyMs"], settings["mandateDelaySeconds"]) == (3, 5)
    assert settings["strictWebhookUrl"] is False


async def test_the_clock_can_be_set_and_tells_its_time(shop):
    told = await shop.control("clock", now="2030-02-28T23:59:00+00:00")
    assert told["now"].startswith("2030-02-28T23:59:0")
    payment = await shop.pay()
    assert payment["createdAt"].startswith("2030-02-28T23:59:0")


async def test_payments_of_all_worlds_are_shown_without_their_keys(shop):
    first, second = await shop.pay(), await shop.pay()
    items = await shop.held("payments")
    assert [item["id"] for item in items] == [second["id"], first["id"]]
    assert items[0]["key"] == "test_shop..."
    assert items[0].keys() - {"key"} == second.keys()


async def test_a_reset_empties_everything(shop):
    await shop.pay()
    await shop.control("settings", latencyMs=3)
    await shop.advance(days=3)
    await shop.control("reset")
    for what in ("payments", "refunds", "deliveries", "requests", "customers", "mandates"):
        assert await shop.held(what) == []
    assert (await shop.http.get("/_control/settings")).json()["latencyMs"] == 0
    assert (await shop.http.get("/_control/clock")).json()["offsetSeconds"] == 0


async def test_the_log_keeps_the_newest_calls_only(shop, monkeypatch):
    monkeypatch.setattr("app.sandbox.universe.LOG_KEPT", 3)
    for n in range(5):
        await shop.call("GET", f"payments/tr_{n}")
    paths = [item["path"] for item in await shop.held("requests")]
    assert paths == ["/v2/payments/tr_4", "/v2/payments/tr_3", "/v2/payments/tr_2"]


async def test_the_log_forgets_no_delivery_that_is_still_to_be_made(shop, hooks, monkeypatch):
    monkeypatch.setattr("app.sandbox.universe.LOG_KEPT", 3)
    hooks.answers = [500] * 10
    for _ in range(5):
        await shop.settle((await shop.pay())["id"], "paid")
    await eventually(lambda: len(hooks.ids) == 5)
    assert {one["state"] for one in await shop.held("deliveries")} == {"pending"}
    assert len(await shop.held("deliveries")) == 5

    hooks.answers = []
    await shop.advance(minutes=1)
    await eventually(lambda: len(hooks.ids) == 10)
    for _ in range(3):
        await shop.settle((await shop.pay())["id"], "paid")
    assert len(await shop.held("deliveries")) == 3
