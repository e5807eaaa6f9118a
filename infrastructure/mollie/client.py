"""How Mollie is spoken to: what its addresses, credentials and refusals look like.

A refusal means what its status and the blamed field say, never the wording of its message.
"""

import re
from functools import cached_property
from typing import ClassVar, Final

import httpx

from domain.kernel.errors import ProviderUnreadable
from domain.payments.answers import Declined
from domain.payments.payment_provider import ProviderMode, ProviderName
from infrastructure.mollie.wire import REF_PATTERN, problem_from
from infrastructure.provider_client import Answer, Gone, ProviderClient

REAL_MOLLIE: Final = "api.mollie.com"
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
