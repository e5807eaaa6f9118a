"""A payment provider: an app's account at Mollie or another, test or live.

Its credential is sealed before it reaches this struct; only an adapter opens it, for one call.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid
from domain.kernel.money import Currency, Money, minor_per_unit


class ProviderName(StrEnum):
    MOLLIE = "mollie"
    KOMOJU = "komoju"


def provider_named(name: str) -> ProviderName:
    """Raises NotFound."""
    try:
        return ProviderName(name)
    except ValueError:
        raise NotFound("payment provider", name) from None


class ProviderMode(StrEnum):
    TEST = "test"
    LIVE = "live"


class PaymentProvider(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    id: int = 0
    """Given by the database; 0 before."""
    name: ProviderName
    mode: ProviderMode
    title: str
    is_default: bool
    """Used when a price names no account; one per app and name."""
    credential_sealed: bytes
    credential_hint: str
    """The credential's last four characters."""
    webhook_secret_sealed: bytes | None = None
    """What the provider signs its webhooks with; None: none is believed, where they are signed."""
    verification_amount_minor: int | None = None
    """What a `setup` session charges and refunds; None: one whole unit of the currency."""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    def verification_amount(self, currency: Currency) -> Money:
        return Money(self.verification_amount_minor or minor_per_unit(currency), currency)
