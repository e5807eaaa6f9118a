"""Whatever goes wrong at the provider: an honest answer in time, and never paid twice."""

import time

import httpx
import pytest

from tests.faults.mollie import Json, Mollie
from tests.faults.shop import Shop, codes, created

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.usefixtures("books")]

STATUSES = (500, 503, 429)
BREAKS = ("timeoutBeforeCommit", "timeoutAfterCommit", "connectionReset", "truncatedJson")
CALLS = ("createPayment", "createCustomer")
ANSWERED_WITHIN_S = 10


def post_in_time(shop: Shop, order: Json, key: str) -> httpx.Response:
    begun = time.monotonic()
    answer = shop.post(order, key)
    assert time.monotonic() - begun < ANSWERED_WITHIN_S
    return answer


def is_unavailable(answer: httpx.Response) -> bool:
    """503 and the rest of its promise."""
    waits = int(answer.headers.get("Retry-After", "-1")) >= 0
    return answer.status_code == 503 and codes(answer) == ["[E5030]"] and waits


def ends_well(shop: Shop, order: Json, key: str) -> None:
    """Assert that a retry under the same key leads to one session with one payment."""
    answer = shop.insist(order, key)
    assert answer.status_code == 200, answer.text
    session = created(answer)
    (payment,) = shop.mollie.payments(session["uuid"])
    assert payment["id"] == session["sessionId"]
    assert session["nextActionUrl"] == payment["_links"]["checkout"]["href"]
    assert [row["uuid"] for row in shop.sessions()] == [session["uuid"]]
    assert shop.post(order, key).content == answer.content


def test_a_provider_that_takes_twenty_seconds_does_not_keep_the_caller(shop: Shop, mollie: Mollie):
    # What it then makes after all is found by the books at the end of this file.
    mollie.settings(latencyMs=20_000)
    assert is_unavailable(post_in_time(shop, shop.order(), shop.key()))


def test_a_customer_deleted_at_the_provider_costs_one_checkout_and_no_more(
    shop: Shop, mollie: Mollie
):
    assert shop.post(shop.order(), shop.key()).status_code == 200
    (customer,) = mollie.customers(shop.tenant)
    mollie.delete_customer(customer)
    assert shop.post(shop.order(), shop.key()).status_code == 422
    assert shop.post(shop.order(), shop.key()).status_code == 200
    assert mollie.customers(shop.tenant) != [customer]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("call", CALLS)
def test_a_provider_that_refuses_to_work_now_can_be_asked_again(
    shop: Shop, mollie: Mollie, call: str, status: int
):
    order, key = shop.order(), shop.key()
    mollie.fault(call, "status", status=status)
    assert is_unavailable(post_in_time(shop, order, key))
    ends_well(shop, order, key)
    assert len(mollie.customers(shop.tenant)) == 1


@pytest.mark.parametrize("kind", BREAKS)
@pytest.mark.parametrize("call", CALLS)
def test_an_answer_that_never_came_is_asked_for_again_and_not_paid_twice(
    shop: Shop, mollie: Mollie, call: str, kind: str
):
    order, key = shop.order("subscription"), shop.key()
    mollie.fault(call, kind)
    answer = post_in_time(shop, order, key)
    unusable = answer.status_code == 502 and codes(answer) == ["[E5020]"]
    assert unusable or is_unavailable(answer), answer.text
    ends_well(shop, order, key)
    assert len(mollie.customers(shop.tenant)) == 1


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_our_configurations_fault(
    shop: Shop, mollie: Mollie, call: str, status: int
):
    order, key = shop.order(), shop.key()
    mollie.fault(call, "status", status=status)
    answer = post_in_time(shop, order, key)
    assert (answer.status_code, codes(answer)) == (502, ["[E5020]"])
    assert shop.facts["mollieApiKey"] not in answer.text
    ends_well(shop, order, key)


@pytest.mark.parametrize("call", CALLS)
def test_three_lost_answers_in_a_row_are_still_one_payment(shop: Shop, mollie: Mollie, call: str):
    order, key = shop.order(), shop.key()
    mollie.fault(call, "truncatedJson", times=3)
    ends_well(shop, order, key)
    assert len(mollie.customers(shop.tenant)) == 1


def test_what_nobody_asks_for_again_is_recovered_by_the_worker(shop: Shop, mollie: Mollie):
    mollie.fault("createPayment", "timeoutAfterCommit")
    assert shop.post(shop.order(), shop.key()).status_code == 503
    shop.is_payable()


@pytest.mark.parametrize("kind", BREAKS)
def test_a_verification_is_refunded_once_whatever_happens_to_the_refund_call(
    shop: Shop, mollie: Mollie, kind: str
):
    session = shop.open("setup")
    mollie.fault("createRefund", kind)
    mollie.settle(session["sessionId"], "paid")
    assert shop.recovers(session["uuid"], "complete", "refunded")
    assert len(mollie.refunds(session["sessionId"])) == 1
    assert shop.left("payments")[0]["amountRefunded"] == 100


@pytest.mark.parametrize("kind", ["timeoutAfterCommit", "connectionReset"])
def test_another_try_of_the_shopper_survives_a_lost_answer(shop: Shop, mollie: Mollie, kind: str):
    session = shop.open()
    mollie.settle(session["sessionId"], "failed")
    assert shop.attempt_becomes(session["uuid"], session["sessionId"], "failed")
    mollie.fault("createPayment", kind)
    page = shop.http.get(session["retryUrl"])
    assert page.status_code == 503
    assert "Retry-After" in page.headers
    assert shop.follows(session).startswith(shop.facts["sandboxUrl"])
    assert len(mollie.payments(session["uuid"])) == 2


def test_the_shopper_is_asked_to_wait_while_the_provider_cannot_be_read(shop: Shop, mollie: Mollie):
    session = shop.open()
    mollie.hooks("drop")
    mollie.settle(session["sessionId"], "paid")
    back = mollie.payment(session["sessionId"])["redirectUrl"]
    mollie.fault("getPayment", "status", status=503)
    waiting = shop.http.get(back)
    assert waiting.status_code == 503
    assert waiting.headers["Content-Type"].startswith("text/html")
    assert "/thanks" in shop.http.get(back).headers["location"]


def test_an_amount_that_the_provider_refuses_for_good_is_a_failed_session(
    shop: Shop, mollie: Mollie
):
    order, key = shop.order(quantity=10_000), shop.key()
    refused = shop.post(order, key)
    assert (refused.status_code, codes(refused)) == (422, ["[E4220]"])
    (session,) = shop.sessions()
    assert (session["status"], session["paymentStatus"]) == ("failed", "unpaid")
    assert mollie.payments(session["uuid"]) == []

    again = shop.post(order, key)
    assert (again.status_code, again.content) == (422, refused.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(shop.sessions()) == 1
