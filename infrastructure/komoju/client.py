"""One HTTP client for all accounts at KOMOJU: sends one call, and says what its answer means.

The meaning follows from the HTTP status. It repeats nothing: whoever called knows whether asking
again is safe. Every call is paid for from its account's budget first, so that one account that asks
too much slows down no other.
"""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Declined, Vault, credential_context
from infrastructure.budget import RateBudget
from infrastructure.komoju.credentials import KomojuCredentials
from infrastructure.komoju.wire import Problem, is_id, problem_from
from infrastructure.transport import (
    BadBody,
    over_the_network,
    read_body,
    retry_after_s,
    timeouts,
)

API_VERSION: Final = "2025-01-28"
"""Said with every call: otherwise a setting in KOMOJU's dashboard decides how answers look."""
CREDENTIALS_KEPT: Final = 256
KEY_HEADER: Final = "X-KOMOJU-IDEMPOTENCY"
KEY_CHARS_MAX: Final = 100

# Nobody knows what became of the call, or it is known to be too early for it. KOMOJU says 409 while
# a call under the same key is still running.
_ASK_LATER: Final = frozenset({408, 409, 425})
_CREDENTIAL: Final = re.compile(r"[!-9;-~]{1,300}", re.ASCII)  # a colon would end the user's name


class Call(Struct, frozen=True, kw_only=True):
    """A request. With a `key` KOMOJU does it once, however often it is sent within a day."""

    method: Literal["GET", "POST", "DELETE"] = "GET"
    path: tuple[str, ...]
    """What follows /api/v1: a plural noun and an id, in turn."""
    query: str = ""
    body: bytes | None = None
    key: str | None = None


def key_of(operation: str, uuid: UUID) -> str:
    """An idempotency key is KOMOJU's for all of its calls: no two operations share one."""
    key = f"{operation}:{uuid}"
    assert key.isascii() and len(key) <= KEY_CHARS_MAX, key
    return key


class Gone(Struct, frozen=True):
    """404 or 410: what the path names does not exist (any more)."""

    reason: str


class TooMuch(Struct, frozen=True):
    """429: nothing was done."""

    retry_after_s: int


Answer = bytes | Gone | Declined


class KomojuClient:
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
        self.budget: Final = budget or RateBudget()
        self._vault, self._timeout_s = vault, timeout_s
        self._extensions = {"timeout": timeouts(timeout_s)}
        self._injected = transport
        self._transport: httpx.AsyncBaseTransport | None = None
        self._authorizations: dict[tuple[UUID, bytes], str] = {}

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
            raise ProviderUnreadable("komoju refused to be asked that")
        return None if isinstance(answer, Gone) else answer

    async def act(self, account: PaymentProvider, call: Call) -> bytes | Declined:
        """What a POST or DELETE has come to.

        After ProviderUnavailable and after ProviderUnreadable alike it may have been done, or not:
        send the same bytes under the same key while KOMOJU remembers it, and look afterwards.
        """
        answer = await self._answer(account, call)
        return Declined(answer.reason, is_gone=True) if isinstance(answer, Gone) else answer

    async def _answer(self, account: PaymentProvider, call: Call) -> Answer:
        assert self._transport is not None, "KomojuClient is not open"
        # Ids come from webhooks too. One that cannot be KOMOJU's must not bend the path.
        if not all(is_id(id) for id in call.path[1::2]):
            return Gone("komoju has no such id")
        request = self._request(account, call)
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.budget.take(account.uuid)
                answer = await _exchange(self._transport, request)
        except TimeoutError:
            raise ProviderUnavailable("komoju did not answer in time") from None
        except BadBody as bad:
            raise ProviderUnreadable(f"komoju's answer {bad}") from None
        # aiohttp's errors come through where its httpx transport knows no equivalent.
        except (httpx.HTTPError, aiohttp.ClientError, OSError):
            raise ProviderUnavailable("komoju could not be reached, or hung up") from None
        if isinstance(answer, TooMuch):
            self.budget.was_too_much(account.uuid, retry_after_s=answer.retry_after_s)
            raise ProviderBusy(
                "komoju answered 429: too many calls for this account",
                retry_after_s=answer.retry_after_s,
            )
        self.budget.went_well(account.uuid)
        return answer

    def _request(self, account: PaymentProvider, call: Call) -> httpx.Request:
        headers = {
            "Authorization": self._authorization(account),
            "User-Agent": "Kontor",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "X-KOMOJU-API-VERSION": API_VERSION,
        }
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        if call.key is not None:
            headers[KEY_HEADER] = call.key
        url = f"{self._base_url}/api/v1/{'/'.join(call.path)}"
        return httpx.Request(
            call.method,
            f"{url}?{call.query}" if call.query else url,
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
        told = KomojuCredentials().mode_of(credential)
        if not _CREDENTIAL.fullmatch(credential) or told not in (None, account.mode):
            raise CredentialRefused("the account's credential cannot be one for komoju in its mode")
        if len(self._authorizations) >= CREDENTIALS_KEPT:
            del self._authorizations[next(iter(self._authorizations))]
        basic = base64.b64encode(f"{credential}:".encode()).decode()
        self._authorizations[slot] = f"Basic {basic}"
        return self._authorizations[slot]


async def _exchange(
    transport: httpx.AsyncBaseTransport, request: httpx.Request
) -> Answer | TooMuch:
    response = await transport.handle_async_request(request)
    try:
        status = response.status_code
        if 200 <= status < 300:
            return await read_body(response)
        if status in (401, 403):
            raise CredentialRefused("komoju refused our credentials")
        if status == 429:
            return TooMuch(retry_after_s(response.headers.get("Retry-After", "")))
        if status in _ASK_LATER or status >= 500:
            raise ProviderUnavailable(f"komoju answered {status}: it cannot say now")
        if status < 400:
            raise ProviderUnreadable(f"komoju answered {status}, which it never should")
        return _refusal(status, problem_from(await read_body(response)))
    finally:
        await response.aclose()


def _refusal(status: int, problem: Problem) -> Answer:
    """A 4xx counts only with KOMOJU's own words inside: whatever stands in between may say 404."""
    if status in (404, 410):
        return Gone(problem.reason)
    # What another body under a used key is answered with is written nowhere. Our bytes have changed
    # then, and it was perhaps done the first time, so this is not a no.
    if KEY_HEADER in problem.message:
        raise ProviderUnreadable("komoju does not recognise our request: its bytes have changed")
    code = problem.code if status == 402 else None
    return Declined(problem.reason, problem.param, code=code)
