"""Keys: what issuers sign with, parsed once and checked against the algorithm that was agreed on.

Knows no secret of ours: public keys only, and the hash by which an API key is found.
"""

from typing import Annotated, Any, Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from domain.tenancy.app import SigningAlgorithm

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

JWKS_KEYS_MAX: Final = 50
RSA_BITS_MIN: Final = 2048
RSA_BITS_MAX: Final = 8192  # a longer one only makes each check slower

_RSA: Final = RSAAlgorithm(RSAAlgorithm.SHA256)
_ECDSA: Final = ECAlgorithm(ECAlgorithm.SHA256, SECP256R1)
_EDDSA: Final = OKPAlgorithm()


class UnusableKey(ValueError):
    """Not a public key, or not one for the algorithm. The message says which, without the key."""


class _Jwk(Struct, frozen=True):
    kty: str
    kid: str | UnsetType = UNSET
    use: str = "sig"
    alg: str | UnsetType = UNSET
    crv: str = ""
    n: Annotated[str, Meta(max_length=1400)] = ""
    e: Annotated[str, Meta(max_length=12)] = ""
    x: Annotated[str, Meta(max_length=100)] = ""
    y: Annotated[str, Meta(max_length=100)] = ""
    d: Raw | UnsetType = UNSET


class _Jwks(Struct, frozen=True):
    keys: Annotated[list[Raw], Meta(max_length=JWKS_KEYS_MAX)]


def from_pem(pem: str, algorithm: SigningAlgorithm) -> PublicKey:
    """Raises UnusableKey."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey("this is not a public key in PEM (`BEGIN PUBLIC KEY`)") from None
    return _fit(key, algorithm)


def from_jwks(body: bytes, algorithm: SigningAlgorithm) -> dict[str | None, PublicKey]:
    """The keys of a JWKS document that suit `algorithm`, by `kid`. Raises UnusableKey.

    A set holds keys for other purposes too: those are left out, as are broken ones.
    """
    try:
        documents = msgspec.json.decode(body, type=_Jwks).keys
    except (ValueError, RecursionError):
        raise UnusableKey(f"not a JWKS document of at most {JWKS_KEYS_MAX} keys") from None
    keys: dict[str | None, PublicKey] = {}
    for document in documents:
        try:
            jwk = msgspec.json.decode(document, type=_Jwk)
            kid = None if jwk.kid is UNSET else jwk.kid
            keys.setdefault(kid, _from_jwk(jwk, algorithm))
        except (ValueError, RecursionError):
            continue
    return keys


def is_signed(
    algorithm: SigningAlgorithm, key: PublicKey, message: bytes, signature: bytes
) -> bool:
    """The kind of `key` was checked when it was parsed; only the pinned algorithm is tried."""
    match algorithm, key:
        case SigningAlgorithm.RS256, RSAPublicKey():
            return _RSA.verify(message, key, signature)
        case SigningAlgorithm.ES256, EllipticCurvePublicKey():
            return _ECDSA.verify(message, key, signature)
        case SigningAlgorithm.EDDSA, Ed25519PublicKey():
            return _EDDSA.verify(message, key, signature)
        case _:
            return False


def _from_jwk(jwk: _Jwk, algorithm: SigningAlgorithm) -> PublicKey:
    if jwk.use != "sig" or jwk.alg not in (UNSET, algorithm.value) or jwk.d is not UNSET:
        raise UnusableKey("for another purpose, or with its private half")
    members = {name: getattr(jwk, name) for name in ("kty", "crv", "n", "e", "x", "y")}
    given: dict[str, Any] = {name: value for name, value in members.items() if value}
    parsers = {
        SigningAlgorithm.RS256: RSAAlgorithm.from_jwk,
        SigningAlgorithm.ES256: ECAlgorithm.from_jwk,
        SigningAlgorithm.EDDSA: OKPAlgorithm.from_jwk,
    }
    try:
        return _fit(parsers[algorithm](given), algorithm)
    except (PyJWTError, UnsupportedAlgorithm):
        raise UnusableKey("not a key of this algorithm") from None


def _fit(key: object, algorithm: SigningAlgorithm) -> PublicKey:
    match algorithm, key:
        case SigningAlgorithm.RS256, RSAPublicKey():
            if not RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
                raise UnusableKey(f"an RSA key has {RSA_BITS_MIN} to {RSA_BITS_MAX} bits")
            return key
        case SigningAlgorithm.ES256, EllipticCurvePublicKey(curve=SECP256R1()):
            return key
        case SigningAlgorithm.EDDSA, Ed25519PublicKey():
            return key
    kinds = {
        SigningAlgorithm.RS256: "RSA",
        SigningAlgorithm.ES256: "elliptic curve (P-256)",
        SigningAlgorithm.EDDSA: "Ed25519",
    }
    raise UnusableKey(f"{algorithm} takes a public key of the kind {kinds[algorithm]}")
