"""Every route has a guard and a name, and strangers get nothing out of any of them.

The routes come from the application itself: one that nobody listed in examples.py fails here.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import httpx
import pytest
from litestar import Litestar

from app.http.caller import GUARDS, public
from tests.http.examples import EXAMPLES, GUARDED, OF_TOKEN, PUBLIC, UNKNOWN, Route, routes
from tests.http.house import NOBODY, Headers, House, code

pytestmark = pytest.mark.usefixtures("subscribed")

OWN_IDS: Final = ("app_uuid", "provider", "token")
"""Parameters that name no row of an app."""
PARAMETERS: Final = [
    (operation, name)
    for operation in GUARDED
    for name in EXAMPLES[operation].names
    if name not in OWN_IDS
]
MALFORMED: Final = ("1", "x" * 36, "%00", "..%2f", UNKNOWN + "0", "' or 1=1 --")


@pytest.fixture(scope="session")
def served(application: Litestar) -> dict[str, Route]:
    return {route.operation_id: route for route in routes(application)}


@pytest.fixture
async def session(house: House) -> str:
    """The tenant has an open session."""
    row = await house.bought()
    house.app.ids["session"] = row["uuid"]
    return row["uuid"]


async def sent(house: House, route: Route, who: Headers, **ids: str) -> httpx.Response:
    """The example request to a route; `ids` takes the place of some of the app's own."""
    example, estate = EXAMPLES[route.operation_id], replace(house.app, ids=house.app.ids | ids)
    body = example.sent(estate)
    body_given = {} if body is None else {"json": body}
    path = example.path(route, estate)
    return await house.door.request(route.method, path, headers=dict(who), **body_given)


WITH_A_TOKEN: Final = ("the other app's admin", "both of the other app")


def strangers(house: House) -> Iterator[tuple[str, Headers]]:
    token = house.app.token("member", "catalog:write", "billing:write", "tenants:write")
    admin, key = house.other.admin, house.other.key("write")
    yield "nobody", NOBODY
    yield "garbage", {"Authorization": "Bearer garbage"}
    yield "no scheme", {"Authorization": token}
    yield "another scheme", {"Authorization": f"Basic {token}"}
    yield "an empty token", {"Authorization": "Bearer "}
    yield "a broken signature", {"Authorization": f"Bearer {token[:-6]}AAAAAA"}
    yield "the other app's admin", admin
    for key_type in ("read", "write"):
        yield f"the other app's {key_type} key", house.other.key(key_type)
        here = {"x-client-id": str(house.app.app_uuid)}
        yield f"the other app's {key_type} key, for here", house.other.key(key_type) | here
    yield "a garbage key", house.app.key("write") | {"x-api-key": "kontor_write_garbage"}
    yield "a key without a client", {k: v for k, v in key.items() if k != "x-client-id"}
    yield "both of the other app", {**admin, **key}


def test_every_route_has_one_guard(served: dict[str, Route]):
    for route in served.values():
        guards = [guard for guard in route.handler.resolve_guards() if guard in GUARDS]
        assert len(guards) == 1, route
        assert (guards == [public]) is EXAMPLES[route.operation_id].is_public, route


def test_every_route_has_a_name_of_its_own(application: Litestar):
    names = Counter(route.operation_id for route in routes(application))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_route_has_an_example(served: dict[str, Route]):
    assert set(served) == set(EXAMPLES)


def test_only_public_routes_name_no_app(served: dict[str, Route]):
    outside = [name for name, route in served.items() if "{app_uuid}" not in route.path]
    assert set(outside) <= {*PUBLIC, *OF_TOKEN}


@pytest.mark.parametrize("operation", GUARDED)
async def test_strangers_get_nothing(
    house: House, session: str, served: dict[str, Route], operation: str
):
    before = await house.rows()
    for stranger, credential in strangers(house):
        answer = await sent(house, served[operation], credential)
        assert str(house.app.app_uuid) not in answer.text
        if operation in OF_TOKEN and stranger in WITH_A_TOKEN:
            # At home where the token is from: there it is a request like any other.
            assert answer.status_code in (400, 404), (stranger, answer.text)
            continue
        # A key that is announced as the wrong type may be told that, and no more.
        assert code(answer) in ("401 [E4010]", "401 [E4011]"), (stranger, answer.text)
        assert "key" in stranger or code(answer) == "401 [E4010]", (stranger, answer.text)
    assert await house.rows() == before


@pytest.mark.parametrize(("operation", "parameter"), PARAMETERS)
async def test_the_other_apps_things_do_not_exist_here(
    house: House, session: str, served: dict[str, Route], operation: str, parameter: str
):
    other = house.other.ids | {"session": (await other_session(house))["uuid"]}
    who = house.app.key("write") if operation == "openTenantCheckoutSession" else house.app.admin
    row = EXAMPLES[operation].names[parameter]
    before = await house.rows()
    foreign = await sent(house, served[operation], who, **{row: other[row]})
    unknown = await sent(house, served[operation], who, **{row: UNKNOWN})
    if operation == "putMember" and parameter == "user_uuid":
        assert foreign.status_code == 200  # users are the app's to name
        return
    assert code(foreign) == "404 [E4040]"
    assert foreign.content == unknown.content
    assert await house.rows() == before


@pytest.mark.parametrize(("operation", "parameter"), PARAMETERS)
async def test_a_malformed_id_is_not_found(
    house: House, session: str, served: dict[str, Route], operation: str, parameter: str
):
    row = EXAMPLES[operation].names[parameter]
    before = await house.rows()
    for malformed in MALFORMED:
        answer = await sent(house, served[operation], house.app.admin, **{row: malformed})
        assert code(answer) == "404 [E4040]", malformed
    assert await house.rows() == before


TENANTS_THINGS: Final = [
    operation
    for operation, parameter in PARAMETERS
    if parameter in ("tenant_uuid", "session_uuid") and operation != "openTenantCheckoutSession"
]


@pytest.mark.parametrize("operation", sorted({*TENANTS_THINGS, "openCheckoutSession"}))
async def test_another_tenants_things_do_not_exist_for_a_user(
    house: House, session: str, served: dict[str, Route], operation: str
):
    """Nor for a user without any tenant."""
    neighbour, guest = house.app.user("neighbour"), house.app.user("guest")
    before = await house.rows()
    for who in (neighbour, guest):
        foreign = await sent(house, served[operation], who)
        unknown = await sent(house, served[operation], who, tenant=UNKNOWN, session=UNKNOWN)
        if operation == "updateTenant":  # for the app's own people only: no tenant is told of
            assert code(foreign) == "403 [E4031]"
        else:
            assert code(foreign) == "404 [E4040]"
        assert foreign.content == unknown.content
    assert await house.rows() == before


async def other_session(house: House) -> dict[str, str]:
    """A session of the app next door."""
    body = house.other.order()
    path = house.other.path("/payment-providers/mollie/checkout-sessions")
    answer = await house.door.post(path, json=body, headers=house.other.user("member"))
    assert answer.status_code == 200, answer.text
    row: dict[str, str] = answer.json()["items"][0]["createdCheckoutSession"]
    return row


async def test_a_link_with_a_guessed_secret_leads_nowhere(
    house: House, session: str, served: dict[str, Route]
):
    before = await house.rows()
    for operation in (name for name in PUBLIC if "{token}" in served[name].path):
        guessed = await sent(house, served[operation], NOBODY)
        unknown = await sent(house, served[operation], NOBODY, session=UNKNOWN)
        assert (guessed.status_code, unknown.status_code) == (404, 404)
        assert guessed.content == unknown.content
    assert await house.rows() == before


async def test_what_is_no_route_is_not_found_in_our_words(house: House):
    for path in ("/", "/api/v1", "/api/v1/apps", house.app.path("/nothing"), "/.env"):
        answer = await house.door.get(path, headers=dict(house.app.admin))
        assert code(answer) == "404 [E4040]", path
    assert code(await house.ask(house.app.admin, "PATCH", "/products")) == "405 [E4000]"
