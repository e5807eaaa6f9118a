"""The way of a shopper: our link, the provider's page, back through us, and on to the app."""

import pytest

from tests.faults.mollie import Mollie
from tests.faults.page import decide
from tests.faults.shop import CANCEL_URL, SUCCESS_URL, Shop

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.usefixtures("books")]


@pytest.mark.parametrize("mode", ["payment", "subscription", "setup"])
@pytest.mark.parametrize("outcome", ["paid", "failed", "canceled", "expired"])
def test_the_shopper_comes_back_to_the_page_that_fits(
    shop: Shop, mollie: Mollie, mode: str, outcome: str
):
    session = shop.open(mode)
    back = decide(mollie.http, session["nextActionUrl"], outcome)
    assert back.startswith(shop.facts["apiUrl"])

    answer = shop.http.get(back)
    assert answer.status_code == 303, answer.text
    target = SUCCESS_URL if outcome == "paid" else CANCEL_URL
    here = target.replace("{CHECKOUT_SESSION_UUID}", session["uuid"])
    assert answer.headers["location"] == here
    status = "complete" if outcome == "paid" else "open"
    assert shop.session(session["uuid"])["status"] == status


def test_a_shopper_who_comes_back_undecided_can_go_on_paying(shop: Shop, mollie: Mollie):
    session = shop.open()
    back = decide(mollie.http, session["nextActionUrl"], "open")
    assert shop.http.get(back).status_code == 303
    assert shop.session(session["uuid"])["status"] == "open"
    assert shop.retry(session) == session["nextActionUrl"]


def test_a_shopper_who_fails_first_pays_through_the_link_of_ours(shop: Shop, mollie: Mollie):
    session = shop.open()
    shop.http.get(decide(mollie.http, session["nextActionUrl"], "failed"))
    back = decide(mollie.http, shop.retry(session), "paid")
    there = shop.http.get(back).headers["location"]
    assert there == SUCCESS_URL.replace("{CHECKOUT_SESSION_UUID}", session["uuid"])
    assert shop.becomes(session["uuid"], "complete", "paid")


def test_a_shopper_who_comes_back_ten_times_has_bought_once(shop: Shop, mollie: Mollie):
    session = shop.open()
    back = decide(mollie.http, session["nextActionUrl"], "paid")
    targets = {shop.http.get(back).headers["location"] for _ in range(10)}
    assert targets == {SUCCESS_URL.replace("{CHECKOUT_SESSION_UUID}", session["uuid"])}
    assert len(shop.left("one-time-payments")) == 1


def test_a_link_with_another_secret_leads_nowhere(shop: Shop):
    session, other = shop.open(), shop.open("setup")
    start, uuid, _, verb = session["retryUrl"].rsplit("/", 3)
    secret = other["retryUrl"].rsplit("/", 2)[1]
    for forged in (f"{start}/{uuid}/{secret}/{verb}", f"{start}/{uuid}/x/{verb}"):
        assert shop.http.get(forged).status_code == 404
