"""Payment provider accounts as clients see them. A credential goes in; four letters come out."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from app.http.bodies import Body
from app.http.envelope import Timestamp, maybe_stamp, stamp
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName
from domain.payments.provider_service import NewProvider, ProviderChange

Credential = Annotated[
    str,
    Meta(
        min_length=12,
        max_length=200,
        pattern="^[!-~]+$",
        description="The account's secret API key. Kept sealed, never shown again",
        examples=["test_00000000000000000000000000000"],
    ),
]
Title = Annotated[
    str,
    Meta(
        min_length=1, max_length=200, description="A name for your own eyes", examples=["Mollie EU"]
    ),
]
WebhookSecret = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=200,
        pattern="^[!-~]+$",
        description="What the provider signs its webhooks with, as typed there; without it none "
        "of them is believed. Kept sealed, never shown again. Only where webhooks are signed",
        examples=["a-long-and-random-secret"],
    ),
]
VerificationAmount = Annotated[
    int,
    Meta(
        ge=1,
        le=100_000,
        description="Minor units that a `setup` session charges and refunds, where a payment "
        "method cannot be stored without; null: one whole unit of the currency",
        examples=[100],
    ),
]

Account = Annotated[
    str,
    Meta(
        description="Of an account that its merchant connects by consent: the organisation, or "
        "`pending_...`; null where a credential connects it",
        examples=["org_12345678"],
    ),
]


class CreateProviderBody(Body, frozen=True, kw_only=True):
    """`mode` follows from a key that tells it, and may be told to be sure. Not all keys do."""

    name: ProviderName
    credential: Credential
    mode: ProviderMode | None = None
    title: Title | None = None
    webhook_secret: WebhookSecret | None = None
    verification_amount: VerificationAmount | None = None

    def new(self) -> NewProvider:
        return NewProvider(
            name=self.name,
            credential=self.credential,
            mode=self.mode,
            title=self.title,
            webhook_secret=self.webhook_secret,
            verification_amount_minor=self.verification_amount,
        )


class UpdateProviderBody(Body, frozen=True, kw_only=True):
    """Send what is to change. A new `credential` of the same mode takes the old one's place, and
    so does a new `webhookSecret`; null lets the old one go."""

    credential: Credential | UnsetType = UNSET
    title: Title | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    webhook_secret: WebhookSecret | UnsetType | None = UNSET
    verification_amount: VerificationAmount | UnsetType | None = UNSET

    def change(self) -> ProviderChange:
        return ProviderChange(
            credential=self.credential,
            title=self.title,
            is_default=self.is_default,
            webhook_secret=self.webhook_secret,
            verification_amount_minor=self.verification_amount,
        )


class ProviderView(Struct, frozen=True, kw_only=True, rename="camel"):
    id: int
    uuid: UUID
    app_uuid: UUID
    name: ProviderName
    mode: ProviderMode
    title: str
    is_default: bool
    credential_hint: Annotated[str, Meta(examples=["...0000"])]
    has_webhook_secret: bool
    verification_amount: int | None
    account: Account | None
    connected: bool
    created_at: Timestamp
    updated_at: Timestamp
    deleted_at: Timestamp | None

    @classmethod
    def of(cls, account: PaymentProvider) -> "ProviderView":
        return cls(
            id=account.id,
            uuid=account.uuid,
            app_uuid=account.app_uuid,
            name=account.name,
            mode=account.mode,
            title=account.title,
            is_default=account.is_default,
            credential_hint=account.credential_hint and f"...{account.credential_hint}",
            has_webhook_secret=account.webhook_secret_sealed is not None,
            verification_amount=account.verification_amount_minor,
            account=account.account_ref,
            connected=account.deleted_at is None and account.is_connected,
            created_at=stamp(account.created_at),
            updated_at=stamp(account.updated_at),
            deleted_at=maybe_stamp(account.deleted_at),
        )
