"""The control plane: strict about what it is told, honest about what is held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.komoju.calls import Answer, Call
from app.sandbox.komoju.problems import ApiProblem
from app.sandbox.komoju.sessions import create_session
from app.sandbox.komoju.world import Universe
from app.sandbox.server import create_sandbox
from tests.sandbox.komoju.till import Letters, Till, a_session
from tests.sandbox.shop import eventually, running

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"latency": 1}),
        ("settings", {"latencyMs": -1}),
        ("settings", {"recurringOutcome": "paid"}),
        ("settings", {"dccCurrency": "ISK"}),
        ("settings", {"dccRate": "free"}),
        ("settings", {"dccRate": 1.5}),
        ("settings", {"deadlineDays": 60}),
        ("settings", []),
        ("webhooks", {"mode": "sometimes"}),
        ("webhooks", {"mode": "normal", "delayMs": -1}),
        ("faults", {"operation": "createMoney", "kind": "status"}),
        ("faults", {"operation": "any", "kind": "status", "status": 200}),
        ("clock", {}),
        ("clock", {"advanceSeconds": -1}),
        ("clock", {"now": "2026-01-01T00:00:00Z", "advanceSeconds": 1}),
        ("clock", {"now": "1999-01-01T00:00:00Z"}),
    ],
)
async def test_what_is_not_understood_is_refused(till, path, body):
    answer = await till.http.post(f"/komoju/_control/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]


async def test_what_does_not_exist_is_not_found(till):
    for path, body in (
        ("payments/x/status", {"status": "captured"}),
        ("payments/x/chargeback", {}),
        ("sessions/x/shopper", {"outcome": "paid"}),
        ("webhooks/redeliver", {"paymentId": "x"}),
    ):
        answer = await till.http.post(f"/komoju/_control/{path}", json=body)
        assert answer.status_code == 404
    assert (await till.http.delete("/komoju/_control/hooks/x")).status_code == 404


async def test_settings_change_only_what_is_given(till):
    await till.control("settings", deadlineDays=5)
    settings = await till.control("settings", recurringOutcomes=["failed", "captured"])
    assert (settings["deadlineDays"], settings["recurringOutcome"]) == (5, "captured")
    settings = await till.control("settings", dccCurrency="JPY", dccRate="150")
    settings = await till.control("settings", dccCurrency=None)
    assert (settings["dccCurrency"], settings["dccRate"]) == (None, "150")
    assert settings["recurringOutcomes"] == ["failed", "captured"]


async def test_a_fault_can_be_taken_back(till):
    await till.control("faults", operation="getPayment", kind="status", times=5)
    await till.control("faults", operation="getPayment", kind="status", times=0)
    assert (await till.http.get("/komoju/_control/faults")).json() == {"faults": []}


async def test_a_status_that_is_so_already_is_no_event(till):
    payment = await till.paid()
    await till.settle(payment, "captured")
    assert len(await till.held("events")) == 1


async def test_what_is_held_is_shown_newest_first_without_keys(till):
    first, second = await till.paid(), await till.paid()
    items = await till.held("payments")
    assert [item["id"] for item in items] == [second["id"], first["id"]]
    assert items[0]["key"] == "sk_test_shop..."
    assert items[0].keys() - {"key"} == second.keys()
    sessions = await till.held("sessions")
    assert sessions[0]["payment"] == second


async def test_the_two_stand_ins_share_nothing_but_the_port(till):
    await till.advance(days=3)
    await till.control("settings", latencyMs=1)
    await till.control("webhooks", mode="drop")
    mollie = (await till.http.get("/_control/clock")).json()
    assert mollie["offsetSeconds"] == 0
    assert (await till.http.get("/_control/settings")).json()["latencyMs"] == 0
    await till.paid()
    assert (await till.http.get("/_control/payments")).json() == {"items": []}
    await till.http.post("/_control/reset")
    assert len(await till.held("payments")) == 1


async def test_a_reset_empties_everything(till):
    await till.hook()
    await till.customer()
    await till.paid()
    await till.control("settings", latencyMs=3)
    await till.advance(days=3)
    await till.control("reset")
    for what in ("sessions", "payments", "refunds", "customers", "events", "deliveries", "hooks"):
        assert await till.held(what) == []
    assert await till.held("requests") == []
    assert (await till.http.get("/komoju/_control/settings")).json()["latencyMs"] == 0
    assert (await till.http.get("/komoju/_control/clock")).json()["offsetSeconds"] == 0


async def test_everything_is_there_after_a_restart(tmp_path):
    state, letters = tmp_path / "state" / "sandbox.sqlite3", Letters()
    app = create_sandbox(state, webhook_transport=letters)
    async with running(app), (till := Till(app)).http:
        await till.hook()
        await till.control("webhooks", mode="delay", delayMs=3_600_000)
        session = await till.post("sessions", a_session(), name="attempt-7")
        await till.shopper(session, "paid", "konbini")
        await till.control("faults", operation="listEvents", kind="status")
        await till.advance(seconds=30)
        shown, log = await till.get(f"sessions/{session['id']}"), await till.held("requests")
        headers = {"Authorization": "Bearer test_shop"}
        made = await till.http.post("/v2/customers", headers=headers, auth=None, json={})
        assert made.status_code == 201

    app = create_sandbox(state, webhook_transport=letters)
    async with running(app), (till := Till(app)).http:
        assert await till.held("requests") == log
        mollies = (await till.http.get("/_control/customers")).json()["items"]
        assert [one["id"] for one in mollies] == [made.json()["id"]]
        assert await till.get(f"sessions/{session['id']}") == shown
        again = await till.post("sessions", a_session(), name="attempt-7")
        assert again["id"] == session["id"]
        assert (await till.call("GET", "events")).status_code == 503
        assert (await till.http.get("/komoju/_control/clock")).json()["offsetSeconds"] == 30
        await till.advance(hours=1)
        await eventually(lambda: letters.types == ["payment.authorized"])
        await till.control("webhooks", mode="normal")
        await till.advance(days=3)
        await eventually(lambda: letters.types == ["payment.authorized", "payment.expired"])


async def test_the_log_keeps_the_newest_calls_only(till, monkeypatch):
    monkeypatch.setattr("app.sandbox.universe.LOG_KEPT", 3)
    for n in range(5):
        await till.call("GET", f"payments/p{n}")
    paths = [item["path"].rpartition("/")[2] for item in await till.held("requests")]
    assert paths == ["p4", "p3", "p2"]


@given(st.dictionaries(st.sampled_from([*a_session(), "payment_types", "line_items"]), JSON))
def test_whatever_is_sent_is_answered_or_refused_by_name(changes):
    universe = Universe()
    now = universe.clock.now()
    body = {**a_session(), **changes}
    call = Call(universe, universe.world("sk_test_shop"), now, "http://komoju.test", body=body)
    try:
        assert isinstance(create_session(call), Answer)
    except ApiProblem as problem:
        assert problem.status == 422
        assert problem.param is not None
