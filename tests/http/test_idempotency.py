"""One key, one effect, one answer: on every POST that makes something."""

import asyncio
import json
from typing import Any, Final

import httpx
import pytest

from tests.http.house import Headers, House, Json, code, problems

CREATIONS: Final[dict[str, tuple[str, Json, Json]]] = {
    "products": ("/products", {"name": "Basic"}, {"name": "Other"}),
    "prices": (
        "/products/{product}/prices",
        {"unitAmount": 100, "currency": "EUR"},
        {"unitAmount": 200, "currency": "EUR"},
    ),
    "tax_rates": (
        "/tax-rates",
        {"name": "VAT", "percentage": 8.1, "inclusive": True, "countryCode": "CH"},
        {"name": "VAT", "percentage": 8.2, "inclusive": True, "countryCode": "CH"},
    ),
    "tenants": ("/tenants", {"name": "Initech"}, {"name": "Hooli"}),
    "payment_providers": (
        "/payment-providers",
        {"name": "mollie", "credential": "test_0123456789"},
        {"name": "mollie", "credential": "test_9876543210"},
    ),
    "checkout_sessions": ("/payment-providers/mollie/checkout-sessions", {}, {"quantity": 2}),
}


async def create(
    house: House, table: str, key: str | None = "k", *, other: bool = False, **more: Any
) -> httpx.Response:
    path, body, changed = CREATIONS[table]
    said = changed if other else body
    if table == "checkout_sessions":
        said = house.app.order(**said)
    who: Headers = more.pop("who", None) or owner_of(house, table)
    headers = {} if key is None else {"Idempotency-Key": key}
    path = path.format(product=house.app.ids["product"])
    return await house.ask({**who, **headers}, "POST", path, said, **more)


def owner_of(house: House, table: str) -> Headers:
    return house.app.user("member") if table == "checkout_sessions" else house.app.admin


def is_replay(answer: httpx.Response) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


@pytest.mark.parametrize("table", CREATIONS)
async def test_a_repeat_gets_the_very_same_bytes(house: House, table: str):
    first = await create(house, table)
    assert first.is_success and not is_replay(first)
    rows = await house.rows()
    second = await create(house, table)
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert is_replay(second)
    assert second.headers["content-type"] == first.headers["content-type"]
    assert await house.rows() == rows


@pytest.mark.parametrize("table", CREATIONS)
async def test_a_key_stands_for_one_request(house: House, table: str):
    first = await create(house, table)
    rows = await house.rows()
    other = await create(house, table, other=True)
    assert code(other) == "422 [E4220]" and not is_replay(other)
    assert await house.rows() == rows
    assert (await create(house, table)).content == first.content


@pytest.mark.parametrize("table", [t for t in CREATIONS if t != "checkout_sessions"])
async def test_without_a_key_each_request_makes_one(house: House, table: str):
    before = await house.count(table)
    for _ in range(2):
        assert (await create(house, table, None)).status_code == 201
    assert await house.count(table) == before + 2


@pytest.mark.parametrize("table", CREATIONS)
async def test_ten_at_once_make_one(house: House, table: str):
    before = await house.count(table)
    answers = await asyncio.gather(*(create(house, table) for _ in range(10)))
    assert await house.count(table) == before + 1
    good = [answer for answer in answers if answer.is_success]
    assert good and len({answer.content for answer in good}) == 1
    assert [is_replay(answer) for answer in good].count(False) == 1
    for answer in answers:
        if not answer.is_success:
            assert code(answer) == "409 [E4090]"
            assert int(answer.headers["Retry-After"]) >= 1
    assert (await create(house, table)).content == good[0].content


async def test_what_a_body_looks_like_does_not_matter(house: House):
    """Nor the order of its fields: the body's meaning counts."""
    bodies = (b'{"name":"A","url":null}', b' {"url" : null, "name": "\\u0041"}\n')
    answers = [
        await house.door.post(
            house.app.path("/products"),
            content=body,
            headers={
                **house.app.admin,
                "Idempotency-Key": "k",
                "Content-Type": "application/json",
            },
        )
        for body in bodies
    ]
    assert answers[0].content == answers[1].content and is_replay(answers[1])


async def test_a_key_belongs_to_one_caller_one_route_and_one_app(house: House):
    made = [
        await create(house, "products"),
        await create(house, "products", who=house.app.user("owner", "catalog:write")),
        await create(house, "products", who=house.app.key("write")),
        await create(house, "tenants"),
    ]
    path = house.other.path("/products")
    headers = {**house.other.admin, "Idempotency-Key": "k"}
    made.append(await house.door.post(path, json={"name": "Basic"}, headers=headers))
    assert [(answer.status_code, is_replay(answer)) for answer in made] == [(201, False)] * 5


async def test_a_key_stands_for_one_path(house: House):
    assert (await create(house, "prices")).status_code == 201
    house.app.ids["product"] = (await create(house, "products")).json()["items"][0]["uuid"]
    assert code(await create(house, "prices")) == "422 [E4220]"


async def test_a_refusal_by_a_rule_is_an_answer_too(house: House):
    path = f"/products/{house.app.ids['product']}/prices"
    body = {"unitAmount": 1, "currency": "EUR", "lookupKey": "pro"}
    await house.ok(house.app.admin, "POST", path, body)
    keyed = {**house.app.admin, "Idempotency-Key": "k"}
    first = await house.ask(keyed, "POST", path, body)
    assert code(first) == "409 [E4090]" and not is_replay(first)
    prices = (await house.ask(house.app.admin, "GET", path)).json()["items"]
    (holder,) = (p["uuid"] for p in prices if p["lookupKey"])
    await house.ok(house.app.admin, "DELETE", f"/prices/{holder}")
    second = await house.ask(keyed, "POST", path, body)
    assert (second.status_code, second.content) == (409, first.content)
    assert not any("Retry-After" in answer.headers for answer in (first, second))
    assert is_replay(second)


async def test_a_checkout_refused_by_a_rule_is_an_answer_too(house: House):
    member = {**house.app.user("member"), "Idempotency-Key": "k"}
    first = await house.buy(member, currency="USD")
    second = await house.buy(member, currency="USD")
    assert code(first) == "422 [E4220]"
    assert second.content == first.content and is_replay(second)
    gone = {**house.app.user("member"), "Idempotency-Key": "l"}
    answers = [await house.buy(gone, productPriceUuid=house.other.ids["price"]) for _ in "12"]
    assert [code(answer) for answer in answers] == ["404 [E4040]"] * 2
    assert [is_replay(answer) for answer in answers] == [False, True]


@pytest.mark.parametrize("table", CREATIONS)
async def test_what_was_never_understood_leaves_the_key_free(house: House, table: str):
    path = CREATIONS[table][0].format(product=house.app.ids["product"])
    keyed = {**owner_of(house, table), "Idempotency-Key": "k"}
    assert code(await house.ask(keyed, "POST", path, {"nonsense": 1})) == "400 [E4000]"
    assert code(await create(house, table, who={"Authorization": "Bearer x"})) == "401 [E4010]"
    answer = await create(house, table)
    assert answer.is_success and not is_replay(answer)


@pytest.mark.parametrize("table", [t for t in CREATIONS if t != "checkout_sessions"])
async def test_what_was_forbidden_leaves_the_key_free(house: House, table: str):
    forbidden = await create(house, table, who=house.app.user("guest"))
    assert code(forbidden) == "403 [E4031]"
    answer = await create(house, table, who=house.app.admin)
    assert answer.is_success and not is_replay(answer)


@pytest.mark.parametrize("key", ["x", "k" * 255, "a b", "!~", "01998c5a-0000-7000-8000-0"])
async def test_a_key_is_any_short_printable_text(house: House, key: str):
    assert (await create(house, "products", key)).status_code == 201
    assert is_replay(await create(house, "products", key))


@pytest.mark.parametrize("table", ["products", "checkout_sessions"])
@pytest.mark.parametrize("key", ["", "k" * 256, "\xe4", "a\tb", "\x7f"])
async def test_what_is_no_key_is_refused_by_name(house: House, table: str, key: str):
    before = await house.rows()
    path, body, _ = CREATIONS[table]
    sent = house.app.order() if table == "checkout_sessions" else body
    headers = {**owner_of(house, table), "Content-Type": "application/json"}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    raw.append((b"Idempotency-Key", key.encode("latin-1")))
    answer = await house.door.post(
        house.app.path(path), content=json.dumps(sent).encode(), headers=raw
    )
    assert code(answer) == "400 [E4000]", answer.text
    assert problems(answer).keys() == {"Idempotency-Key"}
    assert await house.rows() == before


async def test_a_lapsed_key_is_free_again(house: House):
    first = await create(house, "products")
    await house.connection.execute("update idempotency_keys set expires_at = now()")
    again = await create(house, "products", other=True)
    assert again.status_code == 201
    assert again.content != first.content and not is_replay(again)


async def test_an_answer_is_kept_for_a_day_at_least(house: House):
    await create(house, "products")
    kept: bool = await house.connection.fetchval(
        "select min(expires_at - created_at) >= interval '24 hours' from idempotency_keys"
    )
    assert kept


async def test_somebody_at_work_is_waited_for_or_told_of_and_never_doubled(house: House):
    """Another body is refused for good even while the first request is still running."""
    await create(house, "products")
    await house.connection.execute(
        "update idempotency_keys set answer_status = null, answer_body = null,"
        " lease_until = now() + interval '1 minute'"
    )
    assert code(await create(house, "products", other=True)) == "422 [E4220]"
    running = await create(house, "products")
    assert code(running) == "409 [E4090]"
    assert running.headers["Retry-After"] == "1"
