"""kill -9 in the worst moment: nothing is lost, and nothing is paid or refunded twice.

What dies often in a few seconds is restarted with a pause, so different processes take turns here.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain

import httpx
import pytest

from tests.faults.mollie import Json, Mollie
from tests.faults.shop import Shop, created
from tests.faults.stack import Stack
from tests.waiting import eventually

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.usefixtures("books")]


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def interrupted(call: "Future[httpx.Response]") -> bool:
    """Whether the caller never heard an answer."""
    try:
        call.result(15)
    except httpx.TransportError:
        return True
    return False


def kill_during(stack: Stack, shop: Shop, fault: tuple[str, str], key: str) -> None:
    """Kill the API while it waits for Mollie, then wait until it is back."""
    operation, kind = fault
    shop.mollie.fault(operation, kind)
    with ThreadPoolExecutor(1) as caller:
        call = caller.submit(shop.post, shop.order(), key)
        assert eventually(lambda: waits_for_mollie(shop.mollie, operation, kind))
        killed = {"api": stack.kill("api")}
        unheard = interrupted(call)
    stack.await_return(killed)
    assert unheard


def waits_for_mollie(mollie: Mollie, operation: str, kind: str) -> bool:
    """Whether the newest call is the one that gets no answer."""
    asked = mollie.held("requests")
    return bool(asked) and (asked[0]["operation"], asked[0]["fault"]) == (operation, kind)


# Mollie has made it, and has not said so yet.
@pytest.mark.parametrize(
    "fault",
    [
        ("createPayment", "timeoutAfterCommit"),
        ("createCustomer", "timeoutAfterCommit"),
    ],
    ids="-".join,
)
def test_a_retry_after_the_api_was_killed_is_one_payment(
    stack: Stack, shop: Shop, mollie: Mollie, fault: tuple[str, str]
):
    key = shop.key()
    kill_during(stack, shop, fault, key)
    answer = shop.insist(shop.order(), key)
    assert answer.status_code == 200, answer.text
    session = shop.is_payable()
    assert session["uuid"] == created(answer)["uuid"]
    assert len(mollie.customers(shop.tenant)) == 1
    mollie.settle(session["sessionId"], "paid")
    assert shop.becomes(session["uuid"], "complete", "paid")


@pytest.mark.parametrize(
    ("whom", "kind"),
    [
        (("worker",), "timeoutAfterCommit"),
        (("worker",), "timeoutBeforeCommit"),
        (("api", "worker"), "timeoutAfterCommit"),
    ],
    ids=str,
)
def test_a_refund_that_was_interrupted_is_made_once(
    stack: Stack, shop: Shop, mollie: Mollie, whom: tuple[str, ...], kind: str
):
    session = shop.open("setup")
    mollie.fault("createRefund", kind)
    mollie.settle(session["sessionId"], "paid")
    assert eventually(lambda: waits_for_mollie(mollie, "createRefund", kind))
    stack.lose(*whom)
    assert shop.recovers(session["uuid"], "complete", "refunded")
    assert len(mollie.refunds(session["sessionId"])) == 1
    assert shop.left("payments")[0]["amountRefunded"] == 100


def test_a_killed_sandbox_comes_back_with_its_world(stack: Stack, shop: Shop, mollie: Mollie):
    session = shop.open("subscription")
    before = mollie.payments()
    with stack.nobody_restarts():
        killed = {"sandbox": stack.kill("sandbox")}
        order, key = shop.order(), shop.key()
        answer = shop.post(order, key)
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
    stack.await_return(killed)
    assert mollie.payments() == before
    assert shop.insist(order, key).status_code == 200
    mollie.settle(session["sessionId"], "paid")
    assert shop.becomes(session["uuid"], "complete", "paid")


def test_without_a_retry_the_worker_recovers_what_the_killed_api_left(
    stack: Stack, shop: Shop, mollie: Mollie
):
    key = shop.key()
    kill_during(stack, shop, ("createPayment", "timeoutAfterCommit"), key)
    session = shop.is_payable()
    mollie.settle(session["sessionId"], "paid")
    assert shop.becomes(session["uuid"], "complete", "paid")
    # The caller comes back a day later; it is still the same session.
    answer = shop.insist(shop.order(), key)
    assert (answer.status_code, created(answer)["uuid"]) == (200, session["uuid"])
    assert len(mollie.payments(session["uuid"])) == 1


def kill_while_mollie_is_slow(stack: Stack, shop: Shop, key: str) -> bool:
    """Whether the API died before it could answer."""
    shop.mollie.settings(latencyMs=900)
    with ThreadPoolExecutor(1) as caller:
        call = caller.submit(shop.post, shop.order(), key)
        assert eventually(lambda: shop.sessions() != [])
        killed = {"api": stack.kill("api")}
        unheard = interrupted(call)
    shop.mollie.settings(latencyMs=0)
    stack.await_return(killed)
    return unheard


def test_a_retry_may_overtake_the_call_of_the_killed_api(stack: Stack, shop: Shop, mollie: Mollie):
    # On a busy machine the answer may be out before the kill: then it is the next one's turn.
    others = (Shop(stack, shop.http, mollie, f"overtaken {number}") for number in range(4))
    buyers = ((one, one.key()) for one in chain([shop], others))
    buyer, key = next(
        (one, key) for one, key in buyers if kill_while_mollie_is_slow(stack, one, key)
    )
    assert buyer.insist(buyer.order(), key).status_code == 200
    buyer.is_payable()


def test_everything_at_once_is_survived(stack: Stack, shop: Shop, mollie: Mollie):
    kept = [shop.open(mode) for mode in ("payment", "subscription", "setup")]
    stack.lose("api", "worker", "sandbox", "postgres")
    for session in kept:
        assert shop.session(session["uuid"])["sessionId"] == session["sessionId"]
        mollie.settle(session["sessionId"], "paid")
    for session in kept:
        expected = "refunded" if session["mode"] == "setup" else "paid"
        assert shop.recovers(session["uuid"], "complete", expected)


def test_webhooks_that_nobody_heard_are_told_again(stack: Stack, shop: Shop, mollie: Mollie):
    session = shop.open()
    with stack.nobody_restarts():
        killed = {"api": stack.kill("api")}
        mollie.settle(session["sessionId"], "paid")
        assert eventually(lambda: mollie.deliveries(session["sessionId"]) == [None])
    stack.await_return(killed)
    assert shop.session(session["uuid"])["status"] == "open"
    mollie.advance(61)
    mollie.held("payments")
    assert shop.becomes(session["uuid"], "complete", "paid")


def test_shoppers_who_pay_while_the_api_is_killed_have_all_bought(
    stack: Stack, shop: Shop, mollie: Mollie, background: ThreadPoolExecutor
):
    orders = [(shop.order(clientReferenceId=str(number)), shop.key()) for number in range(24)]

    def buy(order_and_key: tuple[Json, str]) -> str:
        session = created(shop.insist(*order_and_key))
        mollie.settle(session["sessionId"], "paid")
        return str(session["uuid"])

    buyers = [background.submit(buy, order) for order in orders]
    assert eventually(lambda: any(buyer.done() for buyer in buyers))
    stack.lose("api")
    sessions = {buyer.result(30) for buyer in buyers}
    mollie.advance(61)  # for the webhooks that nobody heard
    mollie.held("payments")

    def bought() -> list[str]:
        return sorted(row["checkoutSessionUuid"] for row in shop.left("one-time-payments"))

    assert eventually(lambda: bought() == sorted(sessions))
    assert len(sessions) == len(shop.sessions()) == 24
