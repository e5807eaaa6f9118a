"""Errors to HTTP: one table of statuses and codes, one lookup, one shape."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import UNSET, Struct, UnsetType

from app.http.bodies import explain_parameters
from app.http.envelope import ENCODER
from domain.kernel.errors import (
    AppDisabled,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    ProviderBusy,
    ProviderUnreadable,
    Refused,
    StillRunning,
    Unauthenticated,
    Unavailable,
    WrongKeyType,
)
from domain.kernel.idempotency import Answer

log = structlog.get_logger("http")
T = TypeVar("T")

STATUS: Final[Mapping[type[DomainError], tuple[int, str]]] = {
    Invalid: (400, "[E4000]"),
    Unauthenticated: (401, "[E4010]"),
    WrongKeyType: (401, "[E4011]"),
    AppDisabled: (403, "[E4030]"),
    Forbidden: (403, "[E4031]"),
    NotFound: (404, "[E4040]"),
    Conflict: (409, "[E4090]"),
    Refused: (422, "[E4220]"),
    ProviderUnreadable: (502, "[E5020]"),
    Unavailable: (503, "[E5030]"),
}

# Seconds until asking again is worth it.
RUNNING_S: Final = 1
UNAVAILABLE_S: Final = 2


class Problem(Struct, frozen=True):
    validation: str
    code: str
    message: str
    field: str | UnsetType = UNSET


class Problems(Struct, frozen=True):
    """Every error looks like this; `field` only when one is to blame."""

    errors: list[Problem]


def status_of(error: type[DomainError]) -> tuple[int, str]:
    """The nearest ancestor decides; a test proves that there always is one."""
    return next(STATUS[kin] for kin in error.__mro__ if kin in STATUS)


def answer_of(error: DomainError, *, by_key: bool = False) -> Answer:
    """`by_key`: the caller came with an API key."""
    status, code = status_of(type(error))
    return Answer(status, ENCODER.encode(Problems(_problems(error, code, by_key))))


def _problems(error: DomainError, code: str, by_key: bool) -> list[Problem]:
    match error:
        case Invalid(violations=violations):
            return [Problem("error", code, v.message, v.field or UNSET) for v in violations]
        case WrongKeyType():
            return [Problem("error", code, "Unauthorized API key type")]
        case Unauthenticated():
            # One text for every reason, so that nobody learns how close a guess was.
            what = "Token or API key" if by_key else "Token"
            return [Problem("error", code, f"Unauthorized {what}")]
        case NotFound():
            return [Problem("error", code, "Not Found")]
        case Refused(field=field):
            return [Problem("error", code, str(error), field or UNSET)]
        case _:
            return [Problem("error", code, str(error))]


def respond(
    answer: Answer, *, retry_after_s: int | None = None, is_replay: bool = False
) -> Response[bytes]:
    """`is_replay`: it is the stored answer to an earlier request."""
    headers = {}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if is_replay:
        headers["Idempotent-Replayed"] = "true"
    return Response(
        answer.body, status_code=answer.status, media_type="application/json", headers=headers
    )


def exact(view: T) -> Response[T]:
    """A success whose decimals leave as numbers, digit by digit."""
    return cast(Response[T], respond(Answer(200, ENCODER.encode(view))))


def domain_error(request: Request[Any, Any, Any], error: DomainError) -> Response[bytes]:
    if isinstance(error, Unauthenticated):
        log.info("unauthenticated", reason=str(error))
    if isinstance(error, Unavailable | ProviderUnreadable):
        log.warning(error.code, reason=str(error), cause=type(error.__cause__).__name__)
    answer = answer_of(error, by_key="x-api-key" in request.headers)
    return respond(answer, retry_after_s=_wait_s(error))


def _wait_s(error: DomainError) -> int | None:
    """None: asking again changes nothing, or not soon."""
    match error:
        case StillRunning():
            return RUNNING_S
        case ProviderBusy(retry_after_s=told):
            return told
        case Unavailable():
            return UNAVAILABLE_S
        case _:
            return None


def invalid_request(request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """Query, path and header parameters, and bodies that are missing. Others: StrictRequest."""
    return respond(answer_of(Invalid(explain_parameters(request, error))))


def http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework refuses by itself: no such route, wrong method, too large."""
    if error.status_code >= 500:
        return unforeseen(request, error)
    if error.status_code == 404:
        return respond(answer_of(NotFound("route", "")))
    messages = {405: "Method Not Allowed", 413: "the body is too large (64 KiB at most)"}
    message = messages.get(error.status_code, "Bad Request")
    body = ENCODER.encode(Problems([Problem("error", "[E4000]", message)]))
    return respond(Answer(error.status_code, body))


def unforeseen(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of ours. The text stays in the log."""
    log.error("unforeseen", exc_info=error)
    body = ENCODER.encode(Problems([Problem("error", "[E0000]", "Internal Server Error")]))
    return respond(Answer(500, body))
