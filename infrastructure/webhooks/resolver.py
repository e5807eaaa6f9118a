"""Names to addresses that may be connected to. All of a name's addresses must be fine, or none is.

The check stands where the connection is made: each attempt looks the name up anew, and the address
that was checked is the one that is connected to. A name that changes its mind gains nothing.
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult

from domain.webhooks.targets import may_connect

LOOKUPS_AT_ONCE: Final = 64
"""A thread each. A dead name server holds one for many seconds, so there are as many as there are
webhooks under way."""

Lookup = Callable[[str, int, socket.AddressFamily], list[Any]]
"""What `socket.getaddrinfo` returns for a stream."""


class TargetRefused(OSError):
    """The address is not one that webhooks are sent to."""


def system_lookup(host: str, port: int, family: socket.AddressFamily) -> list[Any]:
    return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)


class CheckedResolver(AbstractResolver):
    def __init__(self, lookup: Lookup, *, near: bool) -> None:
        self._lookup, self._near = lookup, near
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, "webhook-lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises TargetRefused, and OSError when the name cannot be looked up."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._lookup, host, port, family)
        results = [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
        ]
        for result in results:
            must_be_allowed(result["host"], near=self._near)
        return results

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def checked_sockets(*, near: bool) -> Callable[[Any], socket.socket]:
    """Makes the socket of a connection: the last moment at which its address can be refused, and
    the only one that an address written out in a URL passes."""

    def make(info: Any) -> socket.socket:
        family, kind, proto, _, address = info
        must_be_allowed(str(address[0]), near=near)
        made = socket.socket(family, kind, proto)
        made.setblocking(False)
        return made

    return make


def must_be_allowed(address: str, *, near: bool) -> None:
    """Raises TargetRefused."""
    if not may_connect(address, near=near):
        raise TargetRefused("the address is not public")
