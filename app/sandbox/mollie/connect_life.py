"""How an app gets into an account and out of it again: codes, refresh tokens, access tokens.

A code is good once and for 30 seconds. A refresh token stays as it is until it is revoked, and
takes its access tokens with it.
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from app.sandbox.mollie.connect_objects import (
    CODE_LIVES,
    CONNECT,
    AccessToken,
    Grant,
    OAuthClient,
    Organization,
)
from app.sandbox.mollie.world import Universe

_SECRET_LENGTH: Final = 30


class OAuthProblem(Exception):
    """The error form of OAuth, which the token endpoint has instead of Mollie's own."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


def allow(
    universe: Universe,
    client: OAuthClient,
    organization: Organization,
    scopes: tuple[str, ...],
    redirect_uri: str | None,
) -> Grant:
    """What "Allow" leaves behind: a code, to be exchanged within its seconds."""
    grant = Grant(
        id=universe.new_id("auth", _SECRET_LENGTH),
        key=CONNECT,
        created_at=universe.clock.now(),
        client_id=client.id,
        organization_id=organization.id,
        scopes=scopes,
        redirect_uri=redirect_uri,
        refresh_token=universe.new_id("refresh", _SECRET_LENGTH),
    )
    universe.put(grant)
    return grant


def shut_out(universe: Universe, client_id: str, organization_id: str) -> int:
    """Revoke whatever an organisation has allowed an app so far."""
    at, count = universe.clock.now(), 0
    for grant in universe.world(CONNECT).of(Grant, client_id):
        if grant.organization_id == organization_id and grant.revoked_at is None:
            universe.put(replace(grant, revoked_at=at))
            count += 1
    return count


def exchange(
    universe: Universe, client: OAuthClient, code: str, redirect_uri: str | None
) -> tuple[Grant, AccessToken]:
    at, grant = universe.clock.now(), universe.find(Grant, code)
    if grant is None or grant.client_id != client.id:
        raise OAuthProblem("invalid_grant", "Authorization code doesn't exist or is invalid")
    if grant.exchanged_at is not None:
        # Two have the code: OAuth advises to trust neither, and Mollie does not say otherwise.
        universe.put(replace(grant, revoked_at=grant.revoked_at or at))
        raise OAuthProblem("invalid_grant", "The authorization code has already been used")
    if grant.revoked_at is not None or at >= grant.created_at + CODE_LIVES:
        raise OAuthProblem("invalid_grant", "The authorization code has expired")
    if not _same_address(client, grant, redirect_uri):
        raise OAuthProblem("invalid_grant", "The redirect URI is not that of the authorization")
    grant = replace(grant, exchanged_at=at)
    universe.put(grant)
    return grant, _new_access(universe, grant, at)


def _same_address(client: OAuthClient, grant: Grant, said: str | None) -> bool:
    if grant.redirect_uri is None:
        return said in (None, client.redirect_uri)
    return said == grant.redirect_uri


def refresh(
    universe: Universe, client: OAuthClient, refresh_token: str
) -> tuple[Grant, AccessToken]:
    grant = _of_refresh_token(universe, client, refresh_token)
    if grant is None or grant.revoked_at is not None or grant.exchanged_at is None:
        raise OAuthProblem("invalid_grant", "Refresh token doesn't exist or is invalid")
    return grant, _new_access(universe, grant, universe.clock.now())


def revoke(universe: Universe, client: OAuthClient, token: str) -> None:
    """Of a refresh token: everything. One that is unknown, or another app's, is left alone."""
    at = universe.clock.now()
    access = universe.find(AccessToken, token)
    if access is not None:
        grant = universe.find(Grant, access.grant_id)
        if grant is not None and grant.client_id == client.id and access.revoked_at is None:
            universe.put(replace(access, revoked_at=at))
        return
    whole = _of_refresh_token(universe, client, token)
    if whole is not None and whole.revoked_at is None:
        universe.put(replace(whole, revoked_at=at))


def _of_refresh_token(universe: Universe, client: OAuthClient, token: str) -> Grant | None:
    for grant in universe.world(CONNECT).of(Grant, client.id):
        if grant.refresh_token == token:
            return grant
    return None


def _new_access(universe: Universe, grant: Grant, at: datetime) -> AccessToken:
    token = AccessToken(
        id=universe.new_id("access", _SECRET_LENGTH),
        key=CONNECT,
        created_at=at,
        grant_id=grant.id,
    )
    universe.put(token)
    return token
