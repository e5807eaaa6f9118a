"""What an API key of Mollie's looks like. Pure."""

from collections.abc import Iterator
from typing import Final

from domain.kernel.errors import Violation
from domain.payments.payment_provider import ProviderMode

_MODES: Final = {"test_": ProviderMode.TEST, "live_": ProviderMode.LIVE}


class MollieCredentials:
    """Implements `CredentialRules`."""

    signs_webhooks = False

    def mode_of(self, credential: str) -> ProviderMode | None:
        return _MODES.get(credential[:5])

    def mistakes(self, credential: str, mode: ProviderMode | None) -> Iterator[Violation]:
        told = self.mode_of(credential)
        if told is None:
            yield Violation("must be an API key, which starts with test_ or live_", "credential")
        elif mode not in (None, told):
            yield Violation(f"the credential is for {told}", "mode")
