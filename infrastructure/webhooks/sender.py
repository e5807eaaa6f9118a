"""Sends a signed webhook: one POST, to a public address, and no step further.

No redirect is followed, no proxy of the environment is used, no cookie is kept, and of the answer
no more than the beginning is read. What goes wrong is said in our words, without the address.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
from standardwebhooks import Webhook
from yarl import URL

from domain.kernel.clock import Clock
from domain.webhooks.ports import Answered, Parcel, Unanswered
from domain.webhooks.targets import target_mistake
from infrastructure.webhooks.outbound import guarded_session
from infrastructure.webhooks.resolver import Lookup, TargetRefused, system_lookup

TIMEOUT_S: Final = 15.0
"""From looking the name up to the status line."""

BODY_WITHIN_S: Final = 2.0
"""The status has decided already; who dribbles the rest is not listened to."""

BODY_BYTES_MAX: Final = 4096
EXCERPT_MAX: Final = 500
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class HttpWebhookSender:
    """Implements `WebhookSender`. `near`: private addresses and http too, for development."""

    def __init__(
        self,
        clock: Clock,
        *,
        near: bool = False,
        lookup: Lookup = system_lookup,
        timeout_s: float = TIMEOUT_S,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._clock, self._near, self._lookup = clock, near, lookup
        self._timeout_s, self._trust = timeout_s, trust
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with guarded_session(self._lookup, near=self._near, trust=self._trust) as session:
            self._session = session
            try:
                yield
            finally:
                self._session = None

    async def send(self, parcel: Parcel) -> Answered | Unanswered:
        if (mistake := target_mistake(parcel.url, near=self._near)) is not None:
            return Unanswered(f"not sent: the address {mistake}")
        try:
            return await self._post(parcel)
        except TimeoutError:
            return Unanswered(f"no answer within {self._timeout_s:g} s")
        except aiohttp.InvalidURL:
            return Unanswered("not sent: the address is not a URL")
        except aiohttp.ClientConnectorError as error:
            return Unanswered(_why(error))
        except (aiohttp.ClientError, OSError):
            return Unanswered("the connection broke, or the answer was not HTTP")

    async def _post(self, parcel: Parcel) -> Answered:
        assert self._session is not None, "open() first"
        async with asyncio.timeout(self._timeout_s):
            response = await self._session.post(
                URL(parcel.url),
                data=parcel.body,
                headers=headers_of(parcel),
                allow_redirects=False,
            )
        try:
            return Answered(
                status=response.status,
                excerpt=await _beginning(response),
                retry_after=self._retry_after(response.headers.get("Retry-After")),
            )
        finally:
            response.close()

    def _retry_after(self, said: str | None) -> timedelta | None:
        """Seconds or a date. What cannot be understood was not said."""
        if said is None:
            return None
        if re.fullmatch(r"\d{1,9}", said):
            return timedelta(seconds=int(said))
        try:
            at: datetime = parsedate_to_datetime(said)
        except ValueError:
            return None
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return max(at - self._clock.now(), timedelta())


def headers_of(parcel: Parcel) -> dict[str, str]:
    """As Standard Webhooks says. One signature for each secret that is alive."""
    id, body = str(parcel.event_uuid), parcel.body.decode()
    signatures = [Webhook(secret).sign(id, parcel.sent_at, body) for secret in parcel.secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Kontor-Webhooks/1",
        "Accept-Encoding": "identity",
        "webhook-id": id,
        "webhook-timestamp": str(int(parcel.sent_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """Of the body, for the log. Never keeps the answer from counting."""
    said = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            while len(said) < BODY_BYTES_MAX:
                chunk = await response.content.read(BODY_BYTES_MAX - len(said))
                if not chunk:
                    break
                said += chunk
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass
    return _UNSEEN.sub(" ", said.decode(errors="replace"))[:EXCERPT_MAX]


def _why(error: aiohttp.ClientConnectorError) -> str:
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "TLS failed: the certificate is not valid for the name, or there is no TLS"
        case _ if isinstance(error.os_error, TargetRefused):
            return "not sent: the name leads to an address that is not public"
        case aiohttp.ClientConnectorDNSError():
            return "the name could not be looked up"
        case _:
            return "nobody accepts connections there"
