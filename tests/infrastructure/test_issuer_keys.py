"""Where keys come from, how long they are kept, and how seldom anybody is asked for them."""

import asyncio
import gzip
import json
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from domain.kernel.errors import DatabaseUnavailable, Unauthenticated, Unavailable
from domain.tenancy.app import JwtIssuer, SigningAlgorithm
from infrastructure.identity import issuers
from infrastructure.identity.keys import UnusableKey, from_jwks, from_pem
from infrastructure.identity.tokens import JwtVerifier
from tests.fakes.clock import FakeClock
from tests.fakes.issuer import JWKS_URL, Chunks, JwksServer, jwk, pem, signed
from tests.make import APP, NOON, USER, a_uuid

ISS = "https://login.example.com/"
OLD, NEW = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
MINUTE, SECOND, DAY = timedelta(minutes=1), timedelta(seconds=1), timedelta(days=1)
FOREVER = int((NOON + 30 * DAY).timestamp())


def an_issuer(**said) -> JwtIssuer:
    usual = {"uuid": a_uuid(51), "app_uuid": APP, "issuer": ISS, "created_at": NOON}
    keys = {"algorithm": SigningAlgorithm.EDDSA, "jwks_url": JWKS_URL}
    return JwtIssuer(**{**usual, **keys, **said})


def token(key=OLD, kid: str | None = "old", **claims) -> str:
    header = {"alg": "EdDSA"} if kid is None else {"alg": "EdDSA", "kid": kid}
    usual = {"iss": ISS, "aud": str(APP), "sub": str(USER), "exp": FOREVER}
    return signed(key, header, {**usual, **claims})


class House:
    """A verifier, the clock it goes by, the issuer's server, and the app's register."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.server = JwksServer(jwk(OLD, "old"))
        self.registered: tuple[JwtIssuer, ...] = (an_issuer(),)
        self.asked = 0
        self.is_broken = False
        self.verifier = JwtVerifier(self.issuers, self.server.client(), self.clock)

    async def issuers(self, app_uuid) -> tuple[JwtIssuer, ...]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_broken:
            raise DatabaseUnavailable("the database is unreachable")
        return self.registered

    async def verify(self, text: str, app_uuid=APP) -> None:
        await self.verifier.verify(app_uuid, text)

    async def refuses(self, text: str, error: type[Exception] = Unauthenticated) -> bool:
        with pytest.raises(error) as raised:
            await self.verify(text)
        return type(raised.value) is error


@pytest.fixture
def house():
    return House()


async def test_keys_are_fetched_when_first_needed_and_then_known(house):
    assert house.server.asked == 0
    for _ in range(3):
        await house.verify(token())
    assert house.server.asked == 1


async def test_a_hundred_first_callers_share_one_fetch(house):
    await asyncio.gather(*(house.verify(token()) for _ in range(100)))
    assert (house.server.asked, house.asked) == (1, 1)


async def test_who_hangs_up_does_not_take_the_fetch_away_from_the_others(house):
    first = asyncio.create_task(house.verify(token()))
    others = [asyncio.create_task(house.verify(token())) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(*others)
    assert (house.server.asked, house.asked) == (1, 1)
    assert first.cancelled()


@pytest.mark.parametrize(
    "claims", [{"exp": 1}, {"aud": "other"}, {"iss": "other"}, {"sub": "x"}, {"nbf": FOREVER}]
)
async def test_a_token_that_is_wrong_in_another_way_fetches_no_key(house, claims):
    assert await house.refuses(token(**claims))
    assert await house.refuses(token(kid="../x"))
    assert await house.refuses(signed(OLD, {"alg": "RS256", "kid": "old"}, {"iss": ISS}))
    assert house.server.asked == 0


async def test_a_rotated_key_is_found_at_once(house):
    await house.verify(token())
    house.server.publish(jwk(OLD, "old"), jwk(NEW, "new"))
    await house.verify(token(NEW, "new"))
    await house.verify(token())
    assert house.server.asked == 2


async def test_a_storm_of_unknown_kids_fetches_once_a_minute(house):
    await house.verify(token())
    house.clock.advance(MINUTE)
    for minute in range(4):
        storm = [house.verify(token(NEW, f"k{n}")) for n in range(50)]
        outcomes = await asyncio.gather(*storm, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Unauthenticated}
        assert house.server.asked == 2 + minute
        house.clock.advance(MINUTE - SECOND)
        assert await house.refuses(token(NEW, "again"))
        assert house.server.asked == 2 + minute
        house.clock.advance(SECOND)


async def test_a_storm_that_comes_first_of_all_fetches_once(house):
    storm = [house.verify(token(NEW, f"k{n}")) for n in range(50)]
    await asyncio.gather(*storm, return_exceptions=True)
    assert await house.refuses(token(NEW, "k"))
    await house.verify(token())
    assert house.server.asked == 1


async def test_keys_older_than_five_minutes_are_fetched_again(house):
    await house.verify(token())
    house.clock.advance(5 * MINUTE - SECOND)
    await house.verify(token())
    assert house.server.asked == 1
    house.clock.advance(SECOND)
    await asyncio.gather(*(house.verify(token()) for _ in range(10)))
    assert house.server.asked == 2


async def test_a_withdrawn_key_is_out_after_five_minutes(house):
    await house.verify(token())
    house.server.publish(jwk(NEW, "new"))
    house.clock.advance(5 * MINUTE)
    assert await house.refuses(token())
    await house.verify(token(NEW, "new"))


async def test_known_keys_are_good_for_a_day_while_the_server_is_down(house):
    await house.verify(token())
    house.server.is_down = True
    for _ in range(4):
        house.clock.advance(timedelta(hours=6))
        await house.verify(token())
    house.clock.advance(SECOND)
    assert await house.refuses(token(), Unavailable)
    house.server.is_down = False
    house.clock.advance(5 * SECOND)
    await house.verify(token())


async def test_a_server_that_is_down_is_asked_once_a_minute(house):
    await house.verify(token())
    house.server.is_down = True
    house.clock.advance(10 * MINUTE)
    for _ in range(3):
        for _ in range(5):
            await house.verify(token())
        house.clock.advance(MINUTE)
    assert house.server.asked == 4


async def test_an_unknown_kid_is_no_outage_as_long_as_keys_are_known(house):
    await house.verify(token())
    house.server.is_down = True
    assert await house.refuses(token(NEW, "new"))


async def test_without_any_key_the_answer_is_later_and_the_server_gets_a_rest(house):
    house.server.is_down = True
    for _ in range(10):
        assert await house.refuses(token(), Unavailable)
    assert house.server.asked == 1
    house.server.is_down = False
    house.clock.advance(5 * SECOND)
    await house.verify(token())


ANSWERS = {
    "not found": httpx.Response(404, json={"keys": [jwk(OLD, "old")]}),
    "a redirect": httpx.Response(302, headers={"location": "https://evil.example/jwks"}),
    "no JSON": httpx.Response(200, stream=Chunks(b"<html>")),
    "a list": httpx.Response(200, stream=Chunks(b"[]")),
    "nested deeply": httpx.Response(200, stream=Chunks(b'{"x":' + b"[" * 100_000)),
    "too long": httpx.Response(200, stream=Chunks(b'{"keys":[', *[b" " * 65536] * 4, b"]}")),
    "51 keys": httpx.Response(200, stream=Chunks(json.dumps({"keys": [jwk(OLD)] * 51}).encode())),
    "packed": httpx.Response(
        200, stream=Chunks(gzip.compress(b"{}")), headers={"content-encoding": "gzip"}
    ),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_an_odd_answer_is_no_answer(house, answer):
    house.server.answer = answer
    assert await house.refuses(token(), Unavailable)
    assert house.server.asked == 1


async def test_a_published_set_without_keys_lets_nobody_in(house):
    house.server.publish()
    assert await house.refuses(token())


async def test_a_token_without_kid_is_tried_with_a_few_keys_only(house):
    house.server.publish(jwk(NEW, "new"), jwk(OLD, "old"))
    await house.verify(token(kid=None))
    house.server.publish(*(jwk(OLD, f"k{n}") for n in range(4)))
    house.clock.advance(5 * MINUTE)
    assert await house.refuses(token(kid=None))


async def test_issuers_are_asked_for_every_half_minute_and_keys_are_kept(house):
    for _ in range(3):
        for _ in range(5):
            await house.verify(token())
        house.clock.advance(30 * SECOND)
    assert house.asked == 3
    assert house.server.asked == 1


async def test_an_issuer_that_was_removed_is_out_after_half_a_minute(house):
    await house.verify(token())
    house.registered = ()
    house.clock.advance(30 * SECOND)
    assert await house.refuses(token())


async def test_an_issuer_that_changed_starts_with_fresh_keys(house):
    await house.verify(token())
    house.registered = (an_issuer(jwks_url=None, public_keys=(pem(NEW),)),)
    house.clock.advance(30 * SECOND)
    assert await house.refuses(token())
    await house.verify(token(NEW))


@pytest.mark.parametrize("registered", [(), (an_issuer(),)])
async def test_an_unknown_issuer_asks_the_database_once_a_second(house, registered):
    house.registered = registered
    for second in range(1, 4):
        for _ in range(20):
            assert await house.refuses(token(iss="unknown"))
        assert house.asked == second
        house.clock.advance(SECOND)


async def test_an_issuer_that_was_just_registered_is_known_within_a_second(house):
    house.registered = ()
    assert await house.refuses(token())
    house.registered = (an_issuer(),)
    house.clock.advance(SECOND)
    await house.verify(token())


async def test_a_database_that_is_down_is_told_as_such_to_all_who_wait(house):
    house.is_broken = True
    calls = (house.verify(token()) for _ in range(10))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailable}
    assert house.asked == 1
    house.is_broken = False
    await house.verify(token())


async def test_memory_is_bounded_however_many_apps_are_named(house, monkeypatch):
    monkeypatch.setattr(issuers, "APPS_MAX", 3)
    for number in range(10):
        app_uuid = a_uuid(1000 + number)
        with pytest.raises(Unauthenticated):
            await house.verify(token(aud=str(app_uuid), iss="unknown"), app_uuid)
        await house.verify(token())
    assert house.asked == 11  # the app that is in use was never forgotten


RSA = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        (SigningAlgorithm.RS256, SHORT),
        (SigningAlgorithm.RS256, P256),
        (SigningAlgorithm.ES256, P384),
        (SigningAlgorithm.ES256, OLD),
        (SigningAlgorithm.EDDSA, RSA),
    ],
)
def test_a_key_that_does_not_suit_the_algorithm_is_refused(algorithm, key):
    with pytest.raises(UnusableKey):
        from_pem(pem(key), algorithm)
    if key is not P384:
        assert from_jwks(json.dumps({"keys": [jwk(key, "k")]}).encode(), algorithm) == {}


@pytest.mark.parametrize("text", ["", "PEM", "-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_what_is_no_public_key_is_refused(text):
    with pytest.raises(UnusableKey):
        from_pem(text, SigningAlgorithm.EDDSA)


@pytest.mark.parametrize(
    "odd",
    [
        {"use": "enc"},
        {"alg": "RS256"},
        {"d": "AAAA"},
        {"crv": "Ed448"},
        {"x": "AAAA"},
        {"x": "*"},
        {"x": 7},
        {"kty": "oct", "k": "AAAA"},
        {"n": "A" * 10_000},
    ],
)
def test_a_set_may_hold_keys_that_are_not_for_us(odd):
    keys = [{**jwk(NEW, "odd"), **odd}, "no object", jwk(OLD, "old"), jwk(NEW, "old")]
    found = from_jwks(json.dumps({"keys": keys}).encode(), SigningAlgorithm.EDDSA)
    assert list(found) == ["old"]
    assert found["old"].public_bytes_raw() == OLD.public_key().public_bytes_raw()


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [(SigningAlgorithm.RS256, RSA), (SigningAlgorithm.ES256, P256), (SigningAlgorithm.EDDSA, OLD)],
)
def test_published_keys_are_the_same_as_given_ones(algorithm, key):
    published = from_jwks(json.dumps({"keys": [jwk(key, "k")]}).encode(), algorithm)["k"]
    assert published == from_pem(pem(key), algorithm)
