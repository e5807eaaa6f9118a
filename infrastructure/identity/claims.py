"""What a token says, read strictly before anything is believed or fetched. Pure.

A token is decoded once, by one decoder, so that no two readers can see different tokens in it.
"""

import base64
import binascii
import re
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from domain.kernel.errors import Unauthenticated
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.tenancy.app import SigningAlgorithm
from domain.tenancy.caller import UserCaller
from domain.tenancy.tenant import Role

TOKEN_MAX: Final = 8192
LEEWAY_S: Final = 30

_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# Other kinds of token come from the same issuer (logout, security events): they are no login.
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})


class Header(Struct, frozen=True):
    alg: SigningAlgorithm
    kid: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z")] | UnsetType = UNSET
    typ: str = "JWT"
    # Where a token would bring or name its own keys, or ask for rules that we do not know.
    crit: Raw | UnsetType = UNSET
    jku: Raw | UnsetType = UNSET
    jwk: Raw | UnsetType = UNSET
    x5u: Raw | UnsetType = UNSET
    x5c: Raw | UnsetType = UNSET


class TenantClaim(Struct, frozen=True):
    uuid: TenantUuid
    role: Role


class Claims(Struct, frozen=True):
    """Integers are JSON integers: `"1"`, `1.0` and `1e9` are refused."""

    iss: str
    sub: UserUuid
    aud: str | list[str]
    exp: int
    iat: int | UnsetType = UNSET
    nbf: int | UnsetType = UNSET
    scope: str | list[str] = ""
    tenants: list[TenantClaim] | UnsetType = UNSET


class Token(Struct, frozen=True):
    header: Header
    claims: Claims
    signed: bytes
    signature: bytes


_HEADER: Final = msgspec.json.Decoder(Header)
_CLAIMS: Final = msgspec.json.Decoder(Claims)


def parse(text: str) -> Token:
    """Raises Unauthenticated; its reason never repeats anything of the token."""
    if len(text) > TOKEN_MAX:
        raise Unauthenticated(f"the token is longer than {TOKEN_MAX} characters")
    if _COMPACT.fullmatch(text) is None:
        raise Unauthenticated("the token is not three parts of base64url")
    signed, _, last = text.encode().rpartition(b".")
    first, _, second = signed.partition(b".")
    try:
        header = _HEADER.decode(_decoded(first))
        claims = _CLAIMS.decode(_decoded(second))
        signature = _decoded(last)
    except msgspec.ValidationError as error:
        raise Unauthenticated(f"the token is malformed{_place(str(error))}") from None
    except (ValueError, RecursionError):
        raise Unauthenticated("the token is not base64url of JSON") from None
    _check_header(header)
    return Token(header, claims, signed, signature)


def check(claims: Claims, app_uuid: AppUuid, at: datetime) -> None:
    """Audience and times. Raises Unauthenticated."""
    audiences = claims.aud if isinstance(claims.aud, list) else [claims.aud]
    if str(app_uuid) not in audiences:
        raise Unauthenticated("the token is for another audience")
    now = int(at.timestamp())
    if now >= claims.exp + LEEWAY_S:
        raise Unauthenticated("the token has expired")
    if claims.nbf is not UNSET and claims.nbf > now + LEEWAY_S:
        raise Unauthenticated("the token is not valid yet")
    if claims.iat is not UNSET and claims.iat > now + LEEWAY_S:
        raise Unauthenticated("the token was issued in the future")
    if claims.tenants is not UNSET and len(_roles(claims.tenants)) < len(claims.tenants):
        raise Unauthenticated("the token names a tenant twice")


def app_in(claims: Claims) -> AppUuid:
    """The one app among the audiences; others may be addresses of services. Raises
    Unauthenticated."""
    audiences = claims.aud if isinstance(claims.aud, list) else [claims.aud]
    found = {uuid for text in audiences if (uuid := _uuid(text)) is not None}
    if len(found) != 1:
        raise Unauthenticated("the token is not for exactly one app")
    return AppUuid(found.pop())


def _uuid(text: str) -> UUID | None:
    """Written as `check` compares it."""
    try:
        uuid = UUID(text)
    except ValueError:
        return None
    return uuid if str(uuid) == text else None


def caller(claims: Claims, app_uuid: AppUuid) -> UserCaller:
    scopes = claims.scope.split() if isinstance(claims.scope, str) else claims.scope
    return UserCaller(
        app_uuid=app_uuid,
        user_uuid=claims.sub,
        scopes=frozenset(scopes),
        tenants=None if claims.tenants is UNSET else _roles(claims.tenants),
    )


def _check_header(header: Header) -> None:
    if header.typ.lower() not in _TYPES:
        raise Unauthenticated("the token is of another type")
    if any(
        member is not UNSET
        for member in (header.crit, header.jku, header.jwk, header.x5u, header.x5c)
    ):
        raise Unauthenticated("the token's header has crit, jku, jwk, x5u or x5c")


def _decoded(part: bytes) -> bytes:
    """Strict base64url: one text per value. Raises ValueError."""
    raw = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != part:
        raise binascii.Error("unused bits are set")
    return raw


def _roles(tenants: list[TenantClaim]) -> dict[TenantUuid, Role]:
    return {tenant.uuid: tenant.role for tenant in tenants}


def _place(message: str) -> str:
    """Where the decoder stumbled. Its paths and field names are ours; values are left out."""
    if message.startswith("Object missing required field"):
        return f": {message.partition(' - ')[0].replace('`', '')}"
    _, _, place = message.partition(" - at `$")
    return f" at {place.rstrip('`')}" if place else ""
