"""Money that comes when nobody waits for it any more goes back, all by itself."""

import pytest

from tests.faults.mollie import Mollie
from tests.faults.shop import Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.usefixtures("books")]


@pytest.mark.parametrize("mode", ["payment", "subscription", "setup"])
def test_money_for_a_session_that_was_ended_is_given_back(shop: Shop, mollie: Mollie, mode: str):
    session = shop.open(mode)
    shop.expire(session["uuid"])
    mollie.settle(session["sessionId"], "paid")

    assert eventually(lambda: len(mollie.refunds(session["sessionId"])) == 1)
    (refund,) = mollie.refunds(session["sessionId"])
    assert refund["amount"] == mollie.payment(session["sessionId"])["amount"]
    total = session["amountTotal"]
    assert eventually(lambda: shop.left("payments")[0]["amountRefunded"] == total)
    (payment,) = shop.left("payments")
    assert (payment["status"], payment["isSurplus"]) == ("paid", True)
    assert shop.session(session["uuid"])["status"] == "expired"
    assert shop.left("one-time-payments") == shop.left("subscriptions") == []


def test_late_money_is_given_back_once_however_often_it_is_told(shop: Shop, mollie: Mollie):
    session = shop.open()
    shop.expire(session["uuid"])
    mollie.hooks("duplicate")
    mollie.settle(session["sessionId"], "paid")
    for _ in range(5):
        shop.tell(session["sessionId"])
    total = session["amountTotal"]
    assert eventually(lambda: shop.left("payments")[0]["amountRefunded"] == total)
    shop.tell(session["sessionId"])
    assert len(mollie.refunds(session["sessionId"])) == 1


def test_a_shopper_who_pays_late_comes_back_to_the_cancel_page(shop: Shop, mollie: Mollie):
    session = shop.open()
    shop.expire(session["uuid"])
    mollie.hooks("drop")
    mollie.settle(session["sessionId"], "paid")
    back = shop.http.get(mollie.payment(session["sessionId"])["redirectUrl"])
    assert "/basket" in back.headers["location"]
    assert shop.in_time(lambda: len(mollie.refunds(session["sessionId"])) == 1)
    assert shop.session(session["uuid"])["status"] == "expired"
