"""How KOMOJU is spoken to: what its addresses, credentials and refusals look like."""

import base64
from typing import ClassVar, Final
from uuid import UUID

from domain.kernel.errors import ProviderUnreadable
from domain.payments.answers import Declined
from domain.payments.payment_provider import ProviderMode, ProviderName
from infrastructure.komoju.credentials import KomojuCredentials
from infrastructure.komoju.wire import is_id, problem_from
from infrastructure.provider_client import Answer, Gone, ProviderClient

API_VERSION: Final = "2025-01-28"
"""Said with every call: otherwise a setting in KOMOJU's dashboard decides how answers look."""
KEY_HEADER: Final = "X-KOMOJU-IDEMPOTENCY"
KEY_CHARS_MAX: Final = 100


def key_of(operation: str, uuid: UUID) -> str:
    """An idempotency key is KOMOJU's for all of its calls: no two operations share one."""
    key = f"{operation}:{uuid}"
    assert key.isascii() and len(key) <= KEY_CHARS_MAX, key
    return key


class KomojuClient(ProviderClient):
    """It remembers a key for a day, and says 409 while a call under the same key is running."""

    name = ProviderName.KOMOJU
    prefix = "/api/v1"
    key_header = KEY_HEADER
    headers: ClassVar = {"Accept": "application/json", "X-KOMOJU-API-VERSION": API_VERSION}

    def is_ref(self, text: str) -> bool:
        return is_id(text)

    def authorization(self, credential: str, mode: ProviderMode) -> str | None:
        told = KomojuCredentials().mode_of(credential)
        # The credential is the user's name, which a colon would end.
        if ":" in credential or told not in (None, mode):
            return None
        return f"Basic {base64.b64encode(f'{credential}:'.encode()).decode()}"

    def refusal(self, status: int, body: bytes) -> Answer:
        problem = problem_from(body)
        if status in (404, 410):
            return Gone(problem.reason)
        # What another body under a used key is answered with is written nowhere. Our bytes have
        # changed then, and it was perhaps done the first time, so this is not a no.
        if KEY_HEADER in problem.message:
            raise ProviderUnreadable(
                "komoju does not recognise our request: its bytes have changed"
            )
        code = problem.code if status == 402 else None
        return Declined(problem.reason, problem.param, code=code)
