"""What KOMOJU's webhooks say: which payment to look at, if it was KOMOJU who said so.

The signature is over the bytes as they came, with the secret that the account's owner has typed at
KOMOJU. There is no time in it, so an old event can be sent again: its id tells.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from domain.kernel.errors import Unauthenticated
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Notice, Vault, webhook_secret_context
from infrastructure.komoju.refs import named_in
from infrastructure.komoju.wire import uuid_in

SIGNATURE_HEADER: Final = "x-komoju-signature"
EVENT_ID_CHARS_MAX: Final = 100


class WireEvent(Struct, frozen=True):
    id: str
    type: str
    data: Any = None


_EVENT: Final = msgspec.json.Decoder(WireEvent)


class KomojuNotices:
    """Implements `NoticesPort`."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def read(
        self, account: PaymentProvider, body: bytes, headers: Mapping[str, str]
    ) -> Notice | None:
        self._check(account, body, headers.get(SIGNATURE_HEADER, ""))
        try:
            event = _EVENT.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if not 0 < len(event.id) <= EVENT_ID_CHARS_MAX:
            return None
        return notice_from(event)

    def _check(self, account: PaymentProvider, body: bytes, said: str) -> None:
        sealed = account.webhook_secret_sealed
        if sealed is None:
            raise Unauthenticated("the account has no webhook secret: nothing can be believed")
        context = webhook_secret_context(account.uuid, account.app_uuid)
        secret = self._vault.open(sealed, context=context)
        right = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        # As bytes: a header may hold letters that the comparison of texts refuses.
        if not hmac.compare_digest(right.encode(), said.encode("utf-8", "surrogateescape")):
            raise Unauthenticated("the webhook's signature is not that of the account's secret")


def notice_from(event: WireEvent) -> Notice | None:
    """Of what is about us only ids are taken. None: it is about nothing of ours."""
    group, _, _ = event.type.partition(".")
    ref = None
    if group == "payment":
        ref = named_in(event.data)
    elif group != "customer":
        return None
    metadata = event.data.get("metadata") if isinstance(event.data, dict) else None
    attempt_uuid = uuid_in(metadata, "attempt")
    if ref is None and attempt_uuid is None:
        return None
    return Notice(
        event_id=event.id,
        payment_ref=None if ref is None else str(ref),
        attempt_uuid=attempt_uuid,
    )
