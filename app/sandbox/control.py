"""What every control plane can do, whichever provider it stands beside: read and answer JSON,
move the clock, order faults, tell what was asked.
"""

from collections.abc import Callable, Set
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar import Request, Response
from msgspec import Meta, Struct

from app.sandbox.clock import Clock
from app.sandbox.faults import Fault
from app.sandbox.record import Asked, Delivery

Json = dict[str, Any]
AnyRequest = Request[Any, Any, Any]
Count = Annotated[int, Meta(ge=0)]
T = TypeVar("T")
_FAULT_STATUS: Final = range(400, 600)
# Room enough to add intervals and retries to any moment of it.
_YEARS: Final = range(2000, 2201)


class ControlProblem(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


async def read(request: AnyRequest, shape: type[T]) -> T:
    """The body, strictly: a misspelt field is an error, not a wish that is ignored."""
    raw = await request.body() or b"{}"
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise ControlProblem(422, str(problem)) from None


def answer(body: Json, status: int = 200) -> Response[bytes]:
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


class ClockBody(Struct, rename="camel", forbid_unknown_fields=True):
    now: datetime | None = None
    advance_seconds: Annotated[int, Meta(ge=0, le=3_200_000_000)] | None = None


def moment_of(clock: Clock, body: ClockBody) -> datetime:
    """What the clock is asked to show."""
    if (body.now is None) == (body.advance_seconds is None):
        raise ControlProblem(422, 'Give either {"now": "..."} or {"advanceSeconds": 3600}.')
    moment = body.now or clock.now() + timedelta(seconds=body.advance_seconds or 0)
    if moment.year not in _YEARS:
        raise ControlProblem(422, f"The clock goes from {_YEARS[0]} to {_YEARS[-1]}.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def turn_clock(clock: Clock, body: ClockBody) -> None:
    moment = moment_of(clock, body)
    if body.advance_seconds is None:
        clock.set(moment)
    else:
        # Not by `set`: the time that this call takes would be lost.
        clock.advance(timedelta(seconds=body.advance_seconds))


def order_fault(faults: list[Fault], fault: Fault, operations: Set[str]) -> None:
    if fault.operation not in operations:
        known = ", ".join(sorted(operations))
        raise ControlProblem(422, f"There is no operation {fault.operation!r}. Known: {known}")
    if fault.status not in _FAULT_STATUS:
        raise ControlProblem(422, "The status of a fault must be from 400 to 599.")
    # No call at all: a way to take earlier orders back.
    if fault.times <= 0:
        faults[:] = [other for other in faults if other.operation != fault.operation]
    else:
        faults.append(fault)


def asked_json(asked: Asked, masked: Callable[[str], str]) -> Json:
    return {
        "method": asked.method,
        "path": asked.path,
        "operation": asked.operation,
        "status": asked.status,
        "idempotencyKey": asked.idempotency_key,
        "replayed": asked.replayed,
        "fault": asked.fault,
        "key": masked(asked.key) if asked.key else None,
        "at": asked.created_at.isoformat(timespec="milliseconds"),
    }


def delivery_json(delivery: Delivery, stamp: Callable[[datetime], str]) -> Json:
    due = delivery.next_due
    return {
        "id": delivery.id,
        "url": delivery.url,
        "reason": delivery.reason,
        "state": delivery.state,
        "createdAt": stamp(delivery.created_at),
        "nextAttemptAt": None if due is None else stamp(due),
        "attempts": [
            {
                "scheduledFor": stamp(attempt.scheduled_for),
                "at": stamp(attempt.at),
                "status": attempt.status,
                "error": attempt.error,
            }
            for attempt in delivery.attempts
        ],
    }
