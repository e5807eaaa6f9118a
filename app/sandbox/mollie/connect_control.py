"""The control plane of Connect: register apps, furnish organisations, play the merchant."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct
from msgspec.structs import replace

from app.sandbox.mollie.access import (
    new_organization,
    new_profile,
    organizations,
    profiles_of,
)
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.connect_life import allow, shut_out
from app.sandbox.mollie.connect_objects import (
    CONNECT,
    TOKEN_LIVES,
    AccessToken,
    Grant,
    OAuthClient,
    OnboardingStatus,
    Organization,
)
from app.sandbox.mollie.plane import AnyRequest, ControlProblem, Json, Plane, answer, read
from app.sandbox.mollie.scopes import SCOPES
from app.sandbox.mollie.validation import url
from app.sandbox.mollie.world import Universe, masked


class ClientBody(Struct, rename="camel", forbid_unknown_fields=True):
    client_id: str
    client_secret: str
    redirect_uri: str


class OrganizationBody(Struct, forbid_unknown_fields=True):
    name: str
    email: str = "owner@example.org"
    profiles: list[str] = []  # more than the one it has anyway, by name


class ProfileBody(Struct, forbid_unknown_fields=True):
    name: str


class OnboardingBody(Struct, rename="camel", forbid_unknown_fields=True):
    status: OnboardingStatus
    can_receive_payments: bool | None = None  # unless said: what the status usually means
    can_receive_settlements: bool | None = None


class AllowBody(Struct, rename="camel", forbid_unknown_fields=True):
    client_id: str
    organization_id: str
    scope: str
    redirect_uri: str | None = None


class ShutOutBody(Struct, rename="camel", forbid_unknown_fields=True):
    client_id: str
    organization_id: str


@post("/oauth/clients", status_code=200)
async def register_client(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    """Registering an app again gives it a new secret or address; its grants stay."""
    body = await read(request, ClientBody)
    if not body.client_id.startswith("app_") or not body.client_secret:
        raise ControlProblem(422, "A clientId begins with app_, and a clientSecret is needed.")
    url({"redirectUri": body.redirect_uri}, "redirectUri", "redirect")
    at = plane.begin()
    client = OAuthClient(
        id=body.client_id,
        key=CONNECT,
        created_at=at,
        secret=body.client_secret,
        redirect_uri=body.redirect_uri,
    )
    plane.universe.put(client)
    await plane.finish()
    return answer(_client_json(client))


@post("/oauth/organizations", status_code=200)
async def add_organization(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    body = await read(request, OrganizationBody)
    plane.begin()
    organization = new_organization(plane.universe, body.name, body.email)
    for name in body.profiles:
        new_profile(plane.universe, organization, name)
    await plane.finish()
    return answer(_organization_json(plane.universe, organization))


@post("/oauth/organizations/{organization_id:str}/profiles", status_code=200)
async def add_profile(
    organization_id: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]
) -> Response[bytes]:
    body = await read(request, ProfileBody)
    plane.begin()
    organization = plane.find(Organization, organization_id)
    new_profile(plane.universe, organization, body.name)
    await plane.finish()
    return answer(_organization_json(plane.universe, organization))


@post("/oauth/organizations/{organization_id:str}/onboarding", status_code=200)
async def set_onboarding(
    organization_id: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]
) -> Response[bytes]:
    body = await read(request, OnboardingBody)
    plane.begin()
    through = body.status == "completed"
    payments, settlements = body.can_receive_payments, body.can_receive_settlements
    organization = replace(
        plane.find(Organization, organization_id),
        onboarding=body.status,
        can_receive_payments=through if payments is None else payments,
        can_receive_settlements=through if settlements is None else settlements,
    )
    plane.universe.put(organization)
    await plane.finish()
    return answer(_organization_json(plane.universe, organization))


@post("/oauth/allow", status_code=200)
async def allow_client(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    """As pressing "Allow" on the page does; the code is in the answer."""
    body = await read(request, AllowBody)
    plane.begin()
    client = _client(plane, body.client_id)
    organization = plane.find(Organization, body.organization_id)
    scopes = tuple(dict.fromkeys(body.scope.split()))
    if not scopes or not SCOPES.issuperset(scopes):
        raise ControlProblem(422, f"The scope must be some of: {' '.join(sorted(SCOPES))}")
    if body.redirect_uri not in (None, client.redirect_uri):
        raise ControlProblem(422, "The redirectUri is not the one of the app.")
    grant = allow(plane.universe, client, organization, scopes, body.redirect_uri)
    await plane.finish()
    return answer({"code": grant.id})


@post("/oauth/shut-out", status_code=200)
async def shut_client_out(request: AnyRequest, plane: NamedDependency[Plane]) -> Response[bytes]:
    """As the merchant who takes every permission of the app back."""
    body = await read(request, ShutOutBody)
    plane.begin()
    client = _client(plane, body.client_id)
    organization = plane.find(Organization, body.organization_id)
    count = shut_out(plane.universe, client.id, organization.id)
    await plane.finish()
    return answer({"revoked": count})


@get("/oauth")
async def show_connect(plane: NamedDependency[Plane]) -> Response[bytes]:
    await plane.finish()
    universe = plane.universe
    shelves = universe.world(CONNECT)
    return answer(
        {
            "clients": [_client_json(one) for one in shelves.shelf(OAuthClient).values()],
            "organizations": [_organization_json(universe, o) for o in organizations(universe)],
            "grants": [_grant_json(universe, grant) for grant in universe.newest(Grant)],
        }
    )


def _client(plane: Plane, id: str) -> OAuthClient:
    if (client := plane.universe.find(OAuthClient, id)) is None:
        raise ControlProblem(404, f"There is no app {id}.")
    return client


def _client_json(client: OAuthClient) -> Json:
    return {"clientId": client.id, "redirectUri": client.redirect_uri}


def _organization_json(universe: Universe, organization: Organization) -> Json:
    return {
        "id": organization.id,
        "name": organization.name,
        "email": organization.email,
        "onboarding": organization.onboarding,
        "canReceivePayments": organization.can_receive_payments,
        "canReceiveSettlements": organization.can_receive_settlements,
        "profiles": [
            {"id": profile.id, "name": profile.name}
            for profile in profiles_of(universe, organization.id)
        ],
    }


def _grant_json(universe: Universe, grant: Grant) -> Json:
    tokens = universe.world(CONNECT).of(AccessToken, grant.id)
    return {
        "clientId": grant.client_id,
        "organizationId": grant.organization_id,
        "scope": " ".join(grant.scopes),
        "createdAt": stamp(grant.created_at),
        "exchangedAt": None if grant.exchanged_at is None else stamp(grant.exchanged_at),
        "revokedAt": None if grant.revoked_at is None else stamp(grant.revoked_at),
        "refreshToken": masked(grant.refresh_token),
        "accessTokens": [_token_json(token) for token in tokens],
    }


def _token_json(token: AccessToken) -> Json:
    return {
        "accessToken": masked(token.id),
        "expiresAt": stamp(token.created_at + TOKEN_LIVES),
        "revokedAt": None if token.revoked_at is None else stamp(token.revoked_at),
    }


ROUTES: Final[tuple[Any, ...]] = (
    register_client,
    add_organization,
    add_profile,
    set_onboarding,
    allow_client,
    shut_client_out,
    show_connect,
)
