"""Who is calling: an API key, which has its mode in its name, or an access token, which is told it.

A key must not send `testmode` and `profileId`; a token must, where they matter.
"""

import re
from dataclasses import replace
from typing import Any, Final

from app.sandbox.mollie.calls import Call
from app.sandbox.mollie.problems import ApiProblem, refused

_BEARER: Final = re.compile(r"(?i:Bearer) ((?:test|live|access)_\w{1,200})", re.ASCII)
_HEADER_LENGTH_MAX: Final = 255
_ACCESS: Final = "access_"
_PROFILE_NEEDED: Final = frozenset({"createPayment", "listPayments", "listMethods"})


def credential(headers: dict[str, str]) -> str:
    given = headers.get("authorization", "")
    match = _BEARER.fullmatch(given) if len(given) <= _HEADER_LENGTH_MAX else None
    if match is None:
        raise ApiProblem(401, "Missing authentication, or failed to authenticate")
    return match[1]


def admitted(call: Call, key: str, method: str, operation: str) -> Call:
    """The call in the world of its caller, without what only said which world that is."""
    if not key.startswith(_ACCESS):
        return call
    said: dict[str, Any] = call.query if method == "GET" else call.body
    testmode = said.pop("testmode", False)
    if testmode not in (True, False, "true", "false"):
        raise refused("The 'testmode' field should be true or false", "testmode")
    profile = said.pop("profileId", None)
    if profile is None and operation in _PROFILE_NEEDED:
        raise refused("The 'profileId' field is required", "profileId")
    if profile is not None and not (isinstance(profile, str) and profile.startswith("pfl_")):
        raise refused("The 'profileId' field is invalid", "profileId")
    mode = "test" if testmode in (True, "true") else "live"
    # A token's two modes are told apart like two keys with the same tail.
    world = call.universe.world(f"{mode}_{key}")
    return replace(call, world=world, profile_id=profile)
