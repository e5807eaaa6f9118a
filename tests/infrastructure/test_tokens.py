"""Bearer tokens: the good ones, and everything else that people send."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from domain.kernel.errors import Unauthenticated
from domain.tenancy.app import JwtIssuer, SigningAlgorithm
from domain.tenancy.tenant import Role
from infrastructure.identity.dev_tokens import DEV_ISSUER, Demo, DevSigner
from infrastructure.identity.tokens import JwtVerifier
from tests.fakes.clock import FakeClock
from tests.fakes.issuer import b64, jwk, pem, signature, signed
from tests.make import APP, NOON, OTHER_APP, OTHER_TENANT, TENANT, USER, a_uuid

ISS = "https://login.example.com/"
NOW = int(NOON.timestamp())
KEYS = {
    SigningAlgorithm.RS256: rsa.generate_private_key(65537, 2048),
    SigningAlgorithm.ES256: ec.generate_private_key(ec.SECP256R1()),
    SigningAlgorithm.EDDSA: ed25519.Ed25519PrivateKey.generate(),
}
KEY = KEYS[SigningAlgorithm.EDDSA]
HEADER = {"alg": "EdDSA", "typ": "JWT"}
CLAIMS = {"iss": ISS, "aud": str(APP), "sub": str(USER), "exp": NOW + 600}


def an_issuer(algorithm=SigningAlgorithm.EDDSA, **said) -> JwtIssuer:
    usual = {"uuid": a_uuid(51), "app_uuid": APP, "issuer": ISS, "algorithm": algorithm}
    if "jwks_url" not in said:
        usual["public_keys"] = (pem(KEYS[algorithm]),)
    return JwtIssuer(**{**usual, "created_at": NOON, **said})


@dataclass
class Registered:
    """The issuers of APP, counting how often it is asked for them."""

    issuers: tuple[JwtIssuer, ...] = field(default_factory=lambda: (an_issuer(),))
    asked: int = 0

    async def __call__(self, app_uuid) -> tuple[JwtIssuer, ...]:
        self.asked += 1
        return self.issuers if app_uuid == APP else ()


def nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError("keys were fetched")


def a_verifier(registered=None, clock=None) -> JwtVerifier:
    client = httpx.AsyncClient(transport=httpx.MockTransport(nobody))
    return JwtVerifier(registered or Registered(), client, clock or FakeClock())


def token(header=None, **claims) -> str:
    said = {**CLAIMS, **claims}
    kept = {name: value for name, value in said.items() if value is not ...}
    return signed(KEY, {**HEADER, **(header or {})}, kept)


def without(name: str) -> str:
    return token(**{name: ...})


def raw_claims(text: str) -> str:
    return signed(KEY, HEADER, text.encode())


def hmac_token(secret: bytes) -> str:
    message = f"{b64(json.dumps({'alg': 'HS256'}).encode())}.{b64(json.dumps(CLAIMS).encode())}"
    return f"{message}.{b64(hmac.new(secret, message.encode(), hashlib.sha256).digest())}"


def unsigned(algorithm: str) -> str:
    return signed(KEY, {"alg": algorithm}, CLAIMS).rpartition(".")[0] + "."


def last_bit_flipped(text: str) -> str:
    """Another text of the same signature: 64 bytes leave four unused bits in base64."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]


def standard_base64(text: str) -> str:
    head, _, sig = text.rpartition(".")
    raw = base64.urlsafe_b64decode(sig + "==")
    return f"{head}.{base64.b64encode(raw).decode()}"


GOOD = token()
HEAD, BODY, SIG = GOOD.split(".")
OTHER_KEY = ed25519.Ed25519PrivateKey.generate()

HOSTILE = {
    "nothing": "",
    "no dots": "abc",
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.{SIG}",
    "five parts, as if encrypted": f"{GOOD}.{SIG}.{SIG}",
    "dots alone": "..",
    "a new line at the end": GOOD + "\n",
    "a space inside": f"{HEAD}. {BODY}.{SIG}",
    "letters that are not ASCII": f"{HEAD}.{BODY}.{SIG[:-1]}é",
    "a NUL": GOOD + "\0",
    "a megabyte": f"{HEAD}.{BODY}.{'A' * 1_000_000}",
    "one character too long": f"{HEAD}.{BODY}." + "A" * (8193 - len(HEAD) - len(BODY) - 2),
    "alg none": unsigned("none"),
    "alg nOnE": unsigned("nOnE"),
    "alg none, with a signature": token({"alg": "none"}),
    "alg empty": token({"alg": ""}),
    "alg missing": signed(KEY, {"typ": "JWT"}, CLAIMS),
    "alg null": token({"alg": None}),
    "alg in a list": token({"alg": ["EdDSA", "none"]}),
    "alg in lower case": token({"alg": "eddsa"}),
    "alg of another issuer": token({"alg": "ES256"}),
    "HS256 with the public key as its secret": hmac_token(pem(KEY).encode()),
    "HS256 with the published key as its secret": hmac_token(json.dumps(jwk(KEY)).encode()),
    "typ of another kind of token": token({"typ": "logout+jwt"}),
    "typ no string": token({"typ": 1}),
    "crit": token({"crit": ["exp"]}),
    "crit null": token({"crit": None}),
    "jku": token({"jku": "https://evil.example/jwks"}),
    "its own key": signed(OTHER_KEY, {**HEADER, "jwk": jwk(OTHER_KEY)}, CLAIMS),
    "x5u": token({"x5u": "https://evil.example/cert"}),
    "x5c": token({"x5c": ["MIIB"]}),
    "kid a path": token({"kid": "../../etc/passwd"}),
    "kid SQL": token({"kid": "' or 1=1 --"}),
    "kid a URL": token({"kid": "https://evil.example/k"}),
    "kid empty": token({"kid": ""}),
    "kid too long": token({"kid": "k" * 65}),
    "kid with a new line": token({"kid": "k\n"}),
    "kid a number": token({"kid": 1}),
    "kid null": token({"kid": None}),
    "header a list": signed(KEY, [HEADER], CLAIMS),
    "header no JSON": signed(KEY, b"{alg", CLAIMS),
    "header not UTF-8": signed(KEY, b'{"alg":"EdDSA","kid":"\xff"}', CLAIMS),
    "header nested deeply": signed(KEY, b'{"x":' + b"[" * 5000, CLAIMS),
    "claims nested deeply": raw_claims('{"x":' + "[" * 5000),
    "claims a list": signed(KEY, HEADER, [CLAIMS]),
    "claims a string": signed(KEY, HEADER, "claims"),
    "claims empty": signed(KEY, HEADER, {}),
    "iss missing": without("iss"),
    "iss of somebody else": token(iss="https://evil.example/"),
    "iss with a look-alike letter": token(iss="https://login.exаmple.com/"),
    "iss without its slash": token(iss=ISS[:-1]),
    "iss a list": token(iss=[ISS]),
    "aud missing": without("aud"),
    "aud of another app": token(aud=str(OTHER_APP)),
    "aud two other apps": token(aud=[str(OTHER_APP), str(a_uuid(3))]),
    "aud empty": token(aud=[]),
    "aud a number": token(aud=1),
    "aud with ours inside": token(aud=f"{APP},{OTHER_APP}"),
    "sub missing": without("sub"),
    "sub no uuid": token(sub="somebody"),
    "sub a number": token(sub=7),
    "sub null": token(sub=None),
    "exp missing": without("exp"),
    "exp null": token(exp=None),
    "exp long ago": token(exp=NOW - 31),
    "exp just now, leeway used up": token(exp=NOW - 30),
    "exp a string": token(exp=str(NOW + 600)),
    "exp a float": token(exp=NOW + 600.5),
    "exp a whole float": token(exp=float(NOW + 600)),
    "exp in exponents": raw_claims(json.dumps(CLAIMS).replace(str(NOW + 600), "1e12")),
    "exp beyond floats": raw_claims(json.dumps(CLAIMS).replace(str(NOW + 600), "1e400")),
    "exp of 5,000 digits": raw_claims(json.dumps(CLAIMS).replace(str(NOW + 600), "9" * 5000)),
    "exp true": token(exp=True),
    "exp negative": token(exp=-1),
    "nbf ahead": token(nbf=NOW + 31),
    "nbf a string": token(nbf=str(NOW)),
    "iat an hour ahead": token(iat=NOW + 3600),
    "iat a float": token(iat=NOW + 0.5),
    "scope a number": token(scope=1),
    "scope an object": token(scope={"catalog:write": True}),
    "scope a list of numbers": token(scope=[1]),
    "tenants an object": token(tenants={"uuid": str(TENANT), "role": "admin"}),
    "tenants of strings": token(tenants=[str(TENANT)]),
    "tenants null": token(tenants=None),
    "tenants with a role that is none": token(tenants=[{"uuid": str(TENANT), "role": "owner"}]),
    "tenants without role": token(tenants=[{"uuid": str(TENANT)}]),
    "tenants with no uuid": token(tenants=[{"uuid": "x", "role": "admin"}]),
    "tenants twice the same": token(
        tenants=[{"uuid": str(TENANT), "role": r} for r in ("member", "admin")]
    ),
    "signature missing": f"{HEAD}.{BODY}.",
    "signature padded": GOOD + "==",
    "signature truncated": GOOD[:-4],
    "signature truncated by a character": GOOD[:-1],
    "signature longer": GOOD + "AAAA",
    "signature in another spelling": last_bit_flipped(GOOD),
    "signature of another token": f"{GOOD.rpartition('.')[0]}.{token(exp=NOW + 1)[-86:]}",
    "signature of another key": signed(OTHER_KEY, HEADER, CLAIMS),
    "signature of zeros": f"{HEAD}.{BODY}.{'A' * 86}",
    "parts in another order": f"{BODY}.{HEAD}.{SIG}",
    "a Bearer prefix": f"Bearer {GOOD}",
    "standard base64": standard_base64(
        next(t for t in (token(iat=NOW - n) for n in range(200)) if set("-_") & set(t[-86:]))
    ),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_token_is_refused_without_fetching_a_key(hostile: str):
    with pytest.raises(Unauthenticated) as refused:
        await a_verifier().verify(APP, hostile)
    reason = str(refused.value)
    assert len(reason) < 100
    for part in hostile.split("."):
        assert len(part) < 4 or part not in reason


CHEAP = ["alg none", "aud of another app", "exp long ago", "kid a path", "jku", "sub no uuid"]


@pytest.mark.parametrize("name", CHEAP)
async def test_a_token_that_is_wrong_by_itself_costs_no_question_to_the_database(name: str):
    registered = Registered()
    with pytest.raises(Unauthenticated):
        await a_verifier(registered).verify(APP, HOSTILE[name])
    assert registered.asked == 0


@pytest.mark.parametrize("algorithm", list(SigningAlgorithm))
async def test_a_good_token_says_who_is_calling(algorithm: SigningAlgorithm):
    verifier = a_verifier(Registered((an_issuer(algorithm),)))
    caller = await verifier.verify(
        APP, signed(KEYS[algorithm], {"alg": algorithm.value, "kid": "any"}, CLAIMS)
    )
    assert (caller.app_uuid, caller.user_uuid) == (APP, USER)
    assert caller.scopes == frozenset()
    assert caller.tenants is None


@pytest.mark.parametrize("signer", list(SigningAlgorithm))
@pytest.mark.parametrize("pinned", list(SigningAlgorithm))
async def test_only_the_pinned_algorithm_counts(signer, pinned):
    verifier = a_verifier(Registered((an_issuer(pinned),)))
    text = signed(KEYS[signer], {"alg": signer.value}, CLAIMS)
    if signer is pinned:
        await verifier.verify(APP, text)
    else:
        with pytest.raises(Unauthenticated):
            await verifier.verify(APP, text)


@pytest.mark.parametrize(
    ("algorithm", "broken"),
    [
        (SigningAlgorithm.ES256, bytes(64)),
        (SigningAlgorithm.ES256, b"\xff" * 64),
        (SigningAlgorithm.ES256, b"\x30\x06\x02\x01\x01\x02\x01\x01"),
        (SigningAlgorithm.RS256, bytes(256)),
        (SigningAlgorithm.RS256, b"\x01"),
        (SigningAlgorithm.EDDSA, b"\x01"),
    ],
)
async def test_a_signature_that_is_no_signature_is_refused(algorithm, broken):
    good = signed(KEYS[algorithm], {"alg": algorithm.value}, CLAIMS)
    with pytest.raises(Unauthenticated):
        verifier = a_verifier(Registered((an_issuer(algorithm),)))
        await verifier.verify(APP, f"{good.rpartition('.')[0]}.{b64(broken)}")


async def test_a_signature_in_the_other_encoding_of_its_kind_is_refused():
    header = {"alg": "ES256"}
    key = KEYS[SigningAlgorithm.ES256]
    message = signed(key, header, CLAIMS).rpartition(".")[0]
    raw = signature(key, message.encode())
    r, s = (raw[:32].lstrip(b"\0"), raw[32:].lstrip(b"\0"))
    halves = [b"\0" + half if half[0] & 0x80 else half for half in (r, s)]
    inside = b"".join(b"\x02" + bytes([len(half)]) + half for half in halves)
    der = b"\x30" + bytes([len(inside)]) + inside
    with pytest.raises(Unauthenticated):
        verifier = a_verifier(Registered((an_issuer(SigningAlgorithm.ES256),)))
        await verifier.verify(APP, f"{message}.{b64(der)}")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [str(OTHER_APP), str(APP)]},
        {"exp": NOW - 29},
        {"exp": 10**20},
        {"nbf": NOW + 30, "iat": NOW + 30},
        {"sub": str(USER).upper()},
        {"name": "whoever", "address": {"country": "DE"}},
    ],
)
async def test_what_is_allowed_is_let_in(claims: dict):
    caller = await a_verifier().verify(APP, token(**claims))
    assert caller.user_uuid == USER


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "application/at+jwt", ...])
async def test_access_tokens_say_what_they_are_in_several_ways(typ):
    header = {"alg": "EdDSA"} if typ is ... else {"alg": "EdDSA", "typ": typ}
    await a_verifier().verify(APP, signed(KEY, header, CLAIMS))


@pytest.mark.parametrize("scope", ["a:read  b:write", ["a:read", "b:write"]])
async def test_scopes_come_as_words_or_as_a_list(scope):
    caller = await a_verifier().verify(APP, token(scope=scope))
    assert caller.scopes == {"a:read", "b:write"}


async def test_a_token_may_name_its_tenants():
    tenants = [
        {"uuid": str(TENANT), "role": "admin", "name": "ignored"},
        {"uuid": str(OTHER_TENANT), "role": "member"},
    ]
    caller = await a_verifier().verify(APP, token(tenants=tenants))
    assert caller.tenants == {TENANT: Role.ADMIN, OTHER_TENANT: Role.MEMBER}
    assert (await a_verifier().verify(APP, token(tenants=[]))).tenants == {}


async def test_a_token_of_one_app_is_worth_nothing_at_the_other():
    with pytest.raises(Unauthenticated):
        await a_verifier().verify(OTHER_APP, token())
    with pytest.raises(Unauthenticated):
        await a_verifier().verify(OTHER_APP, token(aud=str(OTHER_APP)))


async def test_a_demo_token_is_a_good_token(tmp_path):
    signer = DevSigner.of(tmp_path / "token.key")
    demo = Demo(
        app_uuid=APP,
        user_uuid=USER,
        tenants={TENANT: Role.ADMIN},
        scopes=["billing:read"],
        issued_at=NOON,
        expires_at=NOON + timedelta(days=30),
    )
    issuer = an_issuer(issuer=DEV_ISSUER, public_keys=(signer.public_pem,))
    caller = await a_verifier(Registered((issuer,))).verify(APP, signer.token(demo))
    assert (caller.user_uuid, caller.scopes) == (USER, {"billing:read"})
    assert caller.tenants == {TENANT: Role.ADMIN}
    assert DevSigner.of(tmp_path / "token.key").public_pem == signer.public_pem
    assert (tmp_path / "token.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "audience", [str(APP), [str(APP)], ["https://api.example.com", str(APP)], [str(APP), str(APP)]]
)
async def test_where_no_path_names_the_app_its_audience_does(audience):
    caller = await a_verifier().identify(token(aud=audience))
    assert (caller.app_uuid, caller.user_uuid) == (APP, USER)


@pytest.mark.parametrize(
    "audience",
    [
        "https://api.example.com", [], "", [str(APP), str(OTHER_APP)], str(OTHER_APP),
        str(APP).upper(), f"urn:uuid:{APP}", f"{{{APP}}}",
    ],
)  # fmt: skip
async def test_a_token_for_no_app_or_for_several_or_for_another_says_nothing(audience):
    with pytest.raises(Unauthenticated):
        await a_verifier().identify(token(aud=audience))
