"""Keys and tokens at the door: alive or not, of an app that is enabled or not, forged or not."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar import Litestar

from domain.tenancy.caller import KeyType
from domain.tenancy.tenant import Role
from infrastructure.identity.dev_tokens import DEV_ISSUER, DevSigner
from tests.fakes.issuer import b64, signed
from tests.http.examples import EXAMPLES, GUARDED, routes
from tests.http.house import CLOCK, Builder, Headers, House, Json, add_key, code

pytestmark = pytest.mark.usefixtures("paid")

WIDE: Final = "/products"
ROUTES: Final = (("GET", WIDE), ("POST", WIDE), ("GET", "/tenants/{tenant}"))
"""One that reads, one that writes, one that is a tenant's."""


async def hears(house: House, who: Headers, announced: str = "GET") -> str:
    answer = await house.ask(who, announced, WIDE, {"name": "x"} if announced == "POST" else ...)
    return "ok" if answer.is_success else code(answer)


@pytest.mark.usefixtures("subscribed")
async def test_a_disabled_app_lets_nobody_in(house: House, application: Litestar):
    await house.connection.execute(
        "update apps set is_disabled = true where app_uuid = $1", house.app.app_uuid
    )
    house.app.ids["session"] = house.app.ids["product"]
    before = await house.rows()
    for route in routes(application):
        if route.operation_id not in GUARDED:
            continue
        example = EXAMPLES[route.operation_id]
        keys = route.operation_id == "openTenantCheckoutSession"
        who = house.app.key("write") if keys else house.app.admin
        body = {} if example.body is None else {"json": example.sent(house.app)}
        path = example.path(route, house.app)
        answer = await house.door.request(route.method, path, headers=dict(who), **body)
        assert code(answer) == "403 [E4030]", route
        assert answer.json()["errors"][0]["message"] == "App Is Disabled"
    assert await house.rows() == before


async def test_a_disabled_app_does_not_answer_for_strangers_either(house: House):
    await house.connection.execute("update apps set is_disabled = true")
    assert await hears(house, {}) == "401 [E4010]"
    assert await hears(house, house.other.admin) == "401 [E4010]"
    assert await hears(house, house.app.key("read") | {"x-api-key": "x"}) == "401 [E4010]"


async def test_an_app_that_does_not_exist_is_like_a_wrong_credential(house: House):
    path = f"/api/v1/apps/{house.app.ids['product']}/products"
    answer = await house.door.get(path, headers=dict(house.app.admin))
    assert code(answer) == "401 [E4010]"


async def test_two_keys_of_a_type_live_side_by_side(house: House):
    async with house.database.begin(house.app.app_uuid) as tx:
        second = await add_key(tx, house.app, KeyType.WRITE)
    first = house.app.key("write")
    for key in (first, first | {"x-api-key": second}):
        assert await hears(house, key, "POST") == "ok"


@pytest.mark.parametrize("end", ["expires_at", "revoked_at"])
async def test_a_key_that_has_ended_opens_nothing(house: House, end: str):
    async with house.database.begin(house.app.app_uuid) as tx:
        ended = {end: CLOCK.now() - timedelta(seconds=1)}
        secret = await add_key(tx, house.app, KeyType.READ, **ended)
    assert await hears(house, house.app.key("read") | {"x-api-key": secret}) == "401 [E4010]"
    assert await hears(house, house.app.key("read")) == "ok"


async def test_a_key_that_will_expire_still_opens(house: House):
    async with house.database.begin(house.app.app_uuid) as tx:
        later = CLOCK.now() + timedelta(minutes=1)
        secret = await add_key(tx, house.app, KeyType.READ, expires_at=later)
    assert await hears(house, house.app.key("read") | {"x-api-key": secret}) == "ok"


async def test_a_key_says_what_it_is_and_is_what_it_says(house: House):
    read, write = house.app.key("read"), house.app.key("write")
    assert await hears(house, read) == "ok"
    assert await hears(house, write, "POST") == "ok"
    assert await hears(house, write) == "401 [E4011]"  # reading takes a read key
    assert await hears(house, house.app.key("read", announced="write"), "POST") == "401 [E4011]"
    assert await hears(house, house.app.key("write", announced="read")) == "401 [E4011]"
    assert await hears(house, read | {"x-api-key-type": "admin"}) == "401 [E4011]"
    assert await hears(house, {k: v for k, v in read.items() if "type" not in k}) == "401 [E4011]"
    assert await hears(house, read | {"x-client-id": str(house.other.app_uuid)}) == "401 [E4010]"
    assert await hears(house, read | {"x-api-key": "k" * 300}) == "401 [E4010]"


async def test_the_message_names_the_credentials_that_the_caller_tried(house: House):
    async def message(who: Headers) -> Any:
        return (await house.ask(who, "GET", WIDE)).json()["errors"][0]["message"]

    assert await message({"Authorization": "Bearer x"}) == "Unauthorized Token"
    wrong = house.app.key("read") | {"x-api-key": "x"}
    assert await message(wrong) == "Unauthorized Token or API key"


async def test_a_token_decides_when_a_key_is_sent_too(house: House):
    who = {**house.app.key("write"), **house.app.user("guest")}
    assert await hears(house, who, "POST") == "403 [E4031]"


async def test_the_tenants_claim_takes_the_place_of_the_memberships(house: House):
    tenant, other = (UUID(house.app.ids[name]) for name in ("tenant", "other_tenant"))
    token = house.app.token("member", tenants={other: Role.MEMBER})
    who = {"Authorization": f"Bearer {token}"}
    assert (await house.ask(who, "GET", f"/tenants/{other}")).status_code == 200
    assert code(await house.ask(who, "GET", f"/tenants/{tenant}")) == "404 [E4040]"


async def test_a_member_that_was_removed_is_out_at_once(house: House):
    tenant, user = house.app.ids["tenant"], house.app.ids["member"]
    who = house.app.user("member")
    assert (await house.ask(who, "GET", f"/tenants/{tenant}")).status_code == 200
    await house.ok(house.app.admin, "DELETE", f"/tenants/{tenant}/members/{user}")
    assert code(await house.ask(who, "GET", f"/tenants/{tenant}")) == "404 [E4040]"
    assert code(await house.buy(who)) == "404 [E4040]"


HEADER: Final = {"alg": "EdDSA", "typ": "JWT"}
ODD_HEADERS: Final[tuple[tuple[str, Any], ...]] = (
    *(("alg", algorithm) for algorithm in ("none", "nOnE", "HS256", "RS256", "ES256", "ed25519")),
    ("alg", ["EdDSA"]),
    ("alg", None),
    ("kid", "../../etc/passwd"),
    ("kid", "' or 1=1"),
    ("kid", "k" * 5000),
    ("jku", "https://evil.example/jwks"),
    ("jwk", {"kty": "OKP"}),
    ("x5u", "https://evil.example/x"),
    ("crit", ["exp"]),
    ("typ", "logout+jwt"),
)


def good_claims(house: House) -> Json:
    now = int(CLOCK.now().timestamp())
    return {
        "iss": DEV_ISSUER,
        "aud": str(house.app.app_uuid),
        "sub": house.app.ids["member"],
        "iat": now,
        "exp": now + 600,
        "scope": "catalog:write tenants:write",
    }


def odd_claims(house: House) -> Iterator[tuple[str, Any]]:
    good = good_claims(house)
    yield from (("exp", good["iat"] - 31), ("exp", str(good["exp"])), ("exp", good["exp"] + 0.5))
    yield from (("exp", -1), ("nbf", good["exp"]), ("iat", good["exp"]))
    yield from (("iss", "somebody-else"), ("iss", "kontor-d\u0435v"))  # a Cyrillic letter
    yield from (("sub", 7), ("sub", "admin"), ("scope", 1), ("aud", None))
    other = str(house.other.app_uuid)
    yield from (("aud", other), ("aud", [other]))
    seat = {"uuid": house.app.ids["tenant"], "role": "admin"}
    yield from (("tenants", [seat | {"role": "god"}]), ("tenants", [seat, seat]))


def odd_shapes(house: House, key: Ed25519PrivateKey) -> Iterator[tuple[str, str]]:
    claims = good_claims(house)
    good = signed(key, HEADER, claims)
    head, payload, signature = good.split(".")
    yield "a list", signed(key, HEADER, [claims])
    yield "exp 1e400", signed(key, HEADER, b'{"exp":1e400}')
    yield "no signature", f"{head}.{payload}."
    yield "two parts", f"{head}.{payload}"
    yield "four parts", f"{good}.{signature}"
    yield "padding", f"{head}.{payload}.{signature}=="
    yield "cut", good[:-8]
    yield "zeros", f"{head}.{payload}.{b64(bytes(64))}"
    yield "swapped", f"{payload}.{head}.{signature}"
    yield "another key", signed(Ed25519PrivateKey.generate(), HEADER, claims)
    yield "another kind of key", signed(ec_key(SECP256R1()), HEADER | {"alg": "ES256"}, claims)
    yield "very long", "a" * 20_000 + ".b.c"


def forged(house: House, key: Ed25519PrivateKey) -> Iterator[tuple[str, str]]:
    claims = good_claims(house)
    for name, value in ODD_HEADERS:
        yield f"{name} {value}", signed(key, HEADER | {name: value}, claims)
    for name, value in odd_claims(house):
        yield f"{name} {value}", signed(key, HEADER, claims | {name: value})
    for name in ("exp", "aud", "iss", "sub"):
        yield f"no {name}", signed(key, HEADER, {k: v for k, v in claims.items() if k != name})
    yield from odd_shapes(house, key)


async def test_a_good_token_of_the_same_make_is_let_in(
    house: House, signing_key: Ed25519PrivateKey
):
    """So that it is what is odd about the forged ones that keeps them out."""
    token = signed(signing_key, HEADER, good_claims(house))
    assert await hears(house, {"Authorization": f"Bearer {token}"}, "POST") == "ok"


async def test_no_forged_token_opens_anything_and_all_hear_the_same(
    house: House, signing_key: Ed25519PrivateKey
):
    before = await house.rows()
    heard: set[bytes] = set()
    for method, template in ROUTES:
        path = template.format(tenant=house.app.ids["tenant"])
        for what, token in forged(house, signing_key):
            body = {"name": "x"} if method == "POST" else ...
            answer = await house.ask({"Authorization": f"Bearer {token}"}, method, path, body)
            assert code(answer) == "401 [E4010]", what
            heard.add(answer.content)
    assert len(heard) == 1
    assert await house.rows() == before


async def test_the_other_apps_key_signs_nothing_here(builder: Builder, house: House):
    """Both apps know an issuer of the same name: each by its own key."""
    theirs = await builder.estate(DevSigner(Ed25519PrivateKey.generate()))
    theirs.ids["member"] = house.app.ids["member"]
    forged_for_here = type(theirs)(house.app.app_uuid, theirs.signer, theirs.ids)
    assert await hears(house, forged_for_here.user("member")) == "401 [E4010]"
    assert await hears(house, house.app.user("member")) == "ok"
