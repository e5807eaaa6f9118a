"""An app's identity provider: signs tokens, also wrong ones, and publishes its keys."""

import base64
import json
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

JWKS_URL: Final = "https://login.example.com/jwks"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def b64_number(number: int) -> str:
    return b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def pem(key: PrivateKey) -> str:
    public = key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def jwk(key: PrivateKey, kid: str | None = None) -> dict[str, Any]:
    named = {} if kid is None else {"kid": kid}
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return {"kty": "RSA", "n": b64_number(numbers.n), "e": b64_number(numbers.e), **named}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw), **named}
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    half = len(point) // 2 + 1
    return {"kty": "EC", "crv": "P-256", "x": b64(point[1:half]), "y": b64(point[half:]), **named}


def signature(key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, PKCS1v15(), hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signed(key: PrivateKey, header: Any, claims: Any) -> str:
    """Header and claims as objects, or as raw bytes that no serializer would write."""
    parts = [
        part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)
    ]
    message = f"{b64(parts[0])}.{b64(parts[1])}"
    return f"{message}.{b64(signature(key, message.encode()))}"


class JwksServer:
    """Answers with `body`, counts, and can be down, slow or odd."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.asked = 0
        self.is_down = False
        self.answer: httpx.Response | None = None
        self.publish(*keys)

    def publish(self, *keys: dict[str, Any]) -> None:
        self._body = json.dumps({"keys": keys}).encode()

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._serve))

    async def _serve(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        assert str(request.url) == JWKS_URL, "a redirect was followed, or a token's URL believed"
        if self.is_down:
            raise httpx.ConnectError("nobody there", request=request)
        if self.answer is not None:
            return self.answer
        return httpx.Response(200, stream=Chunks(self._body))


class Chunks(httpx.AsyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    async def __aiter__(self):
        for chunk in self._chunks:
            yield chunk
