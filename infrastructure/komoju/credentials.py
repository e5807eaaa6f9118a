"""What a secret key of KOMOJU's looks like. Pure."""

from collections.abc import Iterator
from typing import Final

from domain.kernel.errors import Violation
from domain.payments.payment_provider import ProviderMode

_PREFIX: Final = "sk_"
# Not every key says which it is for; one that does is believed.
_MODES: Final = {"sk_test_": ProviderMode.TEST, "sk_live_": ProviderMode.LIVE}


class KomojuCredentials:
    """Implements `CredentialRules`."""

    signs_webhooks = True

    def mode_of(self, credential: str) -> ProviderMode | None:
        return _MODES.get(credential[:8])

    def mistakes(self, credential: str, mode: ProviderMode | None) -> Iterator[Violation]:
        told = self.mode_of(credential)
        if not credential.startswith(_PREFIX):
            yield Violation("must be a secret key, which starts with sk_", "credential")
        if mode is None and told is None:
            yield Violation("is required: this KOMOJU key does not tell test from live", "mode")
        elif mode is not None and told not in (None, mode):
            yield Violation(f"the credential is for {told}", "mode")
