"""How a merchant lets us in at Mollie (Connect): codes, tokens, and who the merchant is.

The token endpoint is no part of Mollie's API: it asks for our own name and secret, and its errors
are OAuth's. Nothing of what it says, good or bad, gets into a message.
"""

import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Meta, Struct

from domain.kernel.errors import CredentialRefused, ProviderUnreadable
from domain.payments.connect import Merchant, Tokens
from domain.payments.payment_provider import ProviderMode, ProviderName
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.listing import Page
from infrastructure.mollie.wire import Ref, WireLink, decode
from infrastructure.provider_client import Answer, Call, Gone, ProviderClient

SCOPES: Final = (
    "payments.read payments.write refunds.read refunds.write customers.read customers.write "
    "mandates.read mandates.write sessions.read sessions.write profiles.read organizations.read "
    "onboarding.read"
)
"""What our calls need, and no more."""
AUTHORIZE_URL: Final = "https://my.mollie.com/oauth2/authorize"
_PREFIX: Final = "KONTOR_MOLLIE_CONNECT_"
# What goes into a header, and comes back to us in one.
Token = Annotated[str, Meta(pattern=r"\A[!-~]{1,300}\Z")]


class MollieApp(Struct, frozen=True, kw_only=True):
    """What Mollie knows the operator of this platform by. Empty: nothing is registered."""

    client_id: str = ""
    client_secret: str = ""
    redirect_url: str = ""
    authorize_url: str = AUTHORIZE_URL


class WireTokens(Struct, frozen=True):
    access_token: Token
    refresh_token: Token
    expires_in: Annotated[int, Meta(ge=1, le=31_536_000)]


class WireProblem(Struct, frozen=True):
    error: str


class WireOrganization(Struct, frozen=True):
    id: Ref
    name: Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]{1,255}\Z")]


class WireProfile(Struct, frozen=True):
    id: Ref


class OnboardingLinks(Struct, frozen=True):
    dashboard: WireLink


class WireOnboarding(Struct, frozen=True, rename="camel"):
    status: Annotated[str, Meta(pattern=r"\A[ -~]{1,100}\Z")]
    can_receive_payments: bool
    can_receive_settlements: bool
    links: OnboardingLinks = msgspec.field(name="_links")


_PAGE: Final = re.compile(r"https?://[!-~]{1,2000}", re.ASCII)
_TOKENS: Final = msgspec.json.Decoder(WireTokens)
_PROBLEM: Final = msgspec.json.Decoder(WireProblem)
_ORGANIZATION: Final = msgspec.json.Decoder(WireOrganization)
_PROFILES: Final = msgspec.json.Decoder(Page[WireProfile])
_ONBOARDING: Final = msgspec.json.Decoder(WireOnboarding)


class MollieTokenClient(ProviderClient):
    """For the token endpoint alone."""

    name = ProviderName.MOLLIE
    prefix = "/oauth2"
    key_header = "Idempotency-Key"  # which nothing there listens to
    headers: ClassVar = {"Accept": "application/json"}

    def is_ref(self, text: str) -> bool:
        return False

    def authorization(self, credential: str, mode: ProviderMode) -> str | None:
        return None

    def refusal(self, status: int, body: bytes) -> Answer:
        if decode(_PROBLEM, body, "error that it would send").error == "invalid_grant":
            return Gone("invalid_grant")
        raise ProviderUnreadable(f"{self.name} does not understand what it is asked for a token")


class MollieConnect:
    """Implements `ConnectPort`."""

    def __init__(self, client: MollieClient, tokens: MollieTokenClient, app: MollieApp) -> None:
        self._client, self._tokens, self._app = client, tokens, app

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """The client is opened by itself."""
        async with self._tokens.open():
            yield

    def unset_setting(self) -> str | None:
        for name in ("client_id", "client_secret", "redirect_url"):
            if not getattr(self._app, name):
                return _PREFIX + name.upper()
        return None

    def address(self, state: str) -> str:
        said = {
            "client_id": self._app.client_id,
            "redirect_uri": self._app.redirect_url,
            "state": state,
            "scope": SCOPES,
            "response_type": "code",
        }
        return f"{self._app.authorize_url}?{urlencode(said, quote_via=quote)}"

    async def exchange(self, code: str) -> Tokens | None:
        return await self._granted(
            grant_type="authorization_code", code=code, redirect_uri=self._app.redirect_url
        )

    async def refresh(self, refresh: str) -> Tokens | None:
        return await self._granted(grant_type="refresh_token", refresh_token=refresh)

    async def revoke(self, refresh: str) -> None:
        await self._ask("DELETE", token=refresh, token_type_hint="refresh_token")

    async def merchant(self, access: str) -> Merchant:
        found = await self._read(access, "organizations", "me")
        organization = decode(_ORGANIZATION, found, "organization")
        found = await self._read(access, "profiles", query="limit=250")
        profiles = decode(_PROFILES, found, "list of profiles").embedded.get("profiles", [])
        found = await self._read(access, "onboarding", "me")
        onboarding = decode(_ONBOARDING, found, "onboarding")
        page = onboarding.links.dashboard.href
        if not _PAGE.fullmatch(page):
            raise ProviderUnreadable("mollie's answer links to a dashboard that is no web page")
        return Merchant(
            organization_ref=organization.id,
            organization_name=organization.name,
            profile_refs=tuple(profile.id for profile in reversed(profiles)),
            onboarding_status=onboarding.status,
            can_receive_payments=onboarding.can_receive_payments,
            can_receive_settlements=onboarding.can_receive_settlements,
            onboarding_url=page,
        )

    async def _read(self, access: str, *path: str, query: str = "") -> bytes:
        answer = await self._client.bare(Call(path=path, query=query), f"Bearer {access}")
        if not isinstance(answer, bytes):
            raise ProviderUnreadable(f"mollie does not tell about {path[0]}")
        return answer

    async def _granted(self, **said: str) -> Tokens | None:
        answer = await self._ask("POST", **said)
        if answer is None:
            return None
        wire = decode(_TOKENS, answer, "answer about tokens")
        return Tokens(access=wire.access_token, refresh=wire.refresh_token, lives_s=wire.expires_in)

    async def _ask(self, method: Literal["POST", "DELETE"], **said: str) -> bytes | None:
        """None: the code, or the token, is not good."""
        credentials = f"{quote(self._app.client_id)}:{quote(self._app.client_secret)}"
        basic = f"Basic {base64.b64encode(credentials.encode()).decode()}"
        call = Call(method=method, path=("tokens",), body=msgspec.json.encode(said))
        try:
            answer = await self._tokens.bare(call, basic)
        except CredentialRefused:
            raise ProviderUnreadable(
                f"mollie does not take {_PREFIX}CLIENT_ID and {_PREFIX}CLIENT_SECRET"
            ) from None
        return answer if isinstance(answer, bytes) else None
