"""`/oauth2/tokens`: codes and refresh tokens become access tokens (POST), and end (DELETE).

It is no part of /v2: no Bearer, no HAL, OAuth's form of errors. `Idempotency-Key` is ignored, as
Mollie promises it for /v2 only: who loses the answer to a code has to ask the merchant again.
"""

import base64
import binascii
import hmac
from typing import Any, Final

import msgspec
from litestar.types import Receive, Scope, Send

from app.sandbox import faults
from app.sandbox.courier import Courier
from app.sandbox.exchange import lose_answer
from app.sandbox.faults import Fault
from app.sandbox.mollie.bodies import BYTES_MAX, parse_body
from app.sandbox.mollie.connect_life import OAuthProblem, exchange, refresh, revoke
from app.sandbox.mollie.connect_objects import TOKEN_LIVES, AccessToken, Grant, OAuthClient
from app.sandbox.mollie.objects import Delivery
from app.sandbox.mollie.outcomes import run_due
from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.mollie.world import Universe
from app.sandbox.record import Asked

_OPERATIONS: Final = {"POST": "createTokens", "DELETE": "revokeTokens"}
_HINTS: Final = ("access_token", "refresh_token")
Reply = tuple[int, bytes]


class TokenEndpoint:
    def __init__(self, universe: Universe, courier: Courier[Delivery]) -> None:
        self._universe, self._courier = universe, courier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, headers = str(scope.get("method", "")), _headers(scope)
        raw = await _body(receive)
        run_due(self._universe, self._courier.carry)
        operation = _OPERATIONS.get(method)
        fault = None if operation is None else faults.take_fault(self._universe.faults, operation)
        reply = self._reply(method, headers, raw, fault)
        self._log(method, operation, headers, fault, reply)
        self._universe.commit()
        self._courier.moved.set()
        if reply is None or (fault is not None and fault.kind == "timeoutAfterCommit"):
            await lose_answer(scope, receive, fault, self._universe.settings.hang_seconds)
            return
        status, content = reply
        if fault is not None and fault.kind == "truncatedJson":
            content = content[: len(content) // 2]
        await _send(send, status, content)

    def _reply(
        self, method: str, headers: dict[str, str], raw: bytes, fault: Fault | None
    ) -> Reply | None:
        """None when a fault takes the answer away before anything has happened."""
        if fault is not None and fault.kind in faults.BEFORE_COMMIT:
            if fault.kind != "status":
                return None
            said = {"error": "server_error", "error_description": "The sandbox was told to fail"}
            return fault.status, msgspec.json.encode(said)
        try:
            return self._perform(method, headers, raw)
        except OAuthProblem as problem:
            said = {"error": problem.error, "error_description": problem.description}
            return problem.status, msgspec.json.encode(said)

    def _perform(self, method: str, headers: dict[str, str], raw: bytes) -> Reply:
        if method not in _OPERATIONS:
            raise OAuthProblem("invalid_request", f"The method {method} is not possible here", 405)
        client = self._client(headers.get("authorization", ""))
        try:
            body = parse_body(raw, headers.get("content-type", ""))
        except ApiProblem as problem:
            raise OAuthProblem("invalid_request", problem.detail) from None
        if method == "DELETE":
            return self._revoke(client, body)
        grant, token = self._tokens(client, body)
        return 200, msgspec.json.encode(_rendered(grant, token))

    def _client(self, authorization: str) -> OAuthClient:
        id, secret = _basic(authorization)
        client = self._universe.find(OAuthClient, id)
        if client is None or not hmac.compare_digest(client.secret.encode(), secret.encode()):
            raise OAuthProblem("invalid_client", "The client credentials are invalid", 401)
        return client

    def _tokens(self, client: OAuthClient, body: dict[str, Any]) -> tuple[Grant, AccessToken]:
        kind, redirect_uri = body.get("grant_type"), body.get("redirect_uri")
        if redirect_uri is not None and not isinstance(redirect_uri, str):
            raise OAuthProblem("invalid_request", "The redirect URI should be a string")
        if kind == "authorization_code":
            return exchange(self._universe, client, _required(body, "code"), redirect_uri)
        if kind == "refresh_token":
            return refresh(self._universe, client, _required(body, "refresh_token"))
        if kind is None:
            raise OAuthProblem("invalid_request", "The grant type was not specified")
        raise OAuthProblem("unsupported_grant_type", "The grant type is not supported")

    def _revoke(self, client: OAuthClient, body: dict[str, Any]) -> Reply:
        token, hint = _required(body, "token"), _required(body, "token_type_hint")
        if hint not in _HINTS:
            raise OAuthProblem("unsupported_token_type", "The token type is not supported")
        # A wrong hint or an unknown token is no error of OAuth's: the token is over either way.
        revoke(self._universe, client, token)
        return 204, b""

    def _log(
        self,
        method: str,
        operation: str | None,
        headers: dict[str, str],
        fault: Fault | None,
        reply: Reply | None,
    ) -> None:
        asked: dict[str, Any] = {
            "method": method,
            "path": "/oauth2/tokens",
            "operation": operation,
            "status": None if reply is None else reply[0],
            "idempotency_key": headers.get("idempotency-key"),
            "fault": None if fault is None else fault.kind,
        }
        at, id = self._universe.clock.now(), self._universe.new_id("req")
        self._universe.put(Asked(id=id, key="", created_at=at, **asked))


def _rendered(grant: Grant, token: AccessToken) -> dict[str, Any]:
    return {
        "access_token": token.id,
        "refresh_token": grant.refresh_token,
        "expires_in": int(TOKEN_LIVES.total_seconds()),
        "token_type": "bearer",
        "scope": " ".join(grant.scopes),
    }


def _required(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise OAuthProblem("invalid_request", f"Missing parameter: {name}")
    return value


def _basic(authorization: str) -> tuple[str, str]:
    kind, _, encoded = authorization.partition(" ")
    try:
        id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        id, colon, secret = "", "", ""
    if kind.lower() != "basic" or not colon:
        raise OAuthProblem("invalid_client", "Client credentials were not found", 401)
    return id, secret


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): raw.decode("latin-1") for name, raw in scope["headers"]}


async def _body(receive: Receive) -> bytes:
    body = b""
    while len(body) <= BYTES_MAX:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message["body"]
        if not message.get("more_body"):
            break
    return body[:BYTES_MAX]


async def _send(send: Send, status: int, content: bytes) -> None:
    headers = [(b"cache-control", b"no-store")]
    if status != 204:
        headers.append((b"content-type", b"application/json; charset=utf-8"))
        headers.append((b"content-length", str(len(content)).encode()))
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="OAuth"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
