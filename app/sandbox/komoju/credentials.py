"""Who is calling: HTTP Basic with a secret key as the user and no password."""

import base64
import binascii
import re
from typing import Final

from app.sandbox.komoju.problems import ApiProblem

_SECRET: Final = re.compile(r"sk_(?:test|live)_\w{1,200}", re.ASCII)
_HEADER_LENGTH_MAX: Final = 500
VERSION_HEADER: Final = "x-komoju-api-version"
# Those that its documentation has; any other would be a slip of the pen.
_VERSIONS: Final = frozenset({"2024-07-15", "2025-01-28"})


def is_secret(key: str) -> bool:
    return _SECRET.fullmatch(key) is not None


def credential(headers: dict[str, str]) -> str:
    scheme, _, encoded = headers.get("authorization", "")[:_HEADER_LENGTH_MAX].partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        user, password = "", ""
    if user.startswith("pk_"):
        raise ApiProblem(403, "A publishable key may not do this")
    if scheme.lower() != "basic" or password or not is_secret(user):
        raise ApiProblem(401, "User authorization failed")
    version = headers.get(VERSION_HEADER)
    if version is not None and version not in _VERSIONS:
        raise ApiProblem(400, f"There is no version {version[:20]} of this API")
    return user
