"""The keys of one issuer: given as PEM, or read from its JWKS URL when first needed.

An issuer's server is slow, down or hostile one day: every reading is bounded in time and size,
shared by all who wait for it, and rare. Nothing here blocks the event loop.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

import httpx
import structlog

from domain.kernel.clock import Clock
from domain.kernel.errors import Unavailable
from domain.tenancy.app import JwtIssuer
from infrastructure.identity.keys import PublicKey, UnusableKey, from_jwks, from_pem

log = structlog.get_logger("identity")

FRESH: Final = timedelta(minutes=5)
STALE: Final = timedelta(hours=24)
AGAIN: Final = timedelta(minutes=1)
COLD_AGAIN: Final = timedelta(seconds=5)
"""Between two tries while there is no key at all: nobody of this app gets in meanwhile."""

CONNECT_S: Final = 2.0
TOTAL_S: Final = 3.0
PATIENCE_S: Final = 0.5
"""How long a caller whose key is at hand waits to hear whether it is still valid."""

BODY_MAX: Final = 256 * 1024
KEYS_WITHOUT_KID_MAX: Final = 3
"""A token that names no key is tried with all of them, if they are the last, this and the next."""


class KeySource(Protocol):
    @property
    def issuer(self) -> JwtIssuer: ...

    async def candidates(self, kid: str | None) -> tuple[PublicKey, ...]:
        """The keys that may have signed. Raises Unavailable when there is no telling."""
        ...


def source_of(issuer: JwtIssuer, client: httpx.AsyncClient, clock: Clock) -> KeySource:
    if issuer.jwks_url is None:
        return PemKeys(issuer)
    return JwksKeys(issuer, issuer.jwks_url, client, clock)


class PemKeys:
    """Keys that the operator gave. They have no `kid`: all are tried."""

    def __init__(self, issuer: JwtIssuer) -> None:
        self.issuer = issuer
        self._keys: tuple[PublicKey, ...] = ()
        for pem in issuer.public_keys:
            try:
                self._keys += (from_pem(pem, issuer.algorithm),)
            except UnusableKey as error:
                log.warning("issuer_key_unusable", issuer=str(issuer.uuid), reason=str(error))

    async def candidates(self, kid: str | None) -> tuple[PublicKey, ...]:
        return self._keys


class JwksKeys:
    """Keys behind a URL, cached. The cache outlives the server's outages by a day."""

    def __init__(
        self, issuer: JwtIssuer, url: str, client: httpx.AsyncClient, clock: Clock
    ) -> None:
        self.issuer = issuer
        self._url, self._client, self._clock = url, client, clock
        self._keys: Mapping[str | None, PublicKey] = {}
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._missed_at: datetime | None = None
        self._is_failing = False
        self._reading: asyncio.Task[None] | None = None

    async def candidates(self, kid: str | None) -> tuple[PublicKey, ...]:
        now = self._clock.now()
        if found := self._find(kid, now):
            if self._is_due(now):
                # When the last try failed, nobody waits for this one.
                patience = 0 if self._is_failing else PATIENCE_S
                await asyncio.wait({self._read(now)}, timeout=patience)
                found = self._find(kid, now)
        elif self._is_worth_asking(kid, now):
            was_cold, self._missed_at = not self._has_keys(now), now
            await asyncio.wait({self._read(now)})
            found = self._find(kid, now)
            if was_cold and found:
                self._missed_at = None  # a key was missing, but no unknown one
        if not self._has_keys(now):
            raise Unavailable("the issuer's keys cannot be fetched")
        return found

    def _find(self, kid: str | None, now: datetime) -> tuple[PublicKey, ...]:
        if not self._has_keys(now):
            return ()
        if kid is None:
            every = tuple(self._keys.values())
            return every if len(every) <= KEYS_WITHOUT_KID_MAX else ()
        return (self._keys[kid],) if kid in self._keys else ()

    def _has_keys(self, now: datetime) -> bool:
        return self._read_at is not None and now - self._read_at <= STALE

    @property
    def _is_reading(self) -> bool:
        return self._reading is not None and not self._reading.done()

    def _is_due(self, now: datetime) -> bool:
        if _within(FRESH, self._read_at, now):
            return False
        return self._is_reading or not _within(AGAIN, self._tried_at, now)

    def _is_worth_asking(self, kid: str | None, now: datetime) -> bool:
        if self._is_reading:
            return True
        if not self._has_keys(now):
            return not _within(COLD_AGAIN, self._tried_at, now)
        return kid is not None and not _within(AGAIN, self._missed_at, now)

    def _read(self, now: datetime) -> asyncio.Task[None]:
        """The reading under way, or a new one. Ends within TOTAL_S and raises nothing."""
        if self._reading is None or self._reading.done():
            self._tried_at = now
            self._reading = asyncio.create_task(self._read_now(now))
        return self._reading

    async def _read_now(self, now: datetime) -> None:
        try:
            async with asyncio.timeout(TOTAL_S):
                self._keys = from_jwks(await self._body(), self.issuer.algorithm)
            self._read_at, self._is_failing = now, False
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnusableKey) as error:
            self._is_failing = True
            log.warning(
                "issuer_keys_unavailable",
                issuer=str(self.issuer.uuid),
                reason=type(error).__name__,
            )

    async def _body(self) -> bytes:
        request = self._client.build_request(
            "GET",
            self._url,
            # Asked for as it is: a few packed bytes could unpack to more than memory holds.
            headers={"accept": "application/json", "accept-encoding": "identity"},
            timeout=httpx.Timeout(TOTAL_S, connect=CONNECT_S),
        )
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            if response.status_code != 200 or "content-encoding" in response.headers:
                raise UnusableKey("not a plain 200")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > BODY_MAX:
                    raise UnusableKey("too long")
            return bytes(body)
        finally:
            await response.aclose()


def _within(span: timedelta, since: datetime | None, now: datetime) -> bool:
    return since is not None and now - since < span
