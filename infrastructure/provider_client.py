"""One HTTP client for all accounts at a provider: sends one call, and says what its answer means.

What every provider's client does is here; what one of them says differently, it says in a subclass.
The meaning of an answer follows from its status. Nothing is repeated: whoever called knows whether
asking again is safe. Every call is paid for from its account's budget first, so that one account
that asks too much slows down no other.
"""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import ClassVar, Final, Literal
from uuid import UUID

import aiohttp
import httpx
from msgspec import Struct

from domain.kernel.errors import (
    CredentialRefused,
    ProviderBusy,
    ProviderUnavailable,
    ProviderUnreachable,
    ProviderUnreadable,
)
from domain.payments.answers import Declined
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName
from domain.payments.ports import Vault, credential_context
from infrastructure.budget import RateBudget
from infrastructure.transport import (
    BadBody,
    over_the_network,
    read_body,
    retry_after_s,
    timeouts,
)

CREDENTIALS_KEPT: Final = 256

# Nobody knows what became of the call, or it is known to be too early for it.
_ASK_LATER: Final = frozenset({408, 425})
_HEADER_SAFE: Final = re.compile(r"[!-~]{1,300}", re.ASCII)
# Parsing an address costs a tenth of a call, and most calls go to the same few.
_parsed: Final = lru_cache(maxsize=64)(httpx.URL)


class Call(Struct, frozen=True, kw_only=True):
    """A request. With a `key` the provider does it once, however often it is sent for a while."""

    method: Literal["GET", "POST", "DELETE"] = "GET"
    path: tuple[str, ...]
    """What follows the provider's prefix: a plural noun and a reference, in turn."""
    query: str = ""
    body: bytes | None = None
    key: str | None = None
    on_conflict: type[ProviderUnavailable] = ProviderUnavailable
    """What a 409 is: a call under the same key is still running, or the same was done just now."""


class Gone(Struct, frozen=True):
    """404 or 410: what the path names, or something it needs, does not exist (any more)."""

    reason: str


class TooMuch(Struct, frozen=True):
    """429: nothing was done."""

    retry_after_s: int


Answer = bytes | Gone | Declined


class ProviderClient(ABC):
    """`transport` is for tests: the sandbox in process, or something that answers wrongly."""

    name: ClassVar[ProviderName]
    prefix: ClassVar[str]
    """Of every path, such as /v2."""
    key_header: ClassVar[str]
    headers: ClassVar[Mapping[str, str]]
    """Sent with every call, beside those all providers get."""

    def __init__(
        self,
        base_url: str,
        vault: Vault,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        budget: RateBudget | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self.budget: Final = budget or RateBudget()
        self._vault, self._timeout_s = vault, timeout_s
        self._extensions = {"timeout": timeouts(timeout_s)}
        self._injected = transport
        self._transport: httpx.AsyncBaseTransport | None = None
        self._authorizations: dict[tuple[UUID, bytes], str] = {}

    @abstractmethod
    def is_ref(self, text: str) -> bool:
        """Whether the provider could have made this reference."""

    @abstractmethod
    def authorization(self, credential: str, mode: ProviderMode) -> str | None:
        """The header's value; None for what cannot be a credential of this mode.

        A key of the other mode would find nothing, and have us believe that nothing exists.
        """

    @abstractmethod
    def refusal(self, status: int, body: bytes) -> Answer:
        """What another 4xx means. Raises ProviderUnreadable without the provider's own words in it:
        whatever stands in between may say 404."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Connections belong to the running loop: open it inside the lifespan."""
        self._transport = self._injected or over_the_network()
        try:
            yield
        finally:
            await self._transport.aclose()
            self._transport = None

    async def read(self, account: PaymentProvider, call: Call) -> bytes | None:
        """What a GET finds; None when there is no such thing."""
        answer = await self._answer(account, call)
        if isinstance(answer, Declined):
            raise ProviderUnreadable(f"{self.name} refused to be asked that")
        return None if isinstance(answer, Gone) else answer

    async def act(self, account: PaymentProvider, call: Call) -> bytes | Declined:
        """What a POST or DELETE has come to.

        After ProviderUnavailable and after ProviderUnreadable alike it may have been done, or not.
        The way out is the same for both: send the same bytes under the same key while the provider
        remembers the key, and look for the object by our metadata afterwards.
        """
        answer = await self._answer(account, call)
        return Declined(answer.reason, is_gone=True) if isinstance(answer, Gone) else answer

    async def _answer(self, account: PaymentProvider, call: Call) -> Answer:
        assert self._transport is not None, f"{type(self).__name__} is not open"
        # References come from webhooks too. One that cannot be theirs must not bend the path.
        if not all(self.is_ref(ref) for ref in call.path[1::2]):
            return Gone(f"{self.name} has no such reference")
        request = self._request(account, call)
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.budget.take(account.uuid)
                answer = await self._exchange(self._transport, request, call)
        except TimeoutError:
            raise ProviderUnavailable(f"{self.name} did not answer in time") from None
        except BadBody as bad:
            raise ProviderUnreadable(f"{self.name}'s answer {bad}") from None
        # aiohttp's errors come through where its httpx transport knows no equivalent.
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as lost:
            if _was_not_sent(lost):
                raise ProviderUnreachable(f"{self.name} could not be reached") from None
            raise ProviderUnavailable(f"{self.name} hung up") from None
        if isinstance(answer, TooMuch):
            self.budget.was_too_much(account.uuid, retry_after_s=answer.retry_after_s)
            raise ProviderBusy(
                f"{self.name} answered 429: too many calls for this account",
                retry_after_s=answer.retry_after_s,
            )
        self.budget.went_well(account.uuid)
        return answer

    def _request(self, account: PaymentProvider, call: Call) -> httpx.Request:
        headers = {
            "Authorization": self._authorization(account),
            "User-Agent": "Kontor",
            "Accept-Encoding": "gzip",
            **self.headers,
        }
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        if call.key is not None:
            headers[self.key_header] = call.key
        url = f"{self._base_url}{self.prefix}/{'/'.join(call.path)}"
        return httpx.Request(
            call.method,
            _parsed(f"{url}?{call.query}" if call.query else url),
            headers=headers,
            content=call.body,
            extensions=self._extensions,
        )

    def _authorization(self, account: PaymentProvider) -> str:
        """Unsealing costs more than a lookup, so the last few hundred are kept in memory."""
        slot = (account.uuid, account.credential_sealed)
        if (known := self._authorizations.get(slot)) is not None:
            return known
        context = credential_context(account.uuid, account.app_uuid)
        credential = self._vault.open(account.credential_sealed, context=context)
        safe = _HEADER_SAFE.fullmatch(credential)
        value = self.authorization(credential, account.mode) if safe else None
        if value is None:
            raise CredentialRefused(
                f"the account's credential cannot be one for {self.name} in its mode"
            )
        if len(self._authorizations) >= CREDENTIALS_KEPT:
            del self._authorizations[next(iter(self._authorizations))]
        self._authorizations[slot] = value
        return value

    async def _exchange(
        self, transport: httpx.AsyncBaseTransport, request: httpx.Request, call: Call
    ) -> Answer | TooMuch:
        response = await transport.handle_async_request(request)
        try:
            status = response.status_code
            if 200 <= status < 300:
                return await read_body(response)
            if status in (401, 403):
                raise CredentialRefused(f"{self.name} refused our credentials")
            if status == 429:
                return TooMuch(retry_after_s(response.headers.get("Retry-After", "")))
            if status == 409:
                raise call.on_conflict(f"{self.name} answered 409: the same was asked for just now")
            if status in _ASK_LATER or status >= 500:
                raise ProviderUnavailable(f"{self.name} answered {status}: it cannot say now")
            if status < 400:
                raise ProviderUnreadable(f"{self.name} answered {status}, which it never should")
            return self.refusal(status, await read_body(response))
        finally:
            await response.aclose()


def _was_not_sent(lost: Exception) -> bool:
    """There was no connection. One that is cut in the middle has the same name in httpx's words:
    what aiohttp called it tells."""
    causes = (lost, lost.__cause__)
    return any(isinstance(c, httpx.ConnectError | aiohttp.ClientConnectorError) for c in causes)
