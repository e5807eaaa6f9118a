"""Sessions: what is asked for, what is refused by name, and the three ways in which one ends."""

import re

import pytest

from tests.sandbox.komoju.till import BACK, Till, a_session


async def test_a_session_is_answered_with_200_and_says_where_to_pay(till):
    session = await till.session(email="ada@example.org")
    assert re.fullmatch(r"[a-z0-9]{25}", session["id"])
    assert session["session_url"] == f"http://komoju.test/komoju/sessions/{session['id']}"
    assert session["created_at"].endswith("+09:00")
    expected = {
        "resource": "session",
        "mode": "payment",
        "amount": 4900,
        "currency": "JPY",
        "return_url": BACK,
        "status": "pending",
        "expired": False,
        "payment": None,
        "cancelled_at": None,
        "completed_at": None,
        "metadata": {"attempt_uuid": "7"},
        "email": "ada@example.org",
    }
    assert session.items() >= expected.items()
    assert {"type": "konbini"} in session["payment_methods"]
    assert "customer_id" not in session
    assert await till.get(f"sessions/{session['id']}") == session


async def test_what_nobody_has_sent_is_not_shown(till):
    session = await till.post("sessions", {"amount": 1, "currency": "EUR"})
    assert session["mode"] == "payment"
    assert session["return_url"] is None
    assert session.keys().isdisjoint({"email", "line_items", "payment_data", "customer_id"})


async def test_a_form_is_read_as_well_as_json(till):
    form = {"amount": "1000", "currency": "JPY", "payment_data[external_order_num]": "mine"}
    answer = await till.call("POST", "sessions", data=form)
    assert answer.status_code == 200
    assert answer.json()["payment_data"] == {"external_order_num": "mine"}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"amount": -1}, "amount"),
        ({"amount": "4900"}, "amount"),
        ({"amount": 49.5}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 2**31}, "amount"),
        ({"currency": "ISK"}, "currency"),
        ({"currency": "jpy"}, "currency"),
        ({"currency": 7}, "currency"),
        ({"mode": "subscription"}, "mode"),
        ({"expires_in_seconds": 86_401}, "expires_in_seconds"),
        ({"expires_in_seconds": 0}, "expires_in_seconds"),
        ({"return_url": "shop.example.org"}, "return_url"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
        ({"default_locale": "de"}, "default_locale"),
        ({"payment_types": []}, "payment_types"),
        ({"payment_types": ["card"]}, "payment_types"),
        ({"payment_types": ["docomo"]}, "payment_types"),
        ({"metadata": {"k" * 31: "v"}}, "metadata"),
        ({"metadata": {"k": "v" * 2001}}, "metadata"),
        ({"metadata": {"k": 7}}, "metadata"),
        ({"metadata": ["k"]}, "metadata"),
        ({"line_items": [{"name": "Chair"}]}, "line_items.name"),
        ({"payment_data": {"capture": True}}, "capture"),
        ({"payment_data": {"amount": 1}}, "payment_data"),
        ({"payment_data": {"order": "7"}}, "payment_data.order"),
        ({"customer_id": "x"}, "customer_id"),
        ({"cancel_url": BACK}, "cancel_url"),
    ],
)
async def test_bad_input_is_refused_by_the_name_of_its_parameter(till, change, param):
    refusal = await till.refused("sessions", a_session(**change))
    assert refusal == (422, "unprocessable_entity", param)


@pytest.mark.parametrize("param", ["amount", "currency"])
async def test_what_is_required_in_every_mode_is_missed_by_name(till, param):
    for mode in ("payment", "customer", "customer_payment"):
        body = a_session(mode=mode, payment_data=None, **{param: None})
        assert await till.refused("sessions", body) == (422, "missing_parameter", param)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"<a/>", "text/xml"),
        (b"[=1", "application/x-www-form-urlencoded"),
        (b"x" * 1_000_001, "application/json"),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_bad_request(till, body, kind):
    answer = await till.call("POST", "sessions", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"


async def test_the_longest_metadata_is_taken(till):
    metadata = {"k" * 30: "v" * 2000}
    assert (await till.session(metadata=metadata))["metadata"] == metadata


async def test_a_session_runs_out_on_the_clock_and_stays_pending(till):
    session = await till.session(expires_in_seconds=3600)
    await till.advance(minutes=59)
    assert not (await till.get(f"sessions/{session['id']}"))["expired"]
    await till.advance(minutes=1)
    shown = await till.get(f"sessions/{session['id']}")
    assert (shown["status"], shown["expired"]) == ("pending", True)
    assert await till.held("events") == []


async def test_without_a_word_a_session_lives_for_a_day(till):
    session = await till.session()
    await till.advance(hours=23, minutes=59)
    assert not (await till.get(f"sessions/{session['id']}"))["expired"]
    await till.advance(minutes=1)
    assert (await till.get(f"sessions/{session['id']}"))["expired"]


async def test_a_completed_session_never_runs_out(till):
    session = await till.session()
    await till.shopper(session, "paid", "credit_card")
    await till.advance(days=2)
    shown = await till.get(f"sessions/{session['id']}")
    assert (shown["status"], shown["expired"]) == ("completed", False)
    assert shown["completed_at"] is not None


async def test_a_session_is_cancelled_once_and_nobody_is_told(till):
    session = await till.session()
    cancelled = await till.post(f"sessions/{session['id']}/cancel")
    assert cancelled["status"] == "cancelled"
    assert cancelled["cancelled_at"] is not None
    again = await till.refused(f"sessions/{session['id']}/cancel")
    assert again == (422, "unprocessable_entity", None)
    assert await till.held("events") == []


async def test_what_is_completed_or_has_run_out_cannot_be_cancelled(till):
    done, late = await till.session(), await till.session(expires_in_seconds=60)
    await till.shopper(done, "paid", "credit_card")
    await till.advance(minutes=1)
    for session in (done, late):
        assert (await till.refused(f"sessions/{session['id']}/cancel"))[0] == 422


async def test_a_payment_that_had_begun_outlives_its_cancelled_session(till):
    session = await till.session()
    payment = (await till.shopper(session, "pending", "paypay"))["payment"]
    assert payment["status"] == "pending"
    await till.post(f"sessions/{session['id']}/cancel")
    await till.settle(payment, "captured")
    shown = await till.get(f"sessions/{session['id']}")
    assert (shown["status"], shown["payment"]["status"]) == ("cancelled", "captured")


async def test_money_that_was_on_its_way_completes_a_session_that_has_run_out(till):
    session = await till.session(expires_in_seconds=60)
    payment = (await till.shopper(session, "pending", "paypay"))["payment"]
    await till.advance(minutes=2)
    await till.settle(payment, "captured")
    assert (await till.get(f"sessions/{session['id']}"))["status"] == "completed"


async def test_a_session_of_another_key_is_not_found(sandbox, till):
    session = await till.session()
    other = Till(sandbox, "sk_test_other")
    async with other.http:
        assert await other.refused(f"sessions/{session['id']}", method="GET") == (
            404,
            "not_found",
            None,
        )


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "sessions"), ("DELETE", "payments/x"), ("POST", "tokens"), ("GET", "")],
)
async def test_what_is_not_played_is_not_found(till, method, path):
    assert await till.refused(path, method=method) == (404, "not_found", None)


async def test_line_items_are_shown_as_sent_and_need_not_add_up(till):
    session = await till.session(line_items=[{"description": "Chair", "amount": 1}])
    assert session["line_items"] == [{"quantity": 1, "description": "Chair", "amount": 1}]


async def test_saving_a_method_takes_no_payment_data_and_no_cash(till):
    refused = await till.refused("sessions", a_session(mode="customer"))
    assert refused == (422, "unprocessable_entity", "payment_data")
    body = a_session(mode="customer_payment", payment_types=["konbini"])
    assert (await till.refused("sessions", body))[2] == "payment_types"
    session = await till.session(mode="customer", payment_data=None)
    assert [one["type"] for one in session["payment_methods"]] == ["credit_card", "paypay"]
