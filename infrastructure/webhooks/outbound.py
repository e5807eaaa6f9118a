"""An HTTP client for addresses that apps have given us: it reaches the public internet, no more.

No proxy of the environment is used, no cookie kept, no answer unpacked, no connection used again.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from infrastructure.webhooks.resolver import CheckedResolver, Lookup, checked_sockets


@asynccontextmanager
async def guarded_session(
    lookup: Lookup, *, near: bool, trust: ssl.SSLContext | None
) -> AsyncIterator[aiohttp.ClientSession]:
    """`near`: private addresses too, for development. Time outs are the caller's."""
    resolver = CheckedResolver(lookup, near=near)
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        socket_factory=checked_sockets(near=near),
        ssl=trust or True,
        use_dns_cache=False,
        force_close=True,  # every try looks the name up, and is checked, anew
        limit=0,  # who sends decides how many are under way
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None),
    )
    async with session:
        try:
            yield session
        finally:
            await resolver.close()
