"""An app: a SaaS product that bills through us. The isolation boundary."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import AppUuid


class App(Struct, frozen=True, kw_only=True):
    app_uuid: AppUuid
    name: str
    is_disabled: bool = False
    allowed_hosts: tuple[str, ...] = ()
    """Where shoppers may be sent back to. Empty: anywhere."""
    created_at: datetime
    updated_at: datetime


class SigningAlgorithm(StrEnum):
    """What an issuer may sign with. HMAC and `none` have no name here, so they cannot be chosen."""

    RS256 = "RS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"


class JwtIssuer(Struct, frozen=True, kw_only=True):
    """Who may vouch for an app's users: one issuer, one algorithm, and where its keys are."""

    uuid: UUID
    app_uuid: AppUuid
    issuer: str
    algorithm: SigningAlgorithm
    jwks_url: str | None = None
    public_keys: tuple[str, ...] = ()
    """PEM. Either these or `jwks_url`, never both."""
    created_at: datetime
