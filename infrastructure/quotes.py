"""Quotes as text that only we can make: sealed like a secret, so that not a cent of one can be
altered on its way through an app's pages and back."""

import base64
import binascii
from typing import Final

import msgspec

from domain.payments.ports import Vault
from domain.subscriptions.change_quote import ChangeQuote
from infrastructure.secrets import CannotOpen

TEXT_MAX: Final = 8192
_DECODER: Final = msgspec.json.Decoder(ChangeQuote)


class SealedQuotes:
    """Implements `QuoteSeal`."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def seal(self, quote: ChangeQuote, *, context: str) -> str:
        sealed = self._vault.seal(msgspec.json.encode(quote).decode(), context=context)
        return base64.urlsafe_b64encode(sealed).decode()

    def open(self, text: str, *, context: str) -> ChangeQuote | None:
        if len(text) > TEXT_MAX or not text.isascii():
            return None
        try:
            sealed = base64.b64decode(text, altchars=b"-_", validate=True)
            return _DECODER.decode(self._vault.open(sealed, context=context))
        except (binascii.Error, CannotOpen, msgspec.ValidationError):
            return None
