"""A payment provider: an app's account at Mollie or another, test or live.

Its credential is sealed before it reaches this struct; only an adapter opens it, for one call. An
account that a merchant has connected by consent has none: its tokens are kept apart (connect.py).
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid
from domain.kernel.money import Currency, Money, minor_per_unit
from domain.payments.application_fee import ApplicationFee


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


class ConnectedBy(StrEnum):
    """How we are let into an account."""

    API_KEY = "api_key"
    OAUTH = "oauth"
    """By the merchant's consent, which can be taken back."""


class Parting(StrEnum):
    """Who has ended a connection."""

    APP = "app"
    MERCHANT = "merchant"


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
    credential_sealed: bytes | None
    """None exactly where a merchant's consent takes its place."""
    credential_hint: str
    """The credential's last four characters; empty without one."""
    credential_since: datetime | None = None
    """When it took another's place. None: it is the first, or there is none."""
    connected_by: ConnectedBy = ConnectedBy.API_KEY
    is_connected: bool = True
    """Whether we are let in, as far as we know. Always, with a key."""
    account_ref: str | None = None
    """The merchant's organisation; `pending_...` while there is none. None: connected by key."""
    profile_ref: str | None = None
    """Which of the merchant's profiles payments are made for."""
    provider_metadata: Mapping[str, object] | None = None
    """How far the merchant has come, as clients see it."""
    disconnected_because: Parting | None = None
    application_fee: ApplicationFee | None = None
    """Only where a merchant has let us in."""
    webhook_secret_sealed: bytes | None = None
    """What the provider signs its webhooks with; None: none is believed, where they are signed."""
    verification_amount_minor: int | None = None
    """What a `setup` session charges and refunds; None: one whole unit of the currency."""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def can_be_paid(self) -> bool:
        """Whether a payment may be asked for through it, as far as we know."""
        has_profile = self.connected_by is ConnectedBy.API_KEY or self.profile_ref is not None
        return self.is_connected and has_profile

    @property
    def known_by(self) -> str:
        """For people who look for it at the provider."""
        return self.account_ref or f"...{self.credential_hint}"

    @property
    def fee_description(self) -> str | None:
        return None if self.application_fee is None else self.application_fee.description

    def verification_amount(self, currency: Currency) -> Money:
        return Money(self.verification_amount_minor or minor_per_unit(currency), currency)
