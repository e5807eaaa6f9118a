"""How Mollie is spoken to: what its addresses, credentials and refusals look like.

A refusal means what its status and the blamed field say, never the wording of its message.
"""

import re
from functools import cached_property
from typing import ClassVar, Final
from urllib.parse import urlencode

import httpx
import msgspec
from msgspec.structs import replace

from domain.kernel.errors import ProviderUnreadable
from domain.payments.answers import Declined
from domain.payments.payment_provider import (
    ConnectedBy,
    PaymentProvider,
    ProviderMode,
    ProviderName,
)
from infrastructure.mollie.wire import REF_PATTERN, problem_from
from infrastructure.provider_client import Answer, Call, Gone, ProviderClient

REAL_MOLLIE: Final = "api.mollie.com"
_OF_PROFILE: Final = frozenset({("payments",), ("sessions",), ("refunds",), ("chargebacks",)})
"""Where a profile is asked for; in lists, the things of one."""
_REF: Final = re.compile(REF_PATTERN, re.ASCII)


class MollieClient(ProviderClient):
    """It remembers a key for an hour."""

    name = ProviderName.MOLLIE
    prefix = "/v2"
    key_header = "Idempotency-Key"
    headers: ClassVar = {"Accept": "application/hal+json"}

    @cached_property
    def is_real(self) -> bool:
        """Whether this is Mollie itself, and not a sandbox."""
        return httpx.URL(self._base_url).host == REAL_MOLLIE

    def is_ref(self, text: str) -> bool:
        return _REF.match(text) is not None

    def authorization(self, credential: str, mode: ProviderMode) -> str | None:
        other = ProviderMode.LIVE if mode is ProviderMode.TEST else ProviderMode.TEST
        return None if credential.startswith(f"{other}_") else f"Bearer {credential}"

    def addressed(self, account: PaymentProvider, call: Call) -> Call:
        """An access token says neither which mode is meant nor which profile; a key says both,
        and they must not be said again. What was rendered stays as it is, behind that."""
        if account.connected_by is ConnectedBy.API_KEY:
            return call
        said: dict[str, str | bool] = {}
        if account.profile_ref is not None and call.path in _OF_PROFILE:
            said["profileId"] = account.profile_ref
        if account.mode is ProviderMode.TEST:
            said["testmode"] = True
        if not said:
            return call
        if call.method == "GET":
            query = urlencode({n: "true" if v is True else v for n, v in said.items()})
            return replace(call, query=f"{call.query}&{query}" if call.query else query)
        head = msgspec.json.encode(said)
        rest = (call.body or b"{}").removeprefix(b"{")
        comma = b"" if rest == b"}" else b","
        return replace(call, body=head.removesuffix(b"}") + comma + rest)

    def refusal(self, status: int, body: bytes) -> Answer:
        reason, field = problem_from(body)
        if status in (404, 410):
            return Gone(reason)
        # The idempotency key belongs to another request, or ours was no JSON: our bytes have
        # changed. It was perhaps done the first time, so this is not a no.
        if status == 400 and field is None:
            raise ProviderUnreadable(
                "mollie does not recognise our request: its bytes have changed"
            )
        return Declined(reason, field)
