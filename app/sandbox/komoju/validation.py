"""Reading a call strictly: what KOMOJU does not document, it is refused by name here.

KOMOJU may well ignore what it does not know; a caller that depends on that would never notice a
misspelt field.
"""

import re
from collections.abc import Mapping, Set
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from app.sandbox.komoju.money import AMOUNT_MAX, CURRENCIES
from app.sandbox.komoju.problems import missing, refused

METADATA_KEY_MAX: Final = 30
METADATA_VALUE_MAX: Final = 2000
LOCALES: Final = frozenset({"ja", "en", "ko"})
_URL: Final = re.compile(r"https?://[^\s\x00-\x1f\x7f\"<>\\]+", re.IGNORECASE)
_URL_LENGTH_MAX: Final = 2048


def known_only(given: Mapping[str, Any], allowed: Set[str], within: str = "") -> None:
    for name in given:
        if name not in allowed:
            raise refused(f"{within}{name} is not a parameter of this call", f"{within}{name}")


def text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise refused(f"{name} must be a string", name)
    return value


def one_of(body: Mapping[str, Any], name: str, allowed: Set[str]) -> str | None:
    value = text(body, name)
    if value is not None and value not in allowed:
        raise refused(f"{name} must be one of {', '.join(sorted(allowed))}", name)
    return value


def whole_number(
    body: Mapping[str, Any], name: str, least: int, most: int = AMOUNT_MAX
) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise refused(f"{name} must be an integer", name)
    if not least <= value <= most:
        raise refused(f"{name} must be from {least} to {most}", name)
    return value


def required_number(body: Mapping[str, Any], name: str, least: int) -> int:
    if (value := whole_number(body, name, least)) is None:
        raise missing(name)
    return value


def flag(body: Mapping[str, Any], name: str, default: bool) -> bool:
    value = body.get(name, default)
    # A form has only texts.
    if value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, bool):
        raise refused(f"{name} must be true or false", name)
    return value


def currency(body: Mapping[str, Any]) -> str:
    if (value := text(body, "currency")) is None:
        raise missing("currency")
    if value not in CURRENCIES:
        raise refused(f"{value} is not a currency that KOMOJU accepts", "currency")
    return value


def metadata(body: Mapping[str, Any]) -> dict[str, str]:
    value = body.get("metadata")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refused("metadata must be an object", "metadata")
    for name, written in value.items():
        if len(name) > METADATA_KEY_MAX:
            raise refused(f"A key of metadata has at most {METADATA_KEY_MAX} letters", "metadata")
        if not isinstance(written, str) or len(written) > METADATA_VALUE_MAX:
            message = f"A value of metadata is a string of at most {METADATA_VALUE_MAX} letters"
            raise refused(message, "metadata")
    return value


def url(body: Mapping[str, Any], name: str) -> str | None:
    if (value := text(body, name)) is None:
        return None
    try:
        is_url = _URL.fullmatch(value) is not None and urlsplit(value).hostname is not None
        _ = urlsplit(value).port
    except ValueError:
        is_url = False
    if not is_url or len(value) > _URL_LENGTH_MAX:
        raise refused(f"{name} must be an http or https URL", name)
    return value


def moment(query: Mapping[str, str], name: str) -> datetime | None:
    if (value := query.get(name)) is None:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise refused(f"{name} must be a time such as 2026-01-31T00:00:00Z", name) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
