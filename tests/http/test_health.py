"""Is it alive, is it ready, how is it doing; and every request can be found again by its id."""

import re
import socket
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from litestar import Litestar

from app.main import build
from app.settings import Settings
from infrastructure.secrets import new_key
from tests.http.examples import UNKNOWN
from tests.http.house import House, code
from tests.http.lifespan import running


@pytest.fixture
async def cut_off(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The door of an application whose database is away."""
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        port = nobody_listens.getsockname()[1]
        away = f"postgresql://kontor:secret@127.0.0.1:{port}/kontor"
        app: Litestar = build(msgspec.structs.replace(settings, database_url=away))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            running(app),
            httpx.AsyncClient(transport=transport, base_url="http://away.test") as client,
        ):
            yield client


async def test_alive_and_ready(door: httpx.AsyncClient):
    alive, ready = await door.get("/livez"), await door.get("/readyz")
    assert (alive.status_code, alive.json()["status"]) == (200, "ok")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ok", "checks": {"database": "ok", "migrations": "ok"}},
    )


async def test_without_its_database_it_lives_and_is_not_ready(cut_off: httpx.AsyncClient):
    assert (await cut_off.get("/livez")).status_code == 200
    ready = await cut_off.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "failed")
    assert ready.json()["checks"]["database"] == "failed"
    assert "127.0.0.1" not in ready.text and "secret" not in ready.text


async def test_without_its_database_it_says_when_to_come_back(
    cut_off: httpx.AsyncClient, house: House
):
    for who in (house.app.admin, house.app.key("read")):
        answer = await cut_off.get(house.app.path("/products"), headers=dict(who))
        assert code(answer) == "503 [E5030]"
        assert int(answer.headers["Retry-After"]) >= 1
        assert "127.0.0.1" not in answer.text


async def test_a_webhook_that_cannot_be_stored_is_not_acknowledged(
    cut_off: httpx.AsyncClient, house: House
):
    """So that Mollie calls again."""
    where = {"paymentProviderUuid": house.app.ids["account"]}
    answer = await cut_off.post("/api/v1/webhooks/mollie", params=where, data={"id": "tr_1"})
    assert code(answer) == "500 [E0000]"


async def test_a_database_that_was_never_migrated_is_not_ready(
    settings: Settings, empty_database_url: str, door: httpx.AsyncClient
):
    """`door` first: the role is made by the migrations of the other database."""
    app = build(msgspec.structs.replace(settings, database_url=empty_database_url))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with running(app), httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["migrations"] == "failed"


async def test_an_account_sealed_with_a_lost_key_is_a_fault_without_detail(
    settings: Settings, house: House
):
    """Nothing about keys or credentials reaches the caller."""
    app = build(msgspec.structs.replace(settings, secret_key=new_key()))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with running(app), httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        path = house.app.path("/payment-providers/mollie/checkout-sessions")
        member = house.app.user("member")
        answer = await client.post(path, json=house.app.order(), headers=dict(member))
    assert answer.status_code >= 500
    assert "key" not in answer.text.lower() and "seal" not in answer.text.lower()


async def test_metrics_count_requests_by_route_and_never_by_id(house: House):
    """Whatever is asked for, the labels are few and known."""
    await house.ask(house.app.admin, "GET", f"/products/{house.app.ids['product']}")
    await house.door.get("/nothing/here", params={"secret": "canary"})
    await house.door.request("BREW", house.app.path("/products"))
    answer = await house.door.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.text
    line = (
        'kontor_requests_total{method="GET",route="/api/v1/apps/{app_uuid}/products/{uuid}",'
        'status="200"}'
    )
    assert line in text
    assert "kontor_request_seconds_bucket" in text
    assert "canary" not in text and "BREW" not in text and "nothing" not in text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-7", text)


@pytest.mark.parametrize("given", ["abc", "01998c5a-0000-7000-8000-000000000000", "a._-" * 25])
async def test_a_request_id_is_handed_back(door: httpx.AsyncClient, given: str):
    answer = await door.get("/livez", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 101, "\xe4", "a\tb", "<script>", "a;b"])
async def test_without_a_decent_one_a_request_id_is_made(
    door: httpx.AsyncClient, given: str | None
):
    raw = [] if given is None else [(b"X-Request-Id", given.encode("latin-1"))]
    ids = {(await door.get("/livez", headers=raw)).headers["X-Request-Id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(re.fullmatch(r"[0-9a-f-]{36}", made) for made in ids)


async def test_errors_carry_a_request_id_too(house: House):
    answers = [
        await house.ask({}, "GET", "/products"),
        await house.ask(house.app.admin, "POST", "/products", {}),
        await house.ask(house.app.admin, "GET", f"/products/{UNKNOWN}"),
    ]
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 3


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("PATCH", "/products")])
async def test_what_has_no_route_carries_a_request_id_too(house: House, method: str, path: str):
    assert "X-Request-Id" in (await house.ask(house.app.admin, method, path)).headers


@pytest.mark.parametrize("path", ["/schema/openapi.json", "/docs"])
async def test_the_api_describes_itself_to_everyone(door: httpx.AsyncClient, path: str):
    answer = await door.get(path)
    assert answer.status_code == 200
    assert "openCheckoutSession" in answer.text
