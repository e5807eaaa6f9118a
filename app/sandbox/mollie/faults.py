"""Faults on order: the next calls of an operation go wrong in a chosen way.

Before the commit nothing has happened; after it everything has, and only the answer is lost.
"""

import asyncio
from typing import Final

from litestar.types import Receive, Scope

from app.sandbox.mollie.world import Fault, Universe

BEFORE_COMMIT: Final = frozenset({"status", "timeoutBeforeCommit", "connectionReset"})
HANGS: Final = frozenset({"timeoutBeforeCommit", "timeoutAfterCommit"})
DETAILS: Final = {
    429: "You have exceeded the rate limit. Please slow down your requests.",
    503: "Payment platform for this payment method temporarily not available",
}
_CUT: Final = "sandbox_cut"


def take_fault(universe: Universe, operation: str | None) -> Fault | None:
    for fault in universe.faults:
        if fault.operation in (operation, "any"):
            fault.times -= 1
            if fault.times <= 0:
                universe.faults.remove(fault)
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
