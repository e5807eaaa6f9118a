"""One key, one answer, one payment: however many ask at the same moment."""

import asyncio

import httpx
import pytest

from tests.faults.mollie import Json, Mollie
from tests.faults.shop import Shop, codes, created

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.usefixtures("books")]

EVERYBODY = httpx.Limits(max_connections=100)


async def post_at_once(shop: Shop, orders: list[tuple[Json, str | None]]) -> list[httpx.Response]:
    address = shop.facts["apiUrl"]
    async with httpx.AsyncClient(base_url=address, timeout=30, limits=EVERYBODY) as crowd:
        return await asyncio.gather(
            *(
                crowd.post(shop.route, json=order, headers=shop.headers(key))
                for order, key in orders
            )
        )


async def test_a_hundred_posts_with_one_key_are_one_payment(shop: Shop, mollie: Mollie):
    order, key = shop.order(), shop.key()
    answers = await post_at_once(shop, [(order, key)] * 100)
    assert {answer.status_code for answer in answers} <= {200, 409}
    for answer in answers:
        if answer.status_code == 409:
            assert codes(answer) == ["[E4090]"]
            assert int(answer.headers["Retry-After"]) >= 0

    last = shop.insist(order, key)
    assert last.status_code == 200
    assert {answer.content for answer in answers if answer.status_code == 200} <= {last.content}
    assert [row["uuid"] for row in shop.sessions()] == [created(last)["uuid"]]
    assert len(mollie.payments(created(last)["uuid"])) == 1


@pytest.mark.parametrize("mode", ["payment", "subscription", "setup"])
def test_a_replay_has_the_same_bytes_and_says_so(shop: Shop, mollie: Mollie, mode: str):
    order, key = shop.order(mode), shop.key()
    first = shop.post(order, key)
    assert "Idempotent-Replayed" not in first.headers
    mollie.settle(created(first)["sessionId"], "paid")
    assert shop.becomes(created(first)["uuid"], "complete")
    again = shop.post(order, key)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert len(shop.sessions()) == 1


def test_the_order_of_a_bodys_fields_does_not_matter(shop: Shop):
    order, key = shop.order(), shop.key()
    first = shop.post(order, key)
    again = shop.post(dict(reversed(order.items())), key)
    assert again.content == first.content


@pytest.mark.parametrize(
    "change",
    [{"quantity": 2}, {"cancelUrl": "http://localhost/"}, {"clientReferenceId": "other"}],
    ids=str,
)
def test_the_same_key_with_another_body_is_refused(shop: Shop, change: Json):
    order, key = shop.order(), shop.key()
    assert shop.post(order, key).status_code == 200
    other = shop.post({**order, **change}, key)
    assert (other.status_code, codes(other)) == (422, ["[E4220]"])
    assert len(shop.sessions()) == 1


async def test_the_same_key_with_another_body_is_refused_while_the_first_still_runs(
    shop: Shop, mollie: Mollie
):
    mollie.settings(latencyMs=400)
    key = shop.key()
    orders = [(shop.order(quantity=1 + number % 2), key) for number in range(10)]
    answers = await post_at_once(shop, orders)
    winner = next(n for n, answer in enumerate(answers) if answer.status_code == 200) % 2
    same = {answer.status_code for answer in answers[winner::2]}
    other = {answer.status_code for answer in answers[1 - winner :: 2]}
    assert same <= {200, 409}
    assert other == {422}
    assert len(shop.sessions()) == 1


async def test_fifty_first_checkouts_at_once_make_one_customer(shop: Shop, mollie: Mollie):
    orders = [(shop.order(clientReferenceId=str(number)), shop.key()) for number in range(50)]
    answers = await post_at_once(shop, orders)
    assert {answer.status_code for answer in answers} <= {200, 409, 503}
    sessions = {created(shop.insist(order, key or ""))["uuid"] for order, key in orders}
    assert len(sessions) == 50

    customers = mollie.customers(shop.tenant)
    assert len(customers) == 1
    made = [payment for uuid in sessions for payment in mollie.payments(uuid)]
    assert len(made) == 50
    assert {payment["customerId"] for payment in made} == set(customers)


def test_a_double_click_without_a_key_is_one_session(shop: Shop, mollie: Mollie):
    first, second = (shop.post(shop.order(), None) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert created(first)["uuid"] == created(second)["uuid"]
    assert created(first)["sessionId"] == created(second)["sessionId"]
    assert len(mollie.payments(created(first)["uuid"])) == 1


async def test_clicks_at_the_same_moment_without_a_key_are_one_session(shop: Shop, mollie: Mollie):
    answers = await post_at_once(shop, [(shop.order(), None)] * 10)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({created(a)["uuid"] for a in answers if a.status_code == 200}) == 1
    (session,) = shop.sessions()
    assert len(mollie.payments(session["uuid"])) == 1


def test_clicks_for_different_things_are_different_sessions(shop: Shop):
    orders = [shop.order(), shop.order(quantity=2), shop.order("setup")]
    assert len({created(shop.post(order, None))["uuid"] for order in orders}) == 3


def test_after_the_session_has_ended_the_same_click_is_a_new_one(shop: Shop):
    first = created(shop.post(shop.order(), None))
    shop.expire(first["uuid"])
    assert created(shop.post(shop.order(), None))["uuid"] != first["uuid"]


def test_another_caller_with_the_same_key_is_somebody_else(shop: Shop):
    order, key = shop.order(tenantUuid=shop.facts["tenantUuid"]), shop.key()
    answers = [shop.post(order, key, caller) for caller in ("admin", "tenant")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert created(answers[0])["uuid"] != created(answers[1])["uuid"]


def test_another_tenant_with_the_same_key_is_somebody_else(shop: Shop):
    key, facts = shop.key(), shop.facts
    mine = shop.post(shop.order(tenantUuid=facts["tenantUuid"]), key, "tenant")
    theirs = shop.post(shop.order(tenantUuid=facts["otherTenantUuid"]), key, "otherTenant")
    assert (mine.status_code, theirs.status_code) == (200, 200)
    assert created(mine)["tenantUuid"] == facts["tenantUuid"]
    assert created(theirs)["tenantUuid"] == facts["otherTenantUuid"]


def test_what_is_invalid_does_not_use_the_key_up(shop: Shop):
    key = shop.key()
    assert shop.post(shop.order(quantity=0), key).status_code == 400
    assert shop.post(shop.order(), key).status_code == 200
