"""Reads what terms of service say at the moment a shopper agrees to them, to keep their hash.

The address is the app's, so it is reached as webhooks are: public, checked at each step. What
cannot be read within moments is not waited for: the shopper is standing at the till.
"""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple
from urllib.parse import urldefrag, urljoin

import aiohttp
from yarl import URL

from domain.webhooks.targets import target_mistake
from infrastructure.webhooks.outbound import guarded_session
from infrastructure.webhooks.resolver import Lookup, system_lookup

WITHIN_S: Final = 3.0
BYTES_MAX: Final = 4 * 1024 * 1024
REDIRECTS_MAX: Final = 3
KEPT_S: Final = 60.0
KEPT_MAX: Final = 1000
"""Addresses whose reading is remembered, in one process."""
_MOVED: Final = frozenset({301, 302, 303, 307, 308})


class Reading(NamedTuple):
    task: asyncio.Task[str | None]
    began_s: float


class HttpTermsReader:
    """Implements `TermsReader`. `near`: private addresses and http too, for development."""

    def __init__(
        self,
        *,
        near: bool = False,
        lookup: Lookup = system_lookup,
        within_s: float = WITHIN_S,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._near, self._lookup = near, lookup
        self._within_s, self._trust = within_s, trust
        self._session: aiohttp.ClientSession | None = None
        self._readings: dict[str, Reading] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with guarded_session(self._lookup, near=self._near, trust=self._trust) as session:
            self._session = session
            try:
                yield
            finally:
                self._session = None
                self._readings.clear()

    async def sha256(self, url: str) -> str | None:
        """Whoever asks for the same within a minute hears the same: a link that is posted again and
        again sends its host nothing."""
        now = asyncio.get_running_loop().time()
        reading = self._readings.get(url)
        if reading is None or reading.began_s + KEPT_S <= now:
            task = asyncio.create_task(self._hash_of(urldefrag(url).url))
            reading = self._readings[url] = Reading(task, now)
            if len(self._readings) > KEPT_MAX:
                del self._readings[next(iter(self._readings))]
        # A shopper who goes away must not take the answer from the others.
        return await asyncio.shield(reading.task)

    async def _hash_of(self, url: str) -> str | None:
        try:
            async with asyncio.timeout(self._within_s):
                return await self._read(url, REDIRECTS_MAX)
        except (TimeoutError, ValueError, aiohttp.ClientError, OSError):
            return None

    async def _read(self, url: str, redirects: int) -> str | None:
        assert self._session is not None, "open() first"
        if target_mistake(url, near=self._near) is not None:
            return None
        headers = {"Accept-Encoding": "identity", "User-Agent": "Kontor-Terms/1"}
        async with self._session.get(URL(url), allow_redirects=False, headers=headers) as response:
            moved_to = response.headers.get("Location")
            if response.status == 200:
                return await _hash(response)
        if response.status in _MOVED and moved_to and redirects:
            return await self._read(urljoin(url, moved_to), redirects - 1)
        return None


async def _hash(response: aiohttp.ClientResponse) -> str | None:
    """None: it is longer than any terms are."""
    digest, size = hashlib.sha256(), 0
    async for chunk in response.content.iter_any():
        digest.update(chunk)
        size += len(chunk)
        if size > BYTES_MAX:
            return None
    return digest.hexdigest()
