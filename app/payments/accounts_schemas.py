"""Accounts that merchants connect by consent, as clients see them. No token is ever shown."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar.params import QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType

from app.http.envelope import Timestamp, maybe_stamp, stamp
from domain.payments.connect_service import Connected
from domain.payments.payment_provider import (
    Parting,
    PaymentProvider,
    ProviderMode,
    ProviderName,
)

Mode = Annotated[
    ProviderMode, QueryParameter(description="an app has one account of each, at each provider")
]
"""Use as `mode: Mode = ProviderMode.LIVE`."""
Finishes = Annotated[
    bool,
    QueryParameter(
        description="`false`: ask the merchant for consent, or ask again. `true`: finish, with "
        "what came back to the redirect URL"
    ),
]
Code = Annotated[
    str | None,
    QueryParameter(
        min_length=1,
        max_length=500,
        description="the `code` that came back: good once, and for seconds",
    ),
]
State = Annotated[
    str | None,
    QueryParameter(
        name="state", min_length=1, max_length=200, description="the `state` that came back"
    ),
]


Account = Annotated[
    str,
    Meta(
        description="The merchant's organisation at the provider; `pending_...` while none is "
        "connected",
        examples=["org_12345678"],
    ),
]
Link = Annotated[
    str,
    Meta(
        description="Where to send the merchant: the page that asks for consent, or the one that "
        "says what is missing. With `accountLink` alone",
        examples=["https://my.mollie.com/oauth2/authorize?client_id=app_j9Pakf56Ajta6Y65AkdTtAv"],
    ),
]


class AccountMetadata(Struct, frozen=True, kw_only=True, rename="camel"):
    """How far the merchant has come; empty after a disconnection."""

    onboarding_status: Annotated[str, Meta(examples=["completed"])] | UnsetType = UNSET
    organization_name: Annotated[str, Meta(examples=["Example BV"])] | UnsetType = UNSET
    can_receive_payments: bool | UnsetType = UNSET
    can_receive_settlements: bool | UnsetType = UNSET
    missing_fields: list[str] | UnsetType = UNSET


class ConnectedAccountView(Struct, frozen=True, kw_only=True, rename="camel"):
    id: int
    uuid: UUID
    app_uuid: UUID
    name: ProviderName
    account: Account
    profile_id: Annotated[str, Meta(examples=["pfl_3RkSN1zuPE"])] | None
    provider_metadata: AccountMetadata | None
    connected: bool
    disconnected_by: Parting | None
    mode: ProviderMode
    created_at: Timestamp
    updated_at: Timestamp
    deleted_at: Timestamp | None

    @classmethod
    def of(cls, account: PaymentProvider) -> "ConnectedAccountView":
        return cls(**_row(account))


class ConnectAction(Struct, frozen=True):
    type: Literal["accountLink", "none"]
    url: Link | UnsetType = UNSET


class ConnectingView(ConnectedAccountView, frozen=True, kw_only=True, rename="camel"):
    next_action: ConnectAction

    @classmethod
    def asking(cls, account: PaymentProvider, address: str) -> "ConnectingView":
        return cls(**_row(account), next_action=ConnectAction("accountLink", address))

    @classmethod
    def done(cls, found: Connected) -> "ConnectingView":
        action = ConnectAction("none")
        if found.onboarding_url is not None:
            action = ConnectAction("accountLink", found.onboarding_url)
        return cls(**_row(found.account), next_action=action)


def _row(account: PaymentProvider) -> dict[str, Any]:
    assert account.account_ref is not None
    return {
        "id": account.id,
        "uuid": account.uuid,
        "app_uuid": account.app_uuid,
        "name": account.name,
        "account": account.account_ref,
        "profile_id": account.profile_ref,
        "provider_metadata": _metadata(account),
        "connected": account.is_connected,
        "disconnected_by": account.disconnected_because,
        "mode": account.mode,
        "created_at": stamp(account.created_at),
        "updated_at": stamp(account.updated_at),
        "deleted_at": maybe_stamp(account.deleted_at),
    }


def _metadata(account: PaymentProvider) -> AccountMetadata | None:
    found = account.provider_metadata
    return None if found is None else msgspec.convert(found, AccountMetadata)
