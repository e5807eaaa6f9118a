"""The hosted page: every outcome, the way back, and nothing that others could inject."""

import re

import pytest

from tests.sandbox.komoju.till import BACK, page_of


async def decide(till, session, **form):
    answer = await till.http.post(page_of(session), data=form)
    return answer.status_code, answer.headers.get("location")


async def shown(till, session):
    now = await till.get(f"sessions/{session['id']}")
    return now["status"], now["payment"] and now["payment"]["status"]


def back_from(session):
    return f"{BACK}&session_id={session['id']}"


async def test_the_page_shows_what_is_to_be_paid_and_four_outcomes(till):
    items = [{"description": "Chair", "amount": 2450, "quantity": 2}]
    session = await till.session(line_items=items)
    html = (await till.http.get(page_of(session))).text
    for text in ("no money moves", "¥4,900", "2 × Chair", "order-7", session["id"], "Continue"):
        assert text in html
    radios = re.findall(r'name="final_state" value="(\w+)"', html)
    assert radios == ["paid", "failed", "pending", "cancelled"]
    assert re.findall(r'<option value="(\w+)"', html)[:3] == ["credit_card", "paypay", "konbini"]
    assert "<script" not in html


@pytest.mark.parametrize(
    ("outcome", "method", "after"),
    [
        ("paid", "credit_card", ("completed", "captured")),
        ("paid", "konbini", ("completed", "authorized")),
        ("pending", "paypay", ("pending", "pending")),
        ("cancelled", "credit_card", ("pending", None)),
    ],
)
async def test_every_end_leads_back_with_the_session(till, outcome, method, after):
    session = await till.session()
    form = {"final_state": outcome, "method": method}
    assert await decide(till, session, **form) == (303, back_from(session))
    assert await shown(till, session) == after


async def test_a_decline_leaves_another_try(till):
    session = await till.session()
    here = f"{page_of(session)}?notice=failed"
    assert await decide(till, session, final_state="failed", method="credit_card") == (303, here)
    assert "choose again" in (await till.http.get(here)).text
    assert await decide(till, session, final_state="paid") == (303, back_from(session))
    assert await shown(till, session) == ("completed", "captured")


async def test_a_session_without_a_way_back_stays_on_its_page(till):
    session = await till.session(return_url=None)
    assert await decide(till, session, final_state="paid") == (303, page_of(session))
    html = (await till.http.get(page_of(session))).text
    assert "This session is completed" in html
    assert "Back to the shop" not in html


async def test_an_address_without_a_query_gets_one(till):
    session = await till.session(return_url="https://shop.example.org/back#top")
    _, location = await decide(till, session, final_state="cancelled")
    assert location == f"https://shop.example.org/back?session_id={session['id']}#top"


async def test_who_turned_back_may_come_again(till):
    session = await till.session()
    await decide(till, session, final_state="cancelled")
    await decide(till, session, final_state="paid", method="credit_card")
    assert await shown(till, session) == ("completed", "captured")


async def test_only_what_is_offered_is_taken(till):
    session = await till.session(payment_types=["credit_card", "konbini"])
    for form in (
        {},
        {"final_state": "refunded"},
        {"final_state": "paid", "method": "paypay"},
        {"final_state": "paid", "method": "docomo"},
        {"final_state": "failed", "method": "konbini"},
    ):
        answer = await till.http.post(page_of(session), data=form)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
    assert await till.held("payments") == []


async def test_one_method_needs_no_choice(till):
    session = await till.session(payment_types=["konbini"])
    html = (await till.http.get(page_of(session))).text
    assert "<select" not in html
    assert "Konbini" in html
    await decide(till, session, final_state="paid")
    assert await shown(till, session) == ("completed", "authorized")


async def test_saving_a_method_pays_nothing(till):
    session = await till.session(mode="customer", payment_data=None)
    html = (await till.http.get(page_of(session))).text
    assert "Nothing is paid now" in html
    assert re.findall(r'name="final_state" value="(\w+)"', html) == ["paid", "failed", "cancelled"]
    assert await decide(till, session, final_state="pending") == (422, None)
    await decide(till, session, final_state="paid")
    assert await shown(till, session) == ("completed", None)
    assert "completed" in (await till.http.get(page_of(session))).text


async def test_a_voucher_is_paid_or_not_on_the_same_page(till):
    await till.control("settings", paymentMethodFees={"konbini": 190})
    for end, after in (("captured", "captured"), ("expired", "expired")):
        session = await till.session()
        await decide(till, session, final_state="paid", method="konbini")
        html = (await till.http.get(page_of(session))).text
        assert "¥5,090" in html
        assert "Pay until" in html
        path = f"{page_of(session)}/voucher"
        assert (await till.http.post(path, data={"final_state": "failed"})).status_code == 422
        answer = await till.http.post(path, data={"final_state": end})
        assert answer.headers["location"] == page_of(session)
        assert await shown(till, session) == ("completed", after)
        again = await till.http.post(path, data={"final_state": end})
        assert again.status_code == 303


async def test_a_card_has_no_voucher(till):
    session = await till.session(payment_data={"capture": "manual"})
    await decide(till, session, final_state="paid", method="credit_card")
    answer = await till.http.post(f"{page_of(session)}/voucher", data={"final_state": "captured"})
    assert answer.status_code == 303
    assert await shown(till, session) == ("completed", "authorized")


async def test_a_session_that_has_run_out_says_so_and_takes_nothing(till):
    session = await till.session(expires_in_seconds=60)
    await till.advance(minutes=1)
    html = (await till.http.get(page_of(session))).text
    assert "This session has run out" in html
    assert f'href="{back_from(session)}"'.replace("&", "&amp;") in html
    assert await decide(till, session, final_state="paid") == (303, page_of(session))
    assert await till.held("payments") == []


async def test_a_cancelled_session_says_so(till):
    session = await till.session()
    await till.post(f"sessions/{session['id']}/cancel")
    assert "This session is cancelled" in (await till.http.get(page_of(session))).text
    assert await decide(till, session, final_state="paid") == (303, page_of(session))


async def test_an_unknown_address_is_a_friendly_404(till):
    for call in ("GET", "POST"):
        answer = await till.http.request(call, "/komoju/sessions/nope")
        assert answer.status_code == 404
        assert "There is no such session" in answer.text
    assert (await till.http.post("/komoju/sessions/nope/voucher")).status_code == 404


async def test_what_others_wrote_is_shown_and_never_run(till):
    evil = '"><script>alert(1)</script>{{ 7*7 }}'
    data = {"external_order_num": evil}
    session = await till.session(payment_data=data, line_items=[{"description": evil}])
    await till.shopper(session, "pending", "paypay")
    for path in (page_of(session), "/komoju"):
        html = (await till.http.get(path)).text
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        assert "{{ 7*7 }}" in html


async def test_pages_forbid_scripts_frames_and_keeping(till):
    session = await till.session(return_url="https://shop.example.org:8443/x")
    headers = (await till.http.get(page_of(session))).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    assert headers["cache-control"] == "no-store"


async def test_the_front_page_lists_what_there_is_and_says_how_to_go_on(till):
    assert "None yet" in (await till.http.get("/komoju")).text
    session = await till.session()
    await till.shopper(session, "paid", "konbini")
    html = (await till.http.get("/komoju")).text
    for text in (session["id"], page_of(session), "order-7", "-u sk_test_demo:"):
        assert text in html
    assert "curl -s -X POST http://komoju.test/komoju/_control/clock" in html
    links = re.findall(r'(?:src|href)="(/(?:_page|komoju/_control)[^"]*)"', html)
    assert len(links) > 10
    for path in links:
        assert (await till.http.get(path)).status_code == 200
