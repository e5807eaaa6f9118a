"""Faults on order: the next calls of an operation go wrong in a chosen way.

Before the commit nothing has happened; after it everything has, and only the answer is lost.
"""

import asyncio
from typing import Annotated, Final, Literal

from litestar.types import Receive, Scope
from msgspec import Meta, Struct

BEFORE_COMMIT: Final = frozenset({"status", "timeoutBeforeCommit", "connectionReset"})
HANGS: Final = frozenset({"timeoutBeforeCommit", "timeoutAfterCommit"})
_CUT: Final = "sandbox_cut"


class Fault(Struct, rename="camel", forbid_unknown_fields=True):
    operation: str
    kind: Literal[
        "status", "timeoutBeforeCommit", "timeoutAfterCommit", "truncatedJson", "connectionReset"
    ]
    status: int = 503
    retry_after_seconds: Annotated[int, Meta(ge=0)] | None = None
    times: int = 1


def take_fault(faults: list[Fault], operation: str | None) -> Fault | None:
    for fault in faults:
        if fault.operation in (operation, "any"):
            fault.times -= 1
            if fault.times <= 0:
                faults.remove(fault)
            return fault
    return None


def order_cut(scope: Scope, kind: str) -> None:
    """Ask for the connection to be closed without another byte."""
    scope["state"][_CUT] = kind


def cut_ordered(scope: Scope) -> str | None:
    cut: str | None = scope.get("state", {}).get(_CUT)
    return cut


def is_in_process(receive: Receive) -> bool:
    return _transport(receive) is None


def _transport(receive: Receive) -> asyncio.Transport | None:
    # uvicorn hands out bound methods of its request cycle, which knows the connection.
    transport: asyncio.Transport | None = getattr(
        getattr(receive, "__self__", None), "transport", None
    )
    return transport


async def close_connection(receive: Receive) -> bool:
    if (transport := _transport(receive)) is None:
        return False
    transport.abort()
    # The server has to notice, or it would complain about the missing answer.
    while (await receive())["type"] != "http.disconnect":
        pass
    return True


async def hang(receive: Receive, seconds: float) -> None:
    """Say nothing until the caller gives up, but never for ever."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except (TimeoutError, asyncio.CancelledError):
        return  # cancelled: the server is stopping, which ends the wait just as well
