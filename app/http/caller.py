"""Guards: what a route asks of a credential before anything else happens.

A guard checks a token's signature and parses a key's headers. Whether the app admits the caller
is decided inside the transaction that does the work (app/http/desk.py).
"""

from typing import Any, Final
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from domain.kernel.errors import Unauthenticated, WrongKeyType
from domain.kernel.ids import AppUuid
from domain.tenancy.api_key import hash_secret
from domain.tenancy.caller import Caller, KeyCaller, KeyType
from domain.tenancy.ports import TokenVerifier

Connection = ASGIConnection[Any, Any, Any, Any]

TOKEN_MAX: Final = 8192
KEY_MAX: Final = 256


async def public(connection: Connection, _: BaseRouteHandler) -> None:
    """Open to everyone. The route itself must need no identity, or carry a secret of its own."""


async def bearer(connection: Connection, _: BaseRouteHandler) -> None:
    """A bearer JWT of one of the app's issuers."""
    app_uuid, token = _app_uuid(connection), _token(connection)
    _keep(connection, await _verifier(connection).verify(app_uuid, token))


async def bearer_of_app(connection: Connection, _: BaseRouteHandler) -> None:
    """A bearer JWT where the path names no app: it is the token's audience."""
    _keep(connection, await _verifier(connection).identify(_token(connection)))


async def api_key(connection: Connection, _: BaseRouteHandler) -> None:
    """An API key with its three headers."""
    app_uuid = _app_uuid(connection)
    secret = connection.headers.get("x-api-key", "")
    if not secret or len(secret) > KEY_MAX:
        raise Unauthenticated("no API key")
    if connection.headers.get("x-client-id", "").lower() != str(app_uuid):
        raise Unauthenticated("x-client-id is not the app")
    needed = KeyType.READ if connection.scope.get("method") == "GET" else KeyType.WRITE
    if connection.headers.get("x-api-key-type") != needed:
        raise WrongKeyType(f"this route takes x-api-key-type: {needed}")
    hashed = hash_secret(secret)
    _keep(connection, KeyCaller(app_uuid=app_uuid, key_hash=hashed, key_type=needed))


async def bearer_or_key(connection: Connection, handler: BaseRouteHandler) -> None:
    """Either of the two; the token when both are there."""
    if "authorization" in connection.headers:
        await bearer(connection, handler)
    else:
        await api_key(connection, handler)


GUARDS: Final = (public, bearer, bearer_of_app, api_key, bearer_or_key)
"""Every route has one of these."""


def caller_of(connection: Connection) -> Caller:
    caller: Caller = connection.state.caller
    return caller


def _token(connection: Connection) -> str:
    scheme, _space, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > TOKEN_MAX:
        raise Unauthenticated("no bearer token")
    return token.strip()


def _verifier(connection: Connection) -> TokenVerifier:
    verifier: TokenVerifier = connection.app.state.token_verifier
    return verifier


def _keep(connection: Connection, caller: Caller) -> None:
    connection.state.caller = caller


def _app_uuid(connection: Connection) -> AppUuid:
    value = connection.path_params["app_uuid"]
    assert isinstance(value, UUID), value
    return AppUuid(value)
