"""Bodies that no honest client sends: always a 4xx in our words, and nothing is kept."""

import gzip
import json
from collections.abc import Iterator
from typing import Final

import httpx
import pytest
from litestar import Litestar

from tests.http.examples import EXAMPLES, WITH_BODY, Route, routes
from tests.http.house import House, Json, problems
from tests.http.test_errors import admitted

pytestmark = pytest.mark.usefixtures("subscribed")

KIB: Final = 1024
HUGE: Final = 10**30


@pytest.fixture(scope="session")
def served(application: Litestar) -> dict[str, Route]:
    return {route.operation_id: route for route in routes(application)}


async def post(
    house: House, route: Route, content: bytes, content_type: str = "application/json", **more: str
) -> httpx.Response:
    path = EXAMPLES[route.operation_id].path(route, house.app)
    headers = {**admitted(house, route.operation_id), "Content-Type": content_type, **more}
    return await house.door.request(route.method, path, content=content, headers=headers)


def with_field(good: Json, name: bytes, value: bytes) -> bytes:
    """The good body and one more field, as raw JSON."""
    return json.dumps(good).encode()[:-1] + b', "' + name + b'": ' + value + b"}"


def hostile(good: Json) -> Iterator[tuple[str, bytes]]:
    deep = 30_000
    text = json.dumps(good)
    yield "deep arrays", b"[" * deep + b"]" * deep
    yield "deep and unfinished", b"[" * 60_000
    yield "deep objects", b'{"a":' * 10_000 + b"1" + b"}" * 10_000
    yield "deep in an unknown field", with_field(good, b"zzz", b"[" * deep + b"]" * deep)
    yield "deep in metadata", with_field(good, b"metadata", b'{"a":' * 40 + b"1" + b"}" * 40)
    yield "not UTF-8", with_field(good, b"name", b'"\xff\xfe"')
    yield "overlong UTF-8", with_field(good, b"name", b'"\xc0\x80"')
    yield "an escaped NUL", with_field(good, b"name", b'"a\\u0000b"')
    yield "a NUL in a name", with_field(good, b"a\\u0000b", b"1")
    yield "a raw NUL", with_field(good, b"name", b'"a\x00b"')
    yield "a lone surrogate", with_field(good, b"name", b'"\\ud800"')
    yield "a broken pair", with_field(good, b"name", b'"\\udc00\\ud800"')
    yield "a BOM", b"\xef\xbb\xbf" + text.encode()
    yield "UTF-16", text.encode("utf-16")
    yield "a huge integer", with_field(good, b"zzz", str(HUGE).encode())
    yield "NaN", with_field(good, b"percentage", b"NaN")
    yield "infinity", with_field(good, b"percentage", b"1e400")
    yield "nothing", b""
    yield "white space", b"  "
    yield "null", b"null"
    yield "an array", b"[]"
    yield "an array of it", f"[{text}]".encode()
    yield "a text", b'"x"'
    yield "a number", b"1"
    yield "two objects", text.encode() * 2
    yield "trailing bytes", text.encode() + b"\x00"
    yield "cut off", text.encode()[:-1]
    yield "gzip", gzip.compress(text.encode())
    yield "a form", b"name=x&role=admin"
    many = b",".join(b'"k%d":1' % n for n in range(5_000))
    yield "thousands of fields", b"{" + many + b"}"
    yield "thousands of items", with_field(good, b"zzz", b"[" + b"1," * 20_000 + b"1]")


@pytest.mark.parametrize("operation", WITH_BODY)
async def test_a_hostile_body_is_refused_in_our_words(
    house: House, served: dict[str, Route], operation: str
):
    good = EXAMPLES[operation].sent(house.app)
    before = await house.rows()
    for what, body in hostile(good):
        for key in ({}, {"Idempotency-Key": what}):
            answer = await post(house, served[operation], body, **key)
            assert answer.status_code == 400, (what, answer.text[:500])
            problems(answer)
    assert await house.rows() == before


@pytest.mark.parametrize("operation", WITH_BODY)
async def test_only_json_of_a_decent_size_is_read(
    house: House, served: dict[str, Route], operation: str
):
    body = json.dumps(EXAMPLES[operation].sent(house.app)).encode()
    before = await house.rows()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "", "multipart/x"):
        answer = await post(house, served[operation], body, content_type)
        assert answer.status_code in (400, 415), (content_type, answer.text)
        assert problems(answer).keys() == {"Content-Type"}
    large = await post(house, served[operation], body + b" " * 70 * KIB)
    assert large.status_code == 413
    assert "64 KiB" in problems(large)[None]
    assert await house.rows() == before


async def test_a_large_body_that_comes_in_pieces_is_refused_too(house: House):
    async def pieces():
        for _ in range(70):
            yield b" " * KIB

    answer = await house.door.post(
        house.app.path("/products"),
        content=pieces(),
        headers={**house.app.admin, "Content-Type": "application/json"},
    )
    assert answer.status_code == 413
    problems(answer)


@pytest.mark.parametrize(
    ("operation", "field", "value"),
    [
        ("openCheckoutSession", "quantity", HUGE),
        ("openCheckoutSession", "expiresInSeconds", -HUGE),
        ("createPrice", "unitAmount", HUGE),
        ("createPrice", "unitAmount", 2**63),
        ("createPrice", "trialDays", HUGE),
        ("createProduct", "packageDimensionWeight", 2**31),
        ("createTaxRate", "percentage", HUGE),
        ("createTaxRate", "percentage", "NaN"),
        ("createTaxRate", "percentage", "1_0"),
        ("createPaymentProvider", "verificationAmount", HUGE),
    ],
)
async def test_a_number_out_of_bounds_is_refused_by_name(
    house: House, served: dict[str, Route], operation: str, field: str, value: object
):
    good = EXAMPLES[operation].sent(house.app)
    body = json.dumps(good | {field: value}).encode()
    answer = await post(house, served[operation], body)
    assert (answer.status_code, set(problems(answer))) == (400, {field})


ODD_METADATA: Final = {
    "a huge integer": f'{{"a": {HUGE}}}',
    "a huger integer": '{"a": ' + "9" * 500 + "}",
    "minus zero": '{"a": -0.0}',
    "a tiny number": '{"a": 1e-300}',
    "a large number": '{"a": 1e308}',
    "an empty name": '{"": 1}',
    "deep but allowed": '{"a":' * 10 + "1" + "}" * 10,
    "other letters": '{"a": "\\u202e\\ufeff\\ud83d\\ude00\\u2028"}',
    "a backslash before u0000": '{"a": "\\\\u0000"}',
    "a prototype": '{"__proto__": {"admin": true}}',
}


@pytest.mark.parametrize("metadata", ODD_METADATA.values(), ids=ODD_METADATA.keys())
@pytest.mark.parametrize("operation", ["createProduct", "createTenant", "openCheckoutSession"])
async def test_odd_metadata_is_kept_as_given_or_refused(
    house: House, served: dict[str, Route], operation: str, metadata: str
):
    good = EXAMPLES[operation].sent(house.app)
    answer = await post(house, served[operation], with_field(good, b"metadata", metadata.encode()))
    if answer.is_success:
        item = answer.json()["items"][0]
        kept = item.get("createdCheckoutSession", item)["metadata"]
        assert kept == json.loads(metadata)
    else:
        assert answer.status_code == 400, answer.text
        assert problems(answer).keys() <= {"metadata", None}


async def test_of_a_field_that_is_there_twice_the_last_one_counts(house: House):
    body = b'{"name": "first", "name": "last"}'
    headers = {**house.app.admin, "Content-Type": "application/json; charset=utf-8"}
    answer = await house.door.post(house.app.path("/products"), content=body, headers=headers)
    assert answer.json()["items"][0]["name"] == "last"


async def expired(house: House, body: bytes, **headers: str) -> httpx.Response:
    row = await house.bought()
    path = house.app.path(f"/checkout-sessions/{row['uuid']}/expire")
    who = {**house.app.admin, "Content-Type": "application/json", **headers}
    return await house.door.post(path, content=body, headers=who)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 40, b"null", b"{}", b""])
async def test_a_body_where_none_belongs_is_passed_over_or_refused(house: House, body: bytes):
    assert (await expired(house, body)).status_code in (200, 400)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b"[" * 40,
        b"null",
        b"{}",
        b"",
    ],
)
async def test_a_body_where_none_belongs_does_no_harm_to_a_key(house: House, body: bytes):
    answer = await expired(house, body, **{"Idempotency-Key": "k"})
    assert answer.status_code in (200, 400), answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "\xe4\xf6"},
        {"x-client-id": "\xff"},
        {"Authorization": "Bearer \xff.\xff.\xff"},
        {"Authorization": "\xff" * 100},
        {"X-Request-Id": "\x01"},
        {"Accept": "text/html"},
        {"Accept-Encoding": "x" * 5000},
    ],
)
async def test_odd_headers_are_no_fault_of_ours(house: House, headers: dict[str, str]):
    raw = [(k.encode(), v.encode("latin-1")) for k, v in (house.app.key("read") | headers).items()]
    answer = await house.door.get(house.app.path("/products"), headers=raw)
    assert answer.status_code in (200, 401)
