"""What is paid for is left exactly once, in every mode and after every way to fail first."""

import pytest

from tests.faults.mollie import Json, Mollie
from tests.faults.shop import CANCEL_URL, Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.usefixtures("books")]

MODES = ("payment", "subscription", "setup")
ENDS = ("failed", "canceled", "expired")


def leaves(shop: Shop, session: Json) -> None:
    """Assert that the session ends well, and what a paid session of its mode has to leave."""
    mode, uuid = session["mode"], session["uuid"]
    assert shop.becomes(uuid, "complete", "refunded" if mode == "setup" else "paid"), shop.session(
        uuid
    )
    purchases = [row["checkoutSessionUuid"] for row in shop.left("one-time-payments")]
    subscriptions = [row["checkoutSessionUuid"] for row in shop.left("subscriptions")]
    assert purchases == ([uuid] if mode == "payment" else [])
    assert subscriptions == ([uuid] if mode == "subscription" else [])
    assert len(shop.left("payment-methods")) == (0 if mode == "payment" else 1)
    paid = [row for row in shop.left("payments") if row["status"] == "paid"]
    assert [row["isSurplus"] for row in paid] == [False]
    assert len(shop.mollie.refunds(paid[0]["paymentId"])) == (1 if mode == "setup" else 0)


@pytest.mark.parametrize("mode", MODES)
def test_a_paid_session_leaves_what_was_bought_once(shop: Shop, mollie: Mollie, mode: str):
    session = shop.open(mode)
    assert (session["status"], session["paymentStatus"]) == ("open", "unpaid")
    mollie.settle(session["sessionId"], "paid")
    leaves(shop, session)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("mode", MODES)
def test_after_a_payment_that_came_to_nothing_another_one_succeeds(
    shop: Shop, mollie: Mollie, mode: str, end: str
):
    session = shop.open(mode)
    first = session["sessionId"]
    mollie.settle(first, end)
    assert shop.attempt_becomes(session["uuid"], first, end)
    ended = shop.session(session["uuid"])
    assert (ended["status"], ended["paymentStatus"]) == ("open", "unpaid")

    page = shop.retry(session)
    again = shop.session(session["uuid"])
    second = again["sessionId"]
    assert second != first
    assert again["nextActionUrl"] == page != session["nextActionUrl"]
    assert page == mollie.payment(second)["_links"]["checkout"]["href"]
    attempts = [(attempt["sessionId"], attempt["status"]) for attempt in again["attempts"]]
    assert attempts == [(first, end), (second, "open")]

    mollie.settle(second, "paid")
    leaves(shop, session)
    assert len(mollie.payments(session["uuid"])) == 2


def test_a_declined_attempt_keeps_its_reason(shop: Shop, mollie: Mollie):
    session = shop.open()
    mollie.settle(session["sessionId"], "failed", failureReason="insufficient_funds")
    assert shop.attempt_becomes(session["uuid"], session["sessionId"], "failed")
    attempt = shop.session(session["uuid"])["attempts"][0]
    assert attempt["failureReason"] == "insufficient_funds"
    assert shop.left("payments")[0]["failureReason"] == "insufficient_funds"


def test_the_link_leads_to_the_same_payment_as_long_as_it_can_be_paid(shop: Shop, mollie: Mollie):
    session = shop.open()
    assert [shop.retry(session) for _ in range(3)] == [session["nextActionUrl"]] * 3
    assert len(mollie.payments(session["uuid"])) == 1


def test_a_payment_that_runs_out_of_time_leaves_the_session_open(shop: Shop, mollie: Mollie):
    session = shop.open()
    mollie.advance(3600)
    mollie.held("payments")  # any call lets due things happen
    assert shop.attempt_becomes(session["uuid"], session["sessionId"], "expired")
    assert shop.session(session["uuid"])["status"] == "open"
    shop.retry(session)
    mollie.settle(shop.session(session["uuid"])["sessionId"], "paid")
    leaves(shop, session)


@pytest.mark.parametrize("mode", MODES)
def test_a_session_that_was_ended_by_hand_takes_no_further_try(
    shop: Shop, mollie: Mollie, mode: str
):
    session = shop.open(mode)
    shop.expire(session["uuid"])
    row = shop.session(session["uuid"])
    assert (row["status"], row["paymentStatus"]) == ("expired", "unpaid")
    mollie.settle(session["sessionId"], "expired")
    assert shop.attempt_becomes(session["uuid"], session["sessionId"], "expired")

    there = shop.http.get(session["retryUrl"]).headers["location"]
    assert there == CANCEL_URL.replace("{CHECKOUT_SESSION_UUID}", session["uuid"])
    assert len(mollie.payments(session["uuid"])) == 1
    assert shop.left("one-time-payments") == shop.left("subscriptions") == []


def test_a_complete_session_cannot_be_ended_by_hand(shop: Shop, mollie: Mollie):
    session = shop.open()
    mollie.settle(session["sessionId"], "paid")
    assert shop.becomes(session["uuid"], "complete")
    address = f"{shop.app}/checkout-sessions/{session['uuid']}/expire"
    assert shop.http.post(address, headers=shop.headers(shop.key())).status_code == 409
    assert shop.session(session["uuid"])["status"] == "complete"


def test_a_subscription_starts_with_a_period_of_its_interval(shop: Shop, mollie: Mollie):
    session = shop.open("subscription")
    mollie.settle(session["sessionId"], "paid")
    leaves(shop, session)
    (subscription,) = shop.left("subscriptions")
    assert subscription["status"] == "active"
    assert subscription["currentPeriodNumber"] == 1
    start, end = subscription["currentPeriodStart"], subscription["currentPeriodEnd"]
    assert start == shop.left("payments")[0]["paidAt"]
    # The same day of the next month, or its last one: at most three days are missing.
    months = [int(at[:4]) * 12 + int(at[5:7]) for at in (start, end)]
    assert months[1] - months[0] == 1
    assert 0 <= int(start[8:10]) - int(end[8:10]) <= 3
    assert start[10:] == end[10:]


def test_a_subscription_is_active_while_its_mandate_is_pending(shop: Shop, mollie: Mollie):
    mollie.settings(mandateDelaySeconds=86_400)
    session = shop.open("subscription")
    mollie.settle(session["sessionId"], "paid")
    assert shop.becomes(session["uuid"], "complete", "paid")
    assert [row["status"] for row in shop.left("subscriptions")] == ["active"]
    assert [row["status"] for row in shop.left("payment-methods")] == ["pending"]

    mandate = mollie.payment(session["sessionId"])["mandateId"]
    mollie.control(f"mandates/{mandate}/status", status="valid")
    mollie.redeliver(session["sessionId"])
    assert eventually(lambda: [m["status"] for m in shop.left("payment-methods")] == ["valid"])


# subtotal, tax, total of three: EUR 49.00 each, and EUR 9.99 each
@pytest.mark.parametrize(
    ("mode", "rate", "amounts"),
    [
        ("payment", "exclusive19", (14_700, 2_793, 17_493)),
        ("payment", "inclusive21", (12_149, 2_551, 14_700)),
        ("subscription", "exclusive19", (2_997, 569, 3_566)),
        ("subscription", "inclusive21", (2_477, 520, 2_997)),
        ("payment", None, (14_700, 0, 14_700)),
    ],
)
def test_what_is_charged_is_what_was_computed(
    shop: Shop, mollie: Mollie, mode: str, rate: str | None, amounts: tuple[int, int, int]
):
    tax = shop.facts["taxRates"][rate] if rate else None
    session = shop.open(mode, quantity=3, taxRateUuid=tax)
    names = ("amountSubtotal", "amountTax", "amountTotal")
    assert tuple(session[name] for name in names) == amounts
    charged = mollie.payment(session["sessionId"])["amount"]
    assert charged == {"currency": "EUR", "value": f"{amounts[2] // 100}.{amounts[2] % 100:02}"}

    mollie.settle(session["sessionId"], "paid")
    leaves(shop, session)
    bought = shop.left("one-time-payments" if mode == "payment" else "subscriptions")
    assert [tuple(row[name] for name in names) for row in bought] == [amounts]
