"""The hosted page: the five outcomes, the way back, and nothing that others could inject."""

import re
from urllib.parse import urlsplit

import pytest

BACK, CANCEL = "https://shop.example.org/back", "https://shop.example.org/cancel"


def page_of(payment):
    return urlsplit(payment["_links"]["checkout"]["href"]).path


async def decide(shop, payment, **form):
    answer = await shop.http.post(page_of(payment), data=form)
    return answer.status_code, answer.headers.get("location")


async def status_of(shop, payment):
    return (await shop.get(f"payments/{payment['id']}"))["status"]


async def test_the_page_shows_what_is_to_be_paid_and_five_outcomes(shop):
    payment = await shop.pay(method="creditcard", description="Two chairs")
    html = (await shop.http.get(page_of(payment))).text
    assert "no money moves" in html
    for shown in ("€49.00", "Two chairs", "Card", payment["id"], "Continue"):
        assert shown in html
    radios = re.findall(r'name="final_state" value="(\w+)"', html)
    assert sorted(radios) == ["canceled", "expired", "failed", "open", "paid"]
    assert "<script" not in html


@pytest.mark.parametrize(
    ("outcome", "status", "back"),
    [
        ("paid", "paid", BACK),
        ("failed", "failed", BACK),
        ("canceled", "canceled", CANCEL),
        ("expired", "expired", BACK),
        ("open", "open", BACK),
    ],
)
async def test_every_outcome_leads_back_to_the_shop(shop, outcome, status, back):
    payment = await shop.pay(method="ideal", cancelUrl=CANCEL)
    assert await decide(shop, payment, final_state=outcome) == (303, back)
    assert await status_of(shop, payment) == status


async def test_canceling_without_a_cancel_address_leads_to_the_redirect_address(shop):
    payment = await shop.pay(method="ideal")
    assert await decide(shop, payment, final_state="canceled") == (303, BACK)


async def test_a_failure_has_the_chosen_reason(shop):
    payment = await shop.pay(method="creditcard")
    await decide(shop, payment, final_state="failed", failure_reason="card_expired")
    failed = await shop.get(f"payments/{payment['id']}")
    assert failed["details"]["failureReason"] == "card_expired"


@pytest.mark.parametrize("method", [None, ["ideal", "creditcard"]])
async def test_who_can_choose_a_method_gets_another_try_and_nobody_is_told(shop, method):
    payment = await shop.pay(method=method)
    html = (await shop.http.get(page_of(payment))).text
    assert '<select id="method"' in html
    here = f"{page_of(payment)}?notice=failed"
    assert await decide(shop, payment, final_state="failed", method="ideal") == (303, here)
    assert await status_of(shop, payment) == "open"
    assert await shop.held("deliveries") == []
    assert "choose again" in (await shop.http.get(here)).text

    assert await decide(shop, payment, final_state="paid", method="ideal") == (303, BACK)
    assert (await shop.get(f"payments/{payment['id']}"))["method"] == "ideal"


async def test_only_offered_methods_and_outcomes_are_taken(shop):
    payment = await shop.pay(method=["ideal", "creditcard"])
    assert (await decide(shop, payment, final_state="paid", method="paypal"))[0] == 422
    assert (await decide(shop, payment, final_state="refunded"))[0] == 422
    assert (await decide(shop, payment))[0] == 422
    assert await status_of(shop, payment) == "open"


async def test_a_first_payment_offers_only_what_can_leave_a_mandate(shop):
    customer = await shop.customer()
    payment = await shop.pay(sequenceType="first", customerId=customer)
    html = (await shop.http.get(page_of(payment))).text
    assert 'value="ideal"' in html
    assert 'value="banktransfer"' not in html


async def test_a_payment_to_be_captured_later_is_authorized_instead(shop):
    payment = await shop.pay(method="creditcard", captureMode="manual")
    await decide(shop, payment, final_state="authorized")
    assert await status_of(shop, payment) == "authorized"


async def test_a_final_payment_says_so_and_links_back(shop):
    payment = await shop.pay(method="ideal")
    await decide(shop, payment, final_state="paid")
    html = (await shop.http.get(page_of(payment))).text
    assert "This payment is paid" in html
    assert f'href="{BACK}"' in html
    assert await decide(shop, payment, final_state="failed") == (303, page_of(payment))
    assert await status_of(shop, payment) == "paid"


async def test_an_unknown_address_is_a_friendly_404(shop):
    answer = await shop.http.get("/checkout/select/nope")
    assert answer.status_code == 404
    assert "There is no such payment" in answer.text


async def test_what_others_wrote_is_shown_and_never_run(shop):
    evil = '"><script>alert(1)</script>{{ 7*7 }}'
    payment = await shop.pay(method="ideal", description=evil)
    for path in (page_of(payment), "/"):
        html = (await shop.http.get(path)).text
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        assert "{{ 7*7 }}" in html


async def test_pages_forbid_scripts_frames_and_keeping(shop):
    payment = await shop.pay(redirectUrl="https://shop.example.org:8443/x;y,z'q?a=b")
    headers = (await shop.http.get(page_of(payment))).headers
    policy = headers["content-security-policy"]
    assert policy == (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    assert headers["cache-control"] == "no-store"


async def test_an_address_of_an_app_is_a_way_back_too(shop):
    payment = await shop.pay(method="ideal", redirectUrl="myapp://return/here")
    assert await decide(shop, payment, final_state="paid") == (303, "myapp://return/here")


def change_of(payment):
    return urlsplit(payment["_links"]["changePaymentState"]["href"]).path


async def test_a_recurring_charge_is_decided_on_its_own_page(shop):
    customer, _ = await shop.mandate()
    await shop.control("settings", recurringOutcome="open")
    charge = await shop.pay(sequenceType="recurring", customerId=customer)
    path = change_of(charge)
    assert 'value="failed"' in (await shop.http.get(path)).text
    form = {"final_state": "failed", "failure_reason": "insufficient_funds"}
    assert (await shop.http.post(path, data=form)).status_code == 303
    assert await status_of(shop, charge) == "failed"


async def test_a_paid_payment_is_refunded_and_charged_back_on_its_page(shop):
    payment = await shop.pay(method="creditcard")
    path = change_of(await shop.settle(payment["id"], "paid"))
    for form in (
        {"final_state": "refund", "amount": "9.00"},
        {"final_state": "chargeback", "amount": "20.00"},
    ):
        answer = await shop.http.post(path, data=form)
        assert answer.headers["location"] == f"{path}?notice=done"
    now = await shop.get(f"payments/{payment['id']}")
    assert now["amountRefunded"]["value"] == "9.00"
    assert now["amountChargedBack"]["value"] == "20.00"

    await shop.http.post(path, data={"final_state": "reversal"})
    assert "amountChargedBack" not in await shop.get(f"payments/{payment['id']}")


@pytest.mark.parametrize("amount", ["nine", "", "49.01", "0.00", "-1.00"])
async def test_the_page_refuses_amounts_that_cannot_be(shop, amount):
    payment = await shop.pay(method="creditcard")
    path = change_of(await shop.settle(payment["id"], "paid"))
    for kind in ("refund", "chargeback"):
        answer = await shop.http.post(path, data={"final_state": kind, "amount": amount})
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text


async def test_the_front_page_lists_payments_and_says_how_to_go_on(shop):
    empty = (await shop.http.get("/")).text
    assert "None yet" in empty
    payment = await shop.pay()
    html = (await shop.http.get("/")).text
    assert payment["id"] in html
    assert page_of(payment) in html
    assert "curl -s -X POST http://mollie.test/_control/clock" in html
    for path in re.findall(r'(?:src|href)="(/_page/[^"]+)"', html):
        assert (await shop.http.get(path)).status_code == 200
