"""PostgreSQL is killed: an honest answer meanwhile, and all by itself afterwards."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.faults.mollie import Json, Mollie
from tests.faults.shop import Shop, created
from tests.faults.stack import Stack
from tests.waiting import eventually

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.usefixtures("books")]


def test_without_a_database_the_api_says_so_and_lives(stack: Stack, shop: Shop, mollie: Mollie):
    session, waiting = shop.open(), shop.open("setup")
    back = mollie.payment(session["sessionId"])["redirectUrl"]
    order, key = shop.order("subscription"), shop.key()
    reads = [f"{shop.app}/checkout-sessions", f"{shop.app}/tenants/{shop.tenant}/payments"]
    with stack.nobody_restarts():
        killed = {"postgres": stack.kill("postgres")}
        for _ in range(3):  # not only the first request, whose connection broke
            answers = [shop.http.get(read, headers=shop.headers()) for read in reads]
            answers += [shop.post(order, key), shop.http.get(back), shop.http.get("/readyz")]
            assert [answer.status_code for answer in answers] == [503] * len(answers)
            assert shop.http.get("/livez").status_code == 200
        assert "Retry-After" in shop.post(order, key).headers
        assert "Retry-After" in shop.http.get(back).headers
        # What could not be stored has to be told again.
        mollie.settle(session["sessionId"], "paid")
        assert eventually(lambda: mollie.deliveries(session["sessionId"]) == [500])
    stack.await_return(killed)

    mollie.advance(61)
    mollie.held("payments")
    assert shop.becomes(session["uuid"], "complete", "paid")
    assert "/thanks" in shop.http.get(back).headers["location"]
    assert shop.insist(order, key).status_code == 200
    mollie.settle(waiting["sessionId"], "paid")
    assert shop.becomes(waiting["uuid"], "complete", "refunded"), "the worker did not come back"


def test_nothing_that_was_acknowledged_is_lost(stack: Stack, shop: Shop, mollie: Mollie):
    orders = [(shop.order(clientReferenceId=str(number)), shop.key()) for number in range(40)]
    first: list[httpx.Response] = []

    def ask(order_and_key: tuple[Json, str]) -> None:
        answer = shop.post(*order_and_key)
        first.append(answer)

    with ThreadPoolExecutor(8) as crowd:
        asked = [crowd.submit(ask, order) for order in orders]
        assert eventually(lambda: len(first) >= 8)
        stack.lose("postgres")
        for call in asked:
            call.result(30)
    assert {answer.status_code for answer in first} <= {200, 503}

    acknowledged = {answer.content for answer in first if answer.status_code == 200}
    final = [shop.insist(order, key) for order, key in orders]
    assert {answer.status_code for answer in final} == {200}
    assert acknowledged <= {answer.content for answer in final}
    sessions = {created(answer)["uuid"] for answer in final}
    assert sessions == {row["uuid"] for row in shop.sessions()}
    assert [len(mollie.payments(uuid)) for uuid in sessions] == [1] * len(orders)
