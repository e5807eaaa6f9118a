"""Which errors an endpoint can answer with, and how each looks: the very answers that it sends."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from app.docs.endpoints import Endpoint
from app.http.bodies import Body, mistakes
from app.http.caller import bearer, bearer_of_app
from app.http.errors import Problem, Problems, answer_of, status_of
from domain.kernel.errors import (
    AppDisabled,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    KeyReused,
    NotFound,
    ProviderUnreadable,
    Refused,
    StillRunning,
    Unauthenticated,
    Unavailable,
    Violation,
    WrongKeyType,
)

MEANINGS: Final = {
    400: "Malformed or invalid input; every mistake of a body is listed",
    401: "No credential, or one that is expired, forged, or another app's",
    403: "The app is disabled, or the caller's scope or role does not allow it",
    404: "Not there, or not the caller's",
    409: "Not in this state, or the same request is still running",
    413: "The body is too large",
    422: "Understood, and against a rule",
    500: "A fault of ours",
    502: "The payment provider answered something unusable, or refused the account's credential",
    503: "Something we depend on did not answer; repeating with the same key is safe",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    name: str
    example: Any


def refusals(endpoint: Endpoint) -> Iterator[Refusal]:
    """In the order of their statuses."""
    for error, happens in _ERRORS:
        if happens(endpoint):
            found = _invalid(endpoint) if isinstance(error, Invalid) else error
            status, _ = status_of(type(found))
            yield Refusal(status, found.code, _said(found, endpoint))
    if _has_body(endpoint):
        yield Refusal(413, "too_large", _problem("[E4000]", "the body is too large"))
    yield Refusal(500, "unforeseen", _problem("[E0000]", "Internal Server Error"))


def headers_of(status: int) -> list[str]:
    return ["X-Request-Id", *(["Retry-After"] if status in (409, 503) else [])]


def _is_guarded(endpoint: Endpoint) -> bool:
    return not endpoint.is_public


def _is_of_users(endpoint: Endpoint) -> bool:
    return endpoint.guard in (bearer, bearer_of_app)


def _writes(endpoint: Endpoint) -> bool:
    return _is_guarded(endpoint) and endpoint.method != "GET"


def _has_body(endpoint: Endpoint) -> bool:
    return endpoint.method in ("POST", "PUT", "PATCH")


def _may_repeat(endpoint: Endpoint) -> bool:
    return _is_guarded(endpoint) and endpoint.method == "POST"


def _is_checked(endpoint: Endpoint) -> bool:
    takes = _has_body(endpoint) or any(True for _ in endpoint.fields)
    return _is_guarded(endpoint) and takes


_ERRORS: Final[tuple[tuple[DomainError, Callable[[Endpoint], bool]], ...]] = (
    (Invalid(()), _is_checked),
    (Unauthenticated(), _is_guarded),
    (WrongKeyType(), lambda endpoint: _is_guarded(endpoint) and not _is_of_users(endpoint)),
    (AppDisabled("App Is Disabled"), _is_guarded),
    (Forbidden("this needs a scope that the caller does not have"), _is_guarded),
    (NotFound("", ""), lambda endpoint: bool(endpoint.path_parameters)),
    (Conflict("it has been archived meanwhile"), _writes),
    (StillRunning("a request with this Idempotency-Key is still running"), _may_repeat),
    (Refused("a rule speaks against it; the message says which"), _writes),
    (KeyReused("this Idempotency-Key was used with another request"), _may_repeat),
    (
        ProviderUnreadable("mollie refused our credentials"),
        lambda endpoint: _is_guarded(endpoint) and endpoint.asks_provider,
    ),
    (Unavailable("the database is unreachable"), _is_guarded),
)


def _said(error: DomainError, endpoint: Endpoint) -> Any:
    return msgspec.json.decode(answer_of(error, by_key=not _is_of_users(endpoint)).body)


def _invalid(endpoint: Endpoint) -> Invalid:
    if endpoint.body is not None:
        return Invalid(_mistakes_of(endpoint.body))
    if endpoint.method == "GET":
        return Invalid([Violation("expected int <= 100", "limit")])
    return Invalid([Violation("must be 1 to 255 printable ASCII characters", "Idempotency-Key")])


def _mistakes_of(body: type[Body]) -> list[Violation]:
    """What somebody hears who has sent an empty object, or a field too many."""
    return list(mistakes(body, {})) or list(mistakes(body, {"colour": "red"}))


def _problem(code: str, message: str) -> Any:
    return msgspec.to_builtins(Problems([Problem("error", code, message)]))
