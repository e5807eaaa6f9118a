"""Sessions: what the shop's own page hands to a component, paid once, in as many attempts."""

import base64
import json

import pytest

from tests.sandbox.shop import Shop, eventually

BACK = "https://shop.example.org/back"
ADDRESS = {"email": "ada@example.org"}


def euros(value):
    return {"currency": "EUR", "value": value}


def a_line(value="49.00", **changes):
    return {
        "description": "Kontor Pro",
        "quantity": 1,
        "unitPrice": euros(value),
        "totalAmount": euros(value),
        **changes,
    }


def a_session(**changes):
    return {
        "amount": euros("49.00"),
        "description": "Order 7",
        "lines": [a_line()],
        "redirectUrl": BACK,
        "metadata": {"order": "7"},
        "payment": {"webhookUrl": "https://shop.example.org/hook"},
        **changes,
    }


async def opened(shop, **changes):
    return await shop.post("sessions", a_session(**changes))


def component_of(session):
    token = json.loads(base64.b64decode(session["clientAccessToken"]))["sessionToken"]
    return f"/components/{token}"


async def decide(shop, session, **form):
    answer = await shop.http.post(component_of(session), data={"method": "creditcard", **form})
    return answer.status_code, answer.headers.get("location")


async def ended(shop, session, status, **more):
    return await shop.control(f"sessions/{session['id']}/status", status=status, **more)


async def test_a_session_comes_back_as_it_was_opened(shop):
    session = await opened(shop, billingAddress=ADDRESS, requiredCustomerDetails=["email"])
    assert session["resource"] == "session"
    assert session["id"].startswith("sess_")
    assert (session["status"], session["mode"]) == ("open", "test")
    for name in ("amount", "description", "lines", "redirectUrl", "metadata", "payment"):
        assert session[name] == a_session()[name]
    assert session["billingAddress"] == ADDRESS
    assert not session.keys() & {"completedAt", "expiredAt"}
    assert "checkout" not in session["_links"]
    assert await shop.get(f"sessions/{session['id']}") == session


async def test_the_client_access_token_is_readable_and_says_what_can_be_paid_with(shop):
    session = await opened(shop)
    token = json.loads(base64.b64decode(session["clientAccessToken"], validate=True))
    assert token["testmode"] is True
    assert token["profileToken"] == session["profileId"]
    assert {"ideal", "creditcard"} <= set(token["availablePaymentMethods"])
    # Who has no address is not trusted to pay later.
    assert "klarna" not in token["availablePaymentMethods"]
    assert token["sessionToken"] not in (session["id"], token["secret"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": None}, "amount"),
        ({"description": None}, "description"),
        ({"lines": None}, "lines"),
        ({"lines": []}, "lines"),
        ({"redirectUrl": None}, "redirectUrl"),
        ({"redirectUrl": "javascript://shop/%0aalert(1)"}, "redirectUrl"),
        ({"lines": [a_line("49.01")]}, "amount"),
        ({"lines": [a_line("48.99")]}, "amount"),
        ({"lines": [a_line("19.00"), a_line("29.99")]}, "amount"),
        ({"amount": {"currency": "USD", "value": "49.00"}}, "lines.0.unitPrice"),
        ({"lines": [a_line(recurring={"interval": "1 month"})]}, "lines.0.recurring"),
        ({"lines": [a_line(categories=["eco"])]}, "lines.0.categories"),
        ({"sequenceType": "first"}, "customerId"),
        ({"sequenceType": "recurring"}, "sequenceType"),
        ({"customerId": "cst_unknown"}, "customerId"),
        ({"metadata": "7"}, "metadata"),
        ({"metadata": {"x": "x" * 1024}}, "metadata"),
        ({"payment": "now"}, "payment"),
        ({"payment": {"webhookUrl": "ftp://shop.example.org"}}, "payment.webhookUrl"),
        ({"payment": {"method": "ideal"}}, "payment.method"),
        ({"billingAddress": {"city": "Amsterdam"}}, "billingAddress"),
        ({"requiredCustomerDetails": ["phone"]}, "requiredCustomerDetails"),
        ({"method": "ideal"}, "method"),
        ({"cancelUrl": BACK}, "cancelUrl"),
        ({"locale": "nl_NL"}, "locale"),
        ({"webhookUrl": BACK}, "webhookUrl"),
        ({"shipping": {"options": []}}, "shipping"),
        ({"profileId": "pfl_1"}, "profileId"),
        ({"testmode": True}, "testmode"),
    ],
)
async def test_what_is_wrong_with_a_session_is_refused_by_its_name(shop, change, field):
    body = {name: value for name, value in a_session(**change).items() if value is not None}
    assert (await shop.refused("sessions", body))[:2] == (422, field)


async def test_the_refusal_of_a_cent_says_which_sum_was_expected(shop):
    _, _, detail = await shop.refused("sessions", a_session(lines=[a_line("48.99")]))
    assert detail.endswith("Expected to be €48.99 (sum of the line items), got €49.00")


async def test_sessions_are_neither_listed_nor_changed(shop):
    path = f"sessions/{(await opened(shop))['id']}"
    for method, where in (("GET", "sessions"), ("PATCH", path), ("DELETE", path)):
        assert (await shop.call(method, where)).status_code == 405


async def test_a_session_belongs_to_its_key(sandbox, shop):
    session = await opened(shop)
    async with (live := Shop(sandbox, "live_shop")).http:
        answer = await live.call("GET", f"sessions/{session['id']}")
    assert answer.status_code == 404
    assert "wrong mode" in answer.json()["detail"]


async def test_what_is_paid_in_the_component_is_a_payment_like_the_session(shop, hooks):
    session = await opened(shop)
    assert await decide(shop, session, final_state="paid", method="ideal") == (303, BACK)

    done = await shop.get(f"sessions/{session['id']}")
    assert done["status"] == "completed"
    assert done["completedAt"]
    payment = (await shop.get("payments"))["_embedded"]["payments"][0]
    assert (payment["status"], payment["method"]) == ("paid", "ideal")
    for name in ("amount", "description", "metadata", "redirectUrl", "lines"):
        assert payment[name] == session[name]
    assert payment["webhookUrl"] == session["payment"]["webhookUrl"]
    await eventually(lambda: hooks.ids == [payment["id"]])


async def test_a_first_session_leaves_a_mandate_behind(shop):
    customer = await shop.customer()
    session = await opened(shop, sequenceType="first", customerId=customer)
    await decide(shop, session, final_state="paid")
    mandates = await shop.get(f"customers/{customer}/mandates")
    assert mandates["_embedded"]["mandates"][0]["status"] == "valid"
    payments = await shop.get(f"customers/{customer}/payments")
    assert payments["_embedded"]["payments"][0]["sequenceType"] == "first"


async def test_a_session_takes_several_attempts_each_with_a_webhook_of_its_own(shop, hooks):
    session = await opened(shop)
    form = {"final_state": "failed", "failure_reason": "card_expired"}
    assert await decide(shop, session, **form) == (303, BACK)
    assert await decide(shop, session, final_state="canceled") == (303, BACK)
    assert (await shop.get(f"sessions/{session['id']}"))["status"] == "open"
    html = (await shop.http.get(component_of(session))).text
    assert "The last attempt was canceled" in html
    await decide(shop, session, final_state="paid")

    held = (await shop.held("sessions"))[0]
    payments = [await shop.get(f"payments/{id}") for id in held["paymentIds"]]
    assert [one["status"] for one in payments] == ["failed", "canceled", "paid"]
    assert payments[0]["details"]["failureReason"] == "card_expired"
    await eventually(lambda: len(hooks.ids) == 3)
    assert sorted(hooks.ids) == sorted(held["paymentIds"])


async def test_a_paid_session_cannot_be_paid_again(shop):
    session = await opened(shop)
    await decide(shop, session, final_state="paid")
    answer = await shop.http.post(
        component_of(session), data={"final_state": "paid", "method": "ideal"}
    )
    assert "cannot be paid again" in answer.text
    path = f"/_control/sessions/{session['id']}/status"
    for status in ("paid", "failed", "expired"):
        assert (await shop.http.post(path, json={"status": status})).status_code == 409
    assert (await shop.get("payments"))["count"] == 1


async def test_a_session_expires_on_the_clock_and_is_paid_no_more(shop):
    session = await opened(shop)
    await shop.advance(minutes=14)
    assert (await shop.get(f"sessions/{session['id']}"))["status"] == "open"
    await shop.advance(minutes=1, seconds=1)
    expired = await shop.get(f"sessions/{session['id']}")
    assert expired["status"] == "expired"
    assert expired["expiredAt"] == session["expiresAt"]
    assert "Too late" in (await shop.http.get(component_of(session))).text
    answer = await shop.http.post(component_of(session), data={"final_state": "paid"})
    assert answer.status_code == 200
    assert (await shop.get("payments"))["count"] == 0
    assert await shop.held("deliveries") == []


@pytest.mark.parametrize(
    ("status", "left"),
    [("paid", "completed"), ("failed", "open"), ("canceled", "open"), ("expired", "expired")],
)
async def test_the_control_plane_plays_the_shopper(shop, status, left):
    said = await ended(shop, await opened(shop), status)
    assert said["status"] == left
    assert said["componentUrl"].startswith("http://mollie.test/components/")
    payments = [await shop.get(f"payments/{id}") for id in said["paymentIds"]]
    assert [one["status"] for one in payments] == ([] if status == "expired" else [status])


async def test_the_control_plane_says_how_it_was_paid_and_why_not(shop):
    session = await opened(shop)
    await ended(shop, session, "failed", method="creditcard", failureReason="card_declined")
    said = await ended(shop, session, "paid", method="ideal")
    failed, paid = [await shop.get(f"payments/{id}") for id in said["paymentIds"]]
    assert failed["details"]["failureReason"] == "card_declined"
    assert paid["method"] == "ideal"
    path = f"/_control/sessions/{session['id']}/status"
    wrong = await shop.http.post(path, json={"status": "paid", "method": "cash"})
    assert wrong.status_code == 422
    assert (await shop.http.post("/_control/sessions/sess_0/status", json={})).status_code == 422


async def test_the_component_shows_what_is_to_be_paid_and_needs_no_script(shop):
    lines = [a_line("30.00", description="<b>Two</b>", quantity=2, unitPrice=euros("15.00"))]
    session = await opened(shop, lines=[*lines, a_line("19.00", description="One")])
    answer = await shop.http.get(component_of(session))
    for shown in ("€49.00", "Order 7", "2 × &lt;b&gt;Two&lt;/b&gt;", "€30.00", "€19.00"):
        assert shown in answer.text
    assert "<script" not in answer.text
    # The whole window goes back to the shop, not only the frame.
    assert 'method="post" target="_top"' in answer.text


async def test_only_a_component_may_be_framed(shop):
    session, payment = await opened(shop), await shop.pay()
    policy = (await shop.http.get(component_of(session))).headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "form-action" not in policy  # it would hold for where the shop sends the shopper on to
    other = await shop.http.get(payment["_links"]["checkout"]["href"])
    assert "frame-ancestors 'none'" in other.headers["content-security-policy"]


async def test_the_client_access_token_opens_the_component_too(shop):
    session = await opened(shop)
    token = session["clientAccessToken"]
    in_an_address = token.replace("+", "-").replace("/", "_").rstrip("=")
    for spelling in (token, in_an_address):
        answer = await shop.http.get(f"/components/{spelling}")
        assert (answer.status_code, "€49.00" in answer.text) == (200, True)


async def test_a_token_that_was_tampered_with_opens_nothing(shop):
    session = await opened(shop)
    token = json.loads(base64.b64decode(session["clientAccessToken"]))
    forged = base64.urlsafe_b64encode(json.dumps({**token, "secret": "x"}).encode()).decode()
    payment = await shop.pay()
    hosted = payment["_links"]["checkout"]["href"].rpartition("/")[2]
    for wrong in (forged, "eyJ", "nope", session["id"], hosted, "a/b//c"):
        assert (await shop.http.get(f"/components/{wrong}")).status_code == 404
        posted = await shop.http.post(f"/components/{wrong}", data={"final_state": "paid"})
        assert posted.status_code == 404


async def test_only_what_is_offered_is_taken(shop):
    session = await opened(shop)
    for form in (
        {"final_state": "refunded"},
        {},
        {"final_state": "paid", "method": "klarna"},
        {"final_state": "paid", "method": "directdebit"},
        {"final_state": "paid", "method": ""},
    ):
        assert (await decide(shop, session, **form))[0] == 422
    assert (await shop.get("payments"))["count"] == 0


async def test_a_few_lines_of_script_mount_it(shop):
    answer = await shop.http.get("/components/stand-in.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "MollieStandIn" in answer.text
