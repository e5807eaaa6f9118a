"""The pipeline of every call to the API: credentials, fault, idempotency, endpoint, answer.

Endpoints are synchronous and run in one go: no call ever sees half of another.
"""

import asyncio
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from litestar.types import Receive, Scope, Send

from app.sandbox import faults
from app.sandbox.bodies import BYTES_MAX, Unreadable, parse_body
from app.sandbox.courier import Courier
from app.sandbox.exchange import Incoming, Outgoing, lose_answer, read_call, send_answer
from app.sandbox.faults import Fault
from app.sandbox.komoju.calls import Answer, Call
from app.sandbox.komoju.credentials import credential
from app.sandbox.komoju.idempotency import HEADER, fingerprint, name_of, recall, sweep
from app.sandbox.komoju.life import run_due
from app.sandbox.komoju.objects import Delivery
from app.sandbox.komoju.problems import ApiProblem
from app.sandbox.komoju.routes import ROUTES, shape_of
from app.sandbox.komoju.world import Universe
from app.sandbox.record import Asked, Remembered
from app.sandbox.throttle import Throttle

MOUNT: Final = "/komoju"
PREFIX: Final = f"{MOUNT}/api/v1"
_NUMBERS: Final = frozenset({"amount", "tax", "quantity", "expires_in_seconds"})
_JSON: Final = (b"content-type", b"application/json; charset=utf-8")


class Api:
    """Answers /komoju/api/v1. An ASGI application of its own, mounted by the server."""

    def __init__(
        self, universe: Universe, courier: Courier[Delivery], public_url: str | None
    ) -> None:
        self._universe, self._courier = universe, courier
        self._public_url, self._throttle = public_url, Throttle()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        incoming = await read_call(scope, receive, PREFIX, self._public_url)
        run_due(self._universe, self._courier.carry)
        # What fell due is told to others from now on, so it must not be lost.
        self._universe.commit()
        operation, _ = ROUTES.get((incoming.method, shape_of(incoming.path)[0]), (None, None))
        key = None
        fault: Fault | None = None
        outgoing: Outgoing | None
        try:
            key = credential(incoming.headers)
            wait = self._throttle.wait(key, self._universe.settings.calls_per_second)
            if wait is None:
                fault = faults.take_fault(self._universe.faults, operation)
                outgoing = await self._answer(incoming, key, fault)
            else:
                outgoing = _problem(ApiProblem(429, "Too many requests"), wait)
        except ApiProblem as problem:
            outgoing = _problem(problem)
        self._log(incoming, operation, key, fault, outgoing)
        self._universe.commit()
        self._courier.moved.set()
        if outgoing is None or (fault is not None and fault.kind == "timeoutAfterCommit"):
            await lose_answer(scope, receive, fault, self._universe.settings.hang_seconds)
            return
        if fault is not None and fault.kind == "truncatedJson":
            outgoing = outgoing.halved()
        # Nothing tells a repeated answer from the first: it is "the same response again".
        await send_answer(send, outgoing, _JSON)

    async def _answer(self, incoming: Incoming, key: str, fault: Fault | None) -> Outgoing | None:
        """None when a fault takes the answer away before anything has happened."""
        if fault is not None and fault.kind in faults.BEFORE_COMMIT:
            if fault.kind != "status":
                return None
            problem = ApiProblem(fault.status, "The sandbox was told to fail")
            return _problem(problem, fault.retry_after_seconds)
        name = name_of(incoming)
        if name is None:
            return await self._perform(incoming, key)
        return await self._perform_once(incoming, key, name)

    async def _perform_once(self, incoming: Incoming, key: str, name: str) -> Outgoing:
        universe, id = self._universe, f"{key} {name}"
        print_ = fingerprint(incoming)
        if (known := recall(universe, id, print_)) is not None:
            return Outgoing(known.status, known.body, replayed=True)
        universe.running[id] = print_
        try:
            outgoing = await self._perform(incoming, key)
        finally:
            universe.running.pop(id, None)
        if outgoing.status < 400 or universe.settings.idempotency_caches_errors:
            remembered = Remembered(
                id=id,
                key=key,
                created_at=universe.clock.now(),
                fingerprint=print_,
                status=outgoing.status,
                body=outgoing.body,
            )
            universe.put(remembered)
        sweep(universe)
        return outgoing

    async def _perform(self, incoming: Incoming, key: str) -> Outgoing:
        universe = self._universe
        if universe.settings.latency_ms:
            await asyncio.sleep(universe.settings.latency_ms / 1000)
        try:
            answer = self._call(incoming, key)
        except ApiProblem as problem:
            outgoing = _problem(problem)
        else:
            body = b"" if answer.body is None else msgspec.json.encode(answer.body)
            outgoing = Outgoing(answer.status, body)
        await self._courier.carry_urgent()
        return outgoing

    def _call(self, incoming: Incoming, key: str) -> Answer:
        if len(incoming.body) > BYTES_MAX:
            raise ApiProblem(400, f"The request body is larger than {BYTES_MAX} bytes")
        shape, ids = shape_of(incoming.path)
        if (found := ROUTES.get((incoming.method, shape))) is None:
            raise ApiProblem(404, f"Nothing answers {incoming.method} /{incoming.path} here")
        _, endpoint = found
        universe = self._universe
        return endpoint(
            Call(
                universe=universe,
                world=universe.world(key),
                at=universe.clock.now(),
                base=incoming.base + MOUNT,
                ids=ids,
                query=dict(parse_qsl(incoming.query, keep_blank_values=True)),
                body=_body(incoming),
            )
        )

    def _log(
        self,
        incoming: Incoming,
        operation: str | None,
        key: str | None,
        fault: Fault | None,
        outgoing: Outgoing | None,
    ) -> None:
        universe = self._universe
        asked: dict[str, Any] = {
            "method": incoming.method,
            "path": f"{PREFIX}/{incoming.path}" + (f"?{incoming.query}" if incoming.query else ""),
            "operation": operation,
            "status": outgoing.status if outgoing is not None else None,
            "idempotency_key": incoming.headers.get(HEADER),
            "replayed": outgoing is not None and outgoing.replayed,
            "fault": fault.kind if fault is not None else None,
        }
        at = universe.clock.now()
        universe.put(Asked(id=universe.new_id(), key=key or "", created_at=at, **asked))


def _body(incoming: Incoming) -> dict[str, Any]:
    try:
        kind = incoming.headers.get("content-type", "")
        return parse_body(incoming.body, kind, _NUMBERS)
    except Unreadable as problem:
        raise ApiProblem(400, str(problem)) from None


def _problem(problem: ApiProblem, retry_after: int | None = None) -> Outgoing:
    body = msgspec.json.encode(problem.json())
    return Outgoing(problem.status, body, retry_after=retry_after)
