"""Facts as text that only we can make: sealed like a secret, so that nothing in one can be altered
on its way through an app's pages, or a customer's browser, and back."""

import base64
import binascii
from typing import Final, Generic, TypeVar

import msgspec

from domain.payments.ports import Vault
from infrastructure.secrets import CannotOpen

TEXT_MAX: Final = 8192
T = TypeVar("T")


class Sealed(Generic[T]):
    """Implements `QuoteSeal` for quotes, and `PassSeal` for passes."""

    def __init__(self, vault: Vault, kind: type[T]) -> None:
        self._vault, self._decoder = vault, msgspec.json.Decoder(kind)

    def seal(self, facts: T, *, context: str) -> str:
        sealed = self._vault.seal(msgspec.json.encode(facts).decode(), context=context)
        return base64.urlsafe_b64encode(sealed).decode()

    def open(self, text: str, *, context: str) -> T | None:
        if len(text) > TEXT_MAX or not text.isascii():
            return None
        try:
            sealed = base64.b64decode(text, altchars=b"-_", validate=True)
            return self._decoder.decode(self._vault.open(sealed, context=context))
        except (binascii.Error, CannotOpen, msgspec.ValidationError):
            return None
