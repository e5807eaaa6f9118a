"""Who is calling: an API key, which has its mode in its name, or an access token, which is told it.

A key must not send `testmode` and `profileId`; a token must, where they matter.
"""

import re
from dataclasses import replace
from typing import Any, Final

from app.sandbox.mollie.access import access_of, profiles_of
from app.sandbox.mollie.calls import Call
from app.sandbox.mollie.connect_objects import Access
from app.sandbox.mollie.problems import ApiProblem, refused
from app.sandbox.mollie.scopes import (
    NEEDED,
    ONLY_TOKENS,
    PROFILE_NEEDED,
    PROFILE_POSSIBLE,
    WITHOUT_MODE,
)
from app.sandbox.mollie.world import Universe

_BEARER: Final = re.compile(r"(?i:Bearer) ((?:test|live|access)_\w{1,200})", re.ASCII)
_HEADER_LENGTH_MAX: Final = 255


def credential(headers: dict[str, str], universe: Universe) -> str:
    """The key or token. One that is over is refused here, before anything is remembered by it."""
    given = headers.get("authorization", "")
    match = _BEARER.fullmatch(given) if len(given) <= _HEADER_LENGTH_MAX else None
    if match is None:
        raise ApiProblem(401, "Missing authentication, or failed to authenticate")
    access_of(universe, match[1])
    return match[1]


def admitted(call: Call, key: str, method: str, operation: str) -> Call:
    """The call in the world of its caller, without what only said which world that is."""
    access = access_of(call.universe, key)
    if access is None:
        if operation in ONLY_TOKENS:
            raise ApiProblem(403, "This is only possible with an access token")
        return call
    _check_scope(access, operation)
    said: dict[str, Any] = call.query if method == "GET" else call.body
    testmode = False if operation in WITHOUT_MODE else said.pop("testmode", None) or False
    if testmode not in (True, False, "true", "false"):
        raise refused("The 'testmode' field should be true or false", "testmode")
    profile = _profile(call.universe, access, operation, said)
    mode = "test" if testmode in (True, "true") else "live"
    # A token's two modes are told apart like two keys with the same tail.
    world = call.universe.world(f"{mode}_{access.account}")
    return replace(call, world=world, profile_id=profile, access=access)


def _check_scope(access: Access, operation: str) -> None:
    needed = NEEDED.get(operation)
    if access.scopes is not None and needed is not None and needed not in access.scopes:
        detail = f"The access token does not have the permission {needed} that this call needs"
        raise ApiProblem(403, detail)


def _profile(
    universe: Universe, access: Access, operation: str, said: dict[str, Any]
) -> str | None:
    if operation not in PROFILE_POSSIBLE:
        return None
    profile = said.pop("profileId", None)
    if profile is None:
        if operation in PROFILE_NEEDED:
            raise refused("The 'profileId' field is required", "profileId")
        return None
    if not (isinstance(profile, str) and profile.startswith("pfl_")):
        raise refused("The 'profileId' field is invalid", "profileId")
    # An organisation's own token stands for an account that nobody has furnished: any will do.
    if access.organization_id is not None:
        own = {one.id for one in profiles_of(universe, access.organization_id)}
        if profile not in own:
            raise refused(f"No profile exists with token {profile}.", "profileId")
    return profile
