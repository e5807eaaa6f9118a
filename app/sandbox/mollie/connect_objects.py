"""What Connect (OAuth) holds: apps, the organisations that let them in, codes and tokens."""

from collections.abc import Set
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from app.sandbox.record import Record

# They belong to no world of payments. No API key can be called like that.
CONNECT: Final = "connect"
CODE_LIVES: Final = timedelta(seconds=30)
TOKEN_LIVES: Final = timedelta(hours=1)
OnboardingStatus = Literal["needs-data", "in-review", "completed"]


class OAuthClient(Record, frozen=True, kw_only=True):
    """An app; its id is the `client_id`."""

    secret: str
    redirect_uri: str


class Organization(Record, frozen=True, kw_only=True):
    account: str  # its worlds are "test_" and "live_" before this
    name: str
    email: str
    onboarding: OnboardingStatus = "completed"
    can_receive_payments: bool = True
    can_receive_settlements: bool = True


class Profile(Record, frozen=True, kw_only=True):
    organization_id: str
    name: str
    website: str
    email: str

    @property
    def parents(self) -> tuple[str, ...]:
        return (self.organization_id,)


class Grant(Record, frozen=True, kw_only=True):
    """One "Allow": first the code, which is its id, and then the refresh token."""

    client_id: str
    organization_id: str
    scopes: tuple[str, ...]
    redirect_uri: str | None  # as the app asked; it has to say the same again
    refresh_token: str
    exchanged_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def parents(self) -> tuple[str, ...]:
        return (self.client_id, self.organization_id)


class AccessToken(Record, frozen=True, kw_only=True):
    """Its id is the token."""

    grant_id: str
    revoked_at: datetime | None = None

    @property
    def parents(self) -> tuple[str, ...]:
        return (self.grant_id,)


class ClientLink(Record, frozen=True, kw_only=True):
    """An invitation of an app to somebody who becomes an organisation by following it."""

    name: str
    email: str
    organization_id: str | None = None


class Access(Struct, frozen=True):
    """What an access token may do. Without a client it is an organisation's own token."""

    account: str
    organization_id: str | None = None
    client_id: str | None = None
    scopes: Set[str] | None = None  # None: everything


CONNECT_KINDS: Final[tuple[type[Record], ...]] = (
    OAuthClient,
    Organization,
    Profile,
    Grant,
    AccessToken,
    ClientLink,
)
