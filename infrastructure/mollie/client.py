"""One HTTP client for all accounts at Mollie: sends one call, and says what its answer means.

The meaning follows from the HTTP status and the blamed field, never from the wording of a message.
It repeats nothing: whoever called knows whether asking again is safe. Every call is paid for from
its account's budget first, so that one account that asks too much slows down no other.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Final, Literal
from uuid import UUID

import aiohttp
import httpx
from msgspec import Struct

from domain.kernel.errors import (
    CredentialRefused,
    ProviderBusy,
    ProviderUnavailable,
    ProviderUnreadable,
)
from domain.payments.payment_provider import PaymentProvider, ProviderMode
from domain.payments.ports import Declined, Vault, credential_context
from infrastructure.budget import RateBudget
from infrastructure.mollie.wire import REF_PATTERN, problem_from
from infrastructure.transport import (
    BadBody,
    over_the_network,
    read_body,
    retry_after_s,
    timeouts,
)

REAL_MOLLIE: Final = "api.mollie.com"
CREDENTIALS_KEPT: Final = 256

# Nobody knows what became of the call, or it is known to be too early for it.
_ASK_LATER: Final = frozenset({408, 425})
_CREDENTIAL: Final = re.compile(r"[!-~]{1,300}", re.ASCII)
_REF: Final = re.compile(REF_PATTERN, re.ASCII)


class Call(Struct, frozen=True, kw_only=True):
    """A request. With a `key` Mollie does it once, however often it is sent within an hour."""

    method: Literal["GET", "POST", "DELETE"] = "GET"
    path: tuple[str, ...]
    """What follows /v2: a plural noun and a reference, in turn."""
    query: str = ""
    body: bytes | None = None
    key: UUID | None = None
    on_conflict: type[ProviderUnavailable] = ProviderUnavailable
    """What a 409 is: a call under the same key is still running, or the same was done just now."""


class Gone(Struct, frozen=True):
    """404 or 410: what the path names, or something it needs, does not exist (any more)."""

    reason: str


class TooMuch(Struct, frozen=True):
    """429: nothing was done."""

    retry_after_s: int


Answer = bytes | Gone | Declined


class MollieClient:
    """`transport` is for tests: the sandbox in process, or something that answers wrongly."""

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
        self.is_real: Final = httpx.URL(base_url).host == REAL_MOLLIE
        """Whether this is Mollie itself, and not a sandbox."""
        self.budget: Final = budget or RateBudget()
        self._vault, self._timeout_s = vault, timeout_s
        self._extensions = {"timeout": timeouts(timeout_s)}
        self._injected = transport
        self._transport: httpx.AsyncBaseTransport | None = None
        self._credentials: dict[tuple[UUID, bytes], str] = {}

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
            raise ProviderUnreadable("mollie refused to be asked that")
        return None if isinstance(answer, Gone) else answer

    async def act(self, account: PaymentProvider, call: Call) -> bytes | Declined:
        """What a POST or DELETE has come to.

        After ProviderUnavailable and after ProviderUnreadable alike it may have been done, or not.
        The way out is the same for both: send the same bytes under the same key while Mollie
        remembers the key, and look for the object by our metadata afterwards.
        """
        answer = await self._answer(account, call)
        return Declined(answer.reason, is_gone=True) if isinstance(answer, Gone) else answer

    async def _answer(self, account: PaymentProvider, call: Call) -> Answer:
        assert self._transport is not None, "MollieClient is not open"
        # References come from webhooks too. One that cannot be Mollie's must not bend the path.
        if not all(_REF.match(ref) for ref in call.path[1::2]):
            return Gone("mollie has no such reference")
        request = self._request(account, call)
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.budget.take(account.uuid)
                answer = await _exchange(self._transport, request, call)
        except TimeoutError:
            raise ProviderUnavailable("mollie did not answer in time") from None
        except BadBody as bad:
            raise ProviderUnreadable(f"mollie's answer {bad}") from None
        # aiohttp's errors come through where its httpx transport knows no equivalent.
        except (httpx.HTTPError, aiohttp.ClientError, OSError):
            raise ProviderUnavailable("mollie could not be reached, or hung up") from None
        if isinstance(answer, TooMuch):
            self.budget.was_too_much(account.uuid, retry_after_s=answer.retry_after_s)
            raise ProviderBusy(
                "mollie answered 429: too many calls for this account",
                retry_after_s=answer.retry_after_s,
            )
        self.budget.went_well(account.uuid)
        return answer

    def _request(self, account: PaymentProvider, call: Call) -> httpx.Request:
        headers = {
            "Authorization": f"Bearer {self._credential(account)}",
            "User-Agent": "Kontor",
            "Accept": "application/hal+json",
            "Accept-Encoding": "gzip",
        }
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        if call.key is not None:
            headers["Idempotency-Key"] = str(call.key)
        url = f"{self._base_url}/v2/{'/'.join(call.path)}"
        if call.query:
            url = f"{url}?{call.query}"
        return httpx.Request(
            call.method,
            _parsed(url),
            headers=headers,
            content=call.body,
            extensions=self._extensions,
        )

    def _credential(self, account: PaymentProvider) -> str:
        """Unsealing costs more than a lookup, so the last few hundred are kept in memory."""
        slot = (account.uuid, account.credential_sealed)
        if (known := self._credentials.get(slot)) is not None:
            return known
        context = credential_context(account.uuid, account.app_uuid)
        credential = self._vault.open(account.credential_sealed, context=context)
        # A key of the other mode would find nothing, and have us believe that nothing exists.
        other = ProviderMode.LIVE if account.mode is ProviderMode.TEST else ProviderMode.TEST
        if not _CREDENTIAL.fullmatch(credential) or credential.startswith(f"{other}_"):
            raise CredentialRefused("the account's credential cannot be one for mollie in its mode")
        if len(self._credentials) >= CREDENTIALS_KEPT:
            del self._credentials[next(iter(self._credentials))]
        self._credentials[slot] = credential
        return credential


# Parsing an address costs a tenth of a call, and most calls go to the same few.
_parsed: Final = lru_cache(maxsize=64)(httpx.URL)


async def _exchange(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, call: Call
) -> Answer | TooMuch:
    response = await transport.handle_async_request(request)
    try:
        status = response.status_code
        if 200 <= status < 300:
            return await read_body(response)
        if status in (401, 403):
            raise CredentialRefused("mollie refused our credentials")
        if status == 429:
            return TooMuch(retry_after_s(response.headers.get("Retry-After", "")))
        if status == 409:
            raise call.on_conflict("mollie answered 409: the same was asked for a moment ago")
        if status in _ASK_LATER or status >= 500:
            raise ProviderUnavailable(f"mollie answered {status}: it cannot say now")
        if status < 400:
            raise ProviderUnreadable(f"mollie answered {status}, which it never should")
        return _refusal(status, await read_body(response))
    finally:
        await response.aclose()


def _refusal(status: int, body: bytes) -> Answer:
    """A 4xx counts only with Mollie's own words inside: whatever stands in between may say 404."""
    reason, field = problem_from(body)
    if status in (404, 410):
        return Gone(reason)
    # The idempotency key belongs to another request, or ours was no JSON: our bytes have changed.
    # It was perhaps done the first time, so this is not a no.
    if status == 400 and field is None:
        raise ProviderUnreadable("mollie does not recognise our request: its bytes have changed")
    return Declined(reason, field)
