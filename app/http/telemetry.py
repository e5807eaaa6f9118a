"""One line of JSON per request, and its metrics. Never a header, a body, a token or an address."""

import logging
import re
import sys
import time
from typing import Any, Final

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram

from domain.kernel.ids import Ids

log = structlog.get_logger("http")

REGISTRY: Final = CollectorRegistry()

_REQUESTS: Final = Counter(
    "kontor_requests_total",
    "Requests answered",
    ("method", "route", "status"),
    registry=REGISTRY,
)
_SECONDS: Final = Histogram(
    "kontor_request_seconds",
    "Time to answer",
    ("method", "route"),
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,100}")


def configure_logging() -> None:
    """JSON lines on stderr, from us and from the libraries (warnings and worse)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(), foreign_pre_chain=shared
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def telemetry(app: ASGIApp, ids: Ids) -> ASGIApp:
    """Outermost: what happens further in is seen from here."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        request_id = _request_id(scope, ids)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, status = time.perf_counter(), 500

        async def observed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableScopeHeaders.from_message(message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await app(scope, receive, observed_send)
        finally:
            _note(scope, status, time.perf_counter() - started)
            structlog.contextvars.unbind_contextvars("request_id")

    return middleware


def _request_id(scope: Scope, ids: Ids) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode()
    return str(ids.new())


def _note(scope: HTTPScope, status: int, seconds: float) -> None:
    # The template, not the path: paths carry ids and the shopper's link secrets.
    route = scope.get("path_template") or "none"
    method = scope["method"] if scope["method"] in _METHODS else "other"
    _REQUESTS.labels(method, route, status).inc()
    _SECONDS.labels(method, route).observe(seconds)
    app_uuid = scope.get("path_params", {}).get("app_uuid")
    if app_uuid is None and (caller := scope.get("state", {}).get("caller")) is not None:
        app_uuid = caller.app_uuid  # the path names none: the token that was proven does
    log.info(
        "request",
        app=None if app_uuid is None else str(app_uuid),
        method=method,
        route=route,
        status=status,
        duration_ms=round(seconds * 1000, 1),
    )


_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
