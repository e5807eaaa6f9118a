"""One HTTP client for all accounts at a provider: sends one call, and says what its answer means.

What every provider's client does is here; what one of them says differently, it says in a subclass.
The meaning of an answer follows from its status. Nothing is repeated: whoever called knows whether
asking again is safe. Every call is paid for from its account's budget first, so that one account
that asks too much slows down no other.
"""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Final, Literal, TypeVar
from uuid import UUID

import aiohttp
import httpx
from msgspec import Struct

from domain.kernel.errors import (
    CredentialRefused,
    ProviderBusy,
    ProviderNotAsked,
    ProviderUnavailable,
    ProviderUnreachable,
    ProviderUnreadable,
    StillRunning,
)
from domain.payments.access_tokens import LEASE, AccessToken, AccessTokens
from domain.payments.answers import Declined
from domain.payments.payment_provider import (
    ConnectedBy,
    PaymentProvider,
    ProviderMode,
    ProviderName,
)
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
_LOOK_BACK: Final = timedelta(hours=2)
"""For a key that does not tell when it was drawn: nothing is sent again under one for longer than
an hour, and what a token has to reckon with may be an hour ahead."""

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


class NotLetIn(Struct, frozen=True):
    """401: nothing was done."""


Answer = bytes | Gone | Declined
T = TypeVar("T")


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
        self.tokens: AccessTokens | None = None
        """Of accounts that a merchant has connected. None: there can be none."""

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
        return _done(await self._answer(account, call))

    async def act_once(
        self,
        account: PaymentProvider,
        call: Call,
        look: Callable[[datetime], Awaitable[T | None]],
    ) -> bytes | Declined | T:
        """As `act`, whether or not the provider remembers a key for longer than a credential.

        What may have been sent with an earlier one is looked for first, back to the moment that
        `look` is given, and sent only when it is not there.
        """
        assert call.key is not None
        if account.connected_by is ConnectedBy.API_KEY:
            since = account.credential_since
            if since is None or not _may_precede(call.key, since):
                return await self.act(account, call)
            async with self._bounded(2 * self._timeout_s):
                found = await look(_made_at(call.key) or since - _LOOK_BACK)
                return await self.act(account, call) if found is None else found
        async with self._bounded(2 * self._timeout_s):
            token = await self._token(account)
            for is_last in (False, True):
                if _may_precede(call.key, token.since):
                    found = await look(_made_at(call.key) or token.since - _LOOK_BACK)
                    if found is not None:
                        return found
                answer = await self._sent(account, call, f"Bearer {token.value}")
                if not isinstance(answer, NotLetIn):
                    return _done(answer)
                if not is_last:
                    token = await self._token(account, refused=token.value)
        raise CredentialRefused(f"{self.name} refused our credentials")

    async def _answer(self, account: PaymentProvider, call: Call) -> Answer:
        if account.connected_by is ConnectedBy.API_KEY:
            answer = await self._sent(account, call, self._authorization(account))
        else:
            async with self._bounded(2 * self._timeout_s):
                token = await self._token(account)
                answer = await self._sent(account, call, f"Bearer {token.value}")
                if isinstance(answer, NotLetIn):
                    token = await self._token(account, refused=token.value)
                    answer = await self._sent(account, call, f"Bearer {token.value}")
        if isinstance(answer, NotLetIn):
            raise CredentialRefused(f"{self.name} refused our credentials")
        return answer

    async def _token(self, account: PaymentProvider, refused: str | None = None) -> AccessToken:
        assert self.tokens is not None, "nobody keeps tokens here"
        try:
            return await self.tokens(account, refused=refused)
        except StillRunning:
            raise ProviderNotAsked("somebody else holds the access token") from None

    async def _sent(
        self, account: PaymentProvider, call: Call, authorization: str
    ) -> Answer | NotLetIn:
        # References come from webhooks too. One that cannot be theirs must not bend the path.
        if not all(self.is_ref(ref) for ref in call.path[1::2]):
            return Gone(f"{self.name} has no such reference")
        request = self._request(self.addressed(account, call), authorization)
        async with self._bounded(self._timeout_s):
            await self.budget.take(account.uuid)
            answer = await self._exchange(request, call)
        if isinstance(answer, TooMuch):
            self.budget.was_too_much(account.uuid, retry_after_s=answer.retry_after_s)
            raise ProviderBusy(
                f"{self.name} answered 429: too many calls for this account",
                retry_after_s=answer.retry_after_s,
            )
        self.budget.went_well(account.uuid)
        return answer

    async def bare(self, call: Call, authorization: str) -> Answer:
        """A call for no account, such as one about tokens, paid for from nobody's budget."""
        async with self._bounded(self._timeout_s):
            answer = await self._exchange(self._request(call, authorization), call)
        if isinstance(answer, NotLetIn):
            raise CredentialRefused(f"{self.name} refused our credentials")
        if isinstance(answer, TooMuch):
            raise ProviderBusy(
                f"{self.name} answered 429: too many calls", retry_after_s=answer.retry_after_s
            )
        return answer

    @asynccontextmanager
    async def _bounded(self, seconds: float) -> AsyncIterator[None]:
        """Everything that can happen on the way, in our words."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise ProviderUnavailable(f"{self.name} did not answer in time") from None
        except BadBody as bad:
            raise ProviderUnreadable(f"{self.name}'s answer {bad}") from None
        # aiohttp's errors come through where its httpx transport knows no equivalent.
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as lost:
            if _was_not_sent(lost):
                raise ProviderUnreachable(f"{self.name} could not be reached") from None
            raise ProviderUnavailable(f"{self.name} hung up") from None

    def addressed(self, account: PaymentProvider, call: Call) -> Call:
        """With what the provider wants to be told besides, for this account."""
        return call

    def _request(self, call: Call, authorization: str) -> httpx.Request:
        headers = {
            "Authorization": authorization,
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
        assert account.credential_sealed is not None
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

    async def _exchange(self, request: httpx.Request, call: Call) -> Answer | TooMuch | NotLetIn:
        assert self._transport is not None, f"{type(self).__name__} is not open"
        response = await self._transport.handle_async_request(request)
        try:
            status = response.status_code
            if 200 <= status < 300:
                return await read_body(response)
            if status == 401:
                return NotLetIn()
            if status == 403:
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


def _done(answer: Answer) -> bytes | Declined:
    return Declined(answer.reason, is_gone=True) if isinstance(answer, Gone) else answer


def _may_precede(key: str, since: datetime) -> bool:
    """Whether a call under this key may have been sent before the credential of then was in use
    everywhere."""
    made_at = _made_at(key)
    return made_at is None or made_at <= since + LEASE


def _made_at(key: str) -> datetime | None:
    """Our keys are ids that tell when they were drawn: UUIDv7."""
    uuid = UUID(key)
    if uuid.version != 7:
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=uuid.int >> 80)


def _was_not_sent(lost: Exception) -> bool:
    """There was no connection. One that is cut in the middle has the same name in httpx's words:
    what aiohttp called it tells."""
    causes = (lost, lost.__cause__)
    never = httpx.ConnectError | aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError
    return any(isinstance(cause, never) for cause in causes)
