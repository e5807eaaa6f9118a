"""The pipeline of every call to /v2: credentials, route, fault, idempotency, endpoint, answer.

Endpoints are synchronous and run in one go: no call ever sees half of another.
"""

import asyncio
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from litestar.types import Receive, Scope, Send

from app.sandbox import faults
from app.sandbox.courier import Courier
from app.sandbox.exchange import Incoming, Outgoing, lose_answer, read_call, send_answer
from app.sandbox.faults import Fault
from app.sandbox.mollie.bodies import BYTES_MAX, parse_body
from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.credentials import admitted, credential
from app.sandbox.mollie.hal import HAL_JSON
from app.sandbox.mollie.idempotency import fingerprint, recall, sweep
from app.sandbox.mollie.notify import notify
from app.sandbox.mollie.objects import Delivery, Payment
from app.sandbox.mollie.outcomes import run_due
from app.sandbox.mollie.problems import DETAILS, ApiProblem
from app.sandbox.mollie.routes import ROUTES, Endpoint, is_known, shape_of
from app.sandbox.mollie.world import Universe
from app.sandbox.record import Asked, Remembered
from app.sandbox.throttle import Throttle

_KEY: Final = "idempotency-key"  # accepted everywhere, honoured on POST


class Api:
    """Answers /v2. An ASGI application of its own, mounted by the server."""

    def __init__(
        self, universe: Universe, courier: Courier[Delivery], public_url: str | None
    ) -> None:
        self._universe, self._courier = universe, courier
        self._public_url, self._throttle = public_url, Throttle()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        incoming = await read_call(scope, receive, "/v2", self._public_url)
        run_due(self._universe, self._courier.carry)
        # What fell due is told to others from now on, so it must not be lost.
        self._universe.commit()
        shape, _ = shape_of(incoming.path)
        operation, _ = ROUTES.get((incoming.method, shape), (None, None))
        key = None
        fault: Fault | None = None
        outgoing: Outgoing | None
        try:
            key = credential(incoming.headers, self._universe)
            wait = self._throttle.wait(key, self._universe.settings.calls_per_second)
            if wait is None:
                fault = faults.take_fault(self._universe.faults, operation)
                outgoing = await self._answer(incoming, key, fault)
            else:
                outgoing = _problem(ApiProblem(429, DETAILS[429]), wait)
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
        extra = [(b"idempotent-replayed", b"true")] if outgoing.replayed else []
        await send_answer(send, outgoing, (b"content-type", HAL_JSON.encode()), *extra)

    async def _answer(self, incoming: Incoming, key: str, fault: Fault | None) -> Outgoing | None:
        """None when a fault takes the answer away before anything has happened."""
        if fault is not None and fault.kind in faults.BEFORE_COMMIT:
            if fault.kind != "status":
                return None
            detail = DETAILS.get(fault.status, "The sandbox was told to fail")
            return _problem(ApiProblem(fault.status, detail), fault.retry_after_seconds)
        name = incoming.headers.get(_KEY)
        if incoming.method != "POST" or not name:
            return await self._perform(incoming, key)
        return await self._perform_once(incoming, key, name)

    async def _perform_once(self, incoming: Incoming, key: str, name: str) -> Outgoing:
        universe, id = self._universe, f"{key} {name}"
        print_ = fingerprint(incoming.method, incoming.path, incoming.body)
        if (known := recall(universe, id, print_)) is not None:
            return Outgoing(known.status, known.body, replayed=True)
        universe.running[id] = print_
        try:
            outgoing = await self._perform(incoming, key)
        finally:
            universe.running.pop(id, None)
        if outgoing.status < 400 or universe.settings.idempotency_caches_errors:
            at = universe.clock.now()
            remembered = Remembered(
                id=id,
                key=key,
                created_at=at,
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
            return _problem(problem)
        await self._courier.carry_urgent()
        body = b"" if answer.body is None else msgspec.json.encode(answer.body)
        return Outgoing(answer.status, body)

    def _call(self, incoming: Incoming, key: str) -> Answer:
        operation, endpoint, ids = _route(incoming)
        universe = self._universe
        call = Call(
            universe=universe,
            world=universe.world(key),
            at=universe.clock.now(),
            base=incoming.base,
            path=incoming.path,
            ids=ids,
            query=dict(parse_qsl(incoming.query, keep_blank_values=True)),
            body=parse_body(incoming.body, incoming.headers.get("content-type", "")),
        )
        call = admitted(call, key, incoming.method, operation)
        answer = endpoint(call)
        if operation == "createPayment" and universe.webhooks.mode == "beforeResponse":
            created = call.find(Payment, (answer.body or {})["id"])
            notify(universe, created, "created", call.at)
        return answer

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
            "path": f"/v2/{incoming.path}" + (f"?{incoming.query}" if incoming.query else ""),
            "operation": operation,
            "status": outgoing.status if outgoing is not None else None,
            "idempotency_key": incoming.headers.get(_KEY),
            "replayed": outgoing is not None and outgoing.replayed,
            "fault": fault.kind if fault is not None else None,
        }
        at = universe.clock.now()
        universe.put(Asked(id=universe.new_id("req"), key=key or "", created_at=at, **asked))


def _route(incoming: Incoming) -> tuple[str, Endpoint, tuple[str, ...]]:
    if len(incoming.body) > BYTES_MAX:
        raise ApiProblem(413, f"The request body is larger than {BYTES_MAX} bytes")
    shape, ids = shape_of(incoming.path)
    found = ROUTES.get((incoming.method, shape))
    if found is None and is_known(shape):
        raise ApiProblem(405, f"The method {incoming.method} is not possible here")
    if found is None:
        raise ApiProblem(404, f"Nothing exists at /v2/{incoming.path}")
    return *found, ids


def _problem(problem: ApiProblem, retry_after: int | None = None) -> Outgoing:
    body = msgspec.json.encode(problem.json())
    return Outgoing(problem.status, body, retry_after=retry_after)
