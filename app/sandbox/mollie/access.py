"""What an access token opens: an organisation's account, as far as somebody has allowed it.

A token from the token endpoint ends with its hour or its revocation. Any other `access_...` is an
organisation's own token, may do everything and opens an account of its own, as every API key does.

Whether an `Idempotency-Key` outlives the token it came with is not said: here it does not, so
that a call repeated after a refresh is a new call.
"""

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from app.sandbox.mollie.connect_objects import (
    CONNECT,
    TOKEN_LIVES,
    Access,
    AccessToken,
    Grant,
    Organization,
    Profile,
)
from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.mollie.world import Universe

ACCESS: Final = "access_"
_DIGITS: Final = "0123456789"


def access_of(universe: Universe, credential: str) -> Access | None:
    """None: an API key. A token that is over is as good as none: 401."""
    if not credential.startswith(ACCESS):
        return None
    token = universe.find(AccessToken, credential)
    if token is None:
        return Access(account=credential)
    grant = universe.find(Grant, token.grant_id)
    if grant is None or not is_alive(token, grant, universe.clock.now()):
        raise ApiProblem(401, "Missing authentication, or failed to authenticate")
    organization = universe.find(Organization, grant.organization_id)
    assert organization is not None
    return Access(
        account=organization.account,
        organization_id=organization.id,
        client_id=grant.client_id,
        scopes=frozenset(grant.scopes),
    )


def is_alive(token: AccessToken, grant: Grant, at: datetime) -> bool:
    if token.revoked_at is not None or grant.revoked_at is not None:
        return False
    return at < token.created_at + TOKEN_LIVES


def new_organization(
    universe: Universe, name: str, email: str, account: str | None = None
) -> Organization:
    """With one profile, the one that all its worlds have by themselves."""
    number = "".join(random.choices(_DIGITS, k=8))
    # No API key can be spelled with a colon, so none can open this account.
    organization = Organization(
        id=f"org_{number}",
        key=CONNECT,
        created_at=universe.clock.now(),
        account=account or f"org:{number}",
        name=name,
        email=email,
    )
    universe.put(organization)
    own = universe.world(f"live_{organization.account}").profile_id
    new_profile(universe, organization, name, own)
    return organization


def new_profile(
    universe: Universe, organization: Organization, name: str, id: str | None = None
) -> Profile:
    profile = Profile(
        id=id or universe.new_id("pfl", 10),
        key=CONNECT,
        created_at=universe.clock.now(),
        organization_id=organization.id,
        name=name,
        website="https://shop.example.org",
        email=organization.email,
    )
    universe.put(profile)
    return profile


def organization_of(universe: Universe, access: Access) -> Organization:
    """Whom the token belongs to; one that nobody has issued becomes somebody when it asks."""
    if access.organization_id is not None:
        found = universe.find(Organization, access.organization_id)
        assert found is not None
        return found
    for organization in organizations(universe):
        if organization.account == access.account:
            return organization
    return new_organization(universe, "Sandbox shop", "shop@example.org", access.account)


def organizations(universe: Universe) -> Iterator[Organization]:
    yield from universe.world(CONNECT).shelf(Organization).values()


def profiles_of(universe: Universe, organization_id: str) -> list[Profile]:
    return universe.world(CONNECT).of(Profile, organization_id)
