"""Webhooks get lost, doubled, late, early, out of order and forged; the end is always the same."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.due import payment_is_due
from tests.faults.mollie import Mollie
from tests.faults.page import decide
from tests.faults.shop import Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.usefixtures("books")]

RECEIVED = {"received": True}
IGNORED = {"received": True, "ignored": True}
NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("mode", ["payment", "subscription", "setup"])
def test_the_way_back_finds_what_no_webhook_told(shop: Shop, mollie: Mollie, mode: str):
    mollie.hooks("drop")
    session = shop.open(mode)
    answer = shop.http.get(decide(mollie.http, session["nextActionUrl"], "paid"))
    assert "/thanks" in answer.headers["location"]
    assert shop.becomes(session["uuid"], "complete", "refunded" if mode == "setup" else "paid")
    assert 200 not in mollie.deliveries(session["sessionId"])


def test_the_worker_finds_what_neither_webhook_nor_shopper_told(shop: Shop, mollie: Mollie):
    mollie.hooks("drop")
    session = shop.open()
    mollie.settle(session["sessionId"], "paid")
    assert shop.session(session["uuid"])["status"] == "open"
    payment_is_due(shop.facts["databaseUrl"], session["sessionId"])
    assert shop.becomes(session["uuid"], "complete", "paid")


def test_a_doubled_webhook_is_one_purchase(shop: Shop, mollie: Mollie):
    mollie.hooks("duplicate")
    session = shop.open("subscription")
    mollie.settle(session["sessionId"], "paid")
    assert eventually(lambda: mollie.deliveries(session["sessionId"]) == [200, 200])
    assert shop.becomes(session["uuid"], "complete", "paid")
    assert len(shop.left("subscriptions")) == len(shop.left("payment-methods")) == 1


@pytest.mark.parametrize("mode", ["payment", "setup"])
def test_twenty_webhooks_at_once_are_one_purchase(shop: Shop, mollie: Mollie, mode: str):
    mollie.hooks("drop")
    session = shop.open(mode)
    mollie.settle(session["sessionId"], "paid")
    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(shop.tell, [session["sessionId"]] * 20))
    assert {answer.status_code for answer in answers} == {200}
    assert shop.becomes(session["uuid"], "complete", "refunded" if mode == "setup" else "paid")
    assert len(shop.left("one-time-payments")) == (1 if mode == "payment" else 0)
    assert len(mollie.refunds(session["sessionId"])) == (1 if mode == "setup" else 0)


def test_a_late_webhook_is_as_good_as_any(shop: Shop, mollie: Mollie):
    mollie.hooks("normal", delay_ms=700)
    session = shop.open()
    mollie.settle(session["sessionId"], "paid")
    assert shop.session(session["uuid"])["status"] == "open"
    assert shop.becomes(session["uuid"], "complete", "paid")


@pytest.mark.parametrize("mode", ["payment", "subscription", "setup"])
def test_a_webhook_may_come_before_the_answer_to_the_create_call(
    shop: Shop, mollie: Mollie, mode: str
):
    mollie.hooks("beforeResponse")
    session = shop.open(mode)
    assert eventually(lambda: 200 in mollie.deliveries(session["sessionId"]))
    assert len(shop.left("payments")) == 1
    assert [a["sessionId"] for a in session["attempts"]] == [session["sessionId"]]
    mollie.hooks("normal")
    mollie.settle(session["sessionId"], "paid")
    assert shop.becomes(session["uuid"], "complete")


def test_an_old_webhook_after_newer_news_changes_nothing(shop: Shop, mollie: Mollie):
    session = shop.open()
    first = session["sessionId"]
    mollie.settle(first, "failed")
    assert shop.attempt_becomes(session["uuid"], first, "failed")
    shop.retry(session)
    second = shop.session(session["uuid"])["sessionId"]
    mollie.settle(second, "paid")
    assert shop.becomes(session["uuid"], "complete", "paid")

    before = shop.session(session["uuid"])
    assert shop.tell(first).json() == {"received": True, "status": "failed"}
    mollie.redeliver(first)
    mollie.redeliver(second)
    assert eventually(lambda: mollie.deliveries(first) == [200, 200])
    assert shop.session(session["uuid"]) == before
    assert len(shop.left("one-time-payments")) == 1


def test_a_webhook_says_what_has_not_succeeded_yet(shop: Shop, mollie: Mollie):
    mollie.hooks("drop")
    session = shop.open()
    assert shop.tell(session["sessionId"]).json() == {"received": True, "status": "open"}
    mollie.settle(session["sessionId"], "paid")
    as_json = shop.http.post(shop.hook, json={"id": session["sessionId"]})
    assert (as_json.status_code, as_json.json()) == (200, RECEIVED)
    assert shop.becomes(session["uuid"], "complete", "paid")


def test_a_payment_of_somebody_else_with_the_same_account_is_ignored(shop: Shop, mollie: Mollie):
    theirs = mollie.create_payment(shop.facts["apiUrl"] + shop.hook)
    mollie.settle(theirs["id"], "paid")
    assert eventually(lambda: mollie.deliveries(theirs["id"]) == [200])
    answer = shop.tell(theirs["id"])
    assert (answer.status_code, answer.json()) == (200, IGNORED)
    assert mollie.refunds(theirs["id"]) == []


@pytest.mark.parametrize("account", [NOBODY, "nonsense", "", None])
def test_a_webhook_for_an_account_that_nobody_has_is_ignored(
    shop: Shop, mollie: Mollie, account: str | None
):
    mollie.hooks("drop")
    session = shop.open()
    mollie.settle(session["sessionId"], "paid")
    query = {} if account is None else {"paymentProviderUuid": account}
    body = {"id": session["sessionId"]}
    answer = shop.http.post("/api/v1/webhooks/mollie", params=query, data=body)
    assert (answer.status_code, answer.json()) == (200, IGNORED)
    assert shop.session(session["uuid"])["status"] == "open"
    assert shop.tell(session["sessionId"]).json() == RECEIVED


def test_another_apps_payment_is_none_of_this_accounts_business(shop: Shop, mollie: Mollie):
    facts, other = shop.facts, shop.facts["otherApp"]
    order = shop.order(tenantUuid=other["tenantUuid"], productPriceUuid=other["prices"]["oneTime"])
    del order["taxRateUuid"]
    route = f"/api/v1/apps/{other['appUuid']}/payment-providers/mollie/checkout-sessions"
    headers = shop.headers(shop.key(), "otherApp")
    answer = shop.http.post(route, json=order, headers=headers)
    assert answer.status_code == 200, answer.text
    id = answer.json()["items"][0]["createdCheckoutSession"]["sessionId"]
    assert facts["appUuid"] != other["appUuid"]
    assert shop.tell(id).json() == IGNORED


GARBAGE = (
    b"",
    b"id=",
    b"id",
    b"id=tr_nobody",
    b"id=../../v2/customers",
    b"id=tr_%00",
    b"id=tr_1'%20or%201=1",
    b"\xff\xfe\x00",
    b"{",
    b"[]",
    b"null",
    b'{"id": 5}',
    b'{"id": null}',
    b'{"id": {"id": "tr_1"}}',
    b'{"id": "tr_nobody"}',
    b'{"id": "\\ud800"}',
    b"[" * 1000,
    b'{"id":' * 600,
)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", ""])
def test_garbage_is_received_and_ignored(shop: Shop, kind: str):
    for body in GARBAGE:
        answer = shop.http.post(shop.hook, content=body, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()) == (200, IGNORED), body


def test_mollie_is_answered_in_time_while_it_is_slow_itself(shop: Shop, mollie: Mollie):
    mollie.hooks("drop")
    session = shop.open()
    mollie.settle(session["sessionId"], "paid")
    mollie.settings(latencyMs=5_000)
    answer = shop.tell(session["sessionId"])
    assert answer.elapsed.total_seconds() < 2
    assert (answer.status_code, answer.json()) == (200, RECEIVED)
    mollie.settings(latencyMs=0)
    assert shop.recovers(session["uuid"], "complete", "paid"), "the worker did not finish it"


@pytest.mark.parametrize("status", [429, 500])
def test_a_webhook_about_what_cannot_be_read_now_is_finished_by_the_worker(
    shop: Shop, mollie: Mollie, status: int
):
    mollie.hooks("drop")
    session = shop.open()
    mollie.settle(session["sessionId"], "paid")
    mollie.fault("getPayment", "status", status=status)
    answer = shop.tell(session["sessionId"])
    assert (answer.status_code, answer.json()) == (200, RECEIVED)
    assert shop.recovers(session["uuid"], "complete", "paid")


def test_a_payment_that_mollie_denied_once_is_believed_the_next_time(shop: Shop, mollie: Mollie):
    mollie.hooks("drop")
    session = shop.open()
    mollie.settle(session["sessionId"], "paid")
    mollie.fault("getPayment", "status", status=404)
    assert shop.tell(session["sessionId"]).status_code == 200
    assert shop.tell(session["sessionId"]).json() == RECEIVED
    assert shop.becomes(session["uuid"], "complete", "paid")
