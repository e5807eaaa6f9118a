"""Reading a call strictly: what Mollie does not know, it refuses by name.

Each reader takes one field and answers its value or raises the 422 that names it.
"""

import difflib
import re
from collections.abc import Set
from datetime import date
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from app.sandbox.mollie.calls import Call
from app.sandbox.mollie.money import CURRENCIES, Amount, minor_units
from app.sandbox.mollie.problems import ApiProblem, refused
from app.sandbox.words import words

LOCALES: Final = words(
    "ca_ES cs_CZ da_DK de_AT de_CH de_DE de_LU el_GR en_BE en_GB en_NL en_US es_ES fi_FI fr_BE "
    "fr_FR fr_LU hu_HU is_IS it_IT lt_LT lv_LV nb_NO nl_BE nl_NL pl_PL pt_PT sk_SK sl_SI sv_SE "
    "tr_TR"
)
METADATA_BYTES_MAX: Final = 1024
# A browser runs these instead of going there; the hosted page links to what it was given.
_DANGEROUS: Final = frozenset({"javascript", "data", "vbscript", "file", "blob", "about"})
_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://[^\s\x00-\x1f\x7f\"<>\\]+")
_URL_LENGTH_MAX: Final = 2048


def known_only(call: Call, *, body: Set[str] = frozenset(), query: Set[str] = frozenset()) -> None:
    _refuse_unknown("body", call.body, body)
    _refuse_unknown("query", call.query, query)


def _refuse_unknown(where: str, given: dict[str, Any], allowed: Set[str]) -> None:
    for name in given:
        if name not in allowed:
            detail = f'Non-existent {where} parameter "{name}" for this API call.'
            if close := difflib.get_close_matches(name, sorted(allowed), n=1):
                detail += f' Did you mean: "{close[0]}"?'
            raise refused(detail, name)


def text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise refused(f"The '{name}' field should be a string", name)
    return value


def required_text(body: dict[str, Any], name: str) -> str:
    value = text(body, name)
    if value is None or not value.strip():
        raise refused(f"The '{name}' field is missing", name)
    return value


def whole_number(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise refused(f"The '{name}' field should be an integer", name)
    return value


def iso_date(body: dict[str, Any], name: str) -> date | None:
    if (value := text(body, name)) is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise refused(f"The '{name}' field should be a date: YYYY-MM-DD", name) from None


def amount(value: Any, field: str = "amount") -> Amount:
    if not isinstance(value, dict):
        raise refused(f"The '{field}' field should be an object", field)
    currency, written = value.get("currency"), value.get("value")
    for name in value:
        if name not in ("currency", "value"):
            raise refused(f'Non-existent body parameter "{field}.{name}" for this API call.', field)
    if currency is None:
        raise refused("The amount does not contain a currency", f"{field}.currency")
    if not isinstance(currency, str) or currency not in CURRENCIES:
        raise refused("The amount contains an invalid currency", f"{field}.currency")
    minor = minor_units(written, currency) if isinstance(written, str) else None
    if minor is None:
        raise refused("The amount contains an invalid value", f"{field}.value")
    return Amount(currency, minor)


def required_amount(body: dict[str, Any], what: str) -> Amount:
    if body.get("amount") is None:
        raise refused(f"The amount is required for {what}", "amount")
    return amount(body["amount"])


def locale(body: dict[str, Any]) -> str | None:
    value = text(body, "locale")
    if value is not None and value not in LOCALES:
        raise refused("The locale is invalid", "locale")
    return value


def metadata(body: dict[str, Any]) -> Any:
    value = body.get("metadata")
    if isinstance(value, bool):
        raise refused(
            "The 'metadata' field should be a string, number, object or array", "metadata"
        )
    if len(msgspec.json.encode(value)) > METADATA_BYTES_MAX:
        limit = METADATA_BYTES_MAX
        raise refused(f"The metadata storage is currently limited to {limit} bytes.", "metadata")
    return value


def url(body: dict[str, Any], name: str, what: str) -> str | None:
    """An absolute address. Apps may use schemes of their own, but none that runs code."""
    if (value := text(body, name)) is None:
        return None
    match = _URL.fullmatch(value)
    if match is None or match[1].lower() in _DANGEROUS or len(value) > _URL_LENGTH_MAX:
        raise refused(f"The {what} URL is invalid", name)
    try:
        _ = urlsplit(value).port
    except ValueError:
        raise refused(f"The {what} URL is invalid", name) from None
    return value


def webhook_url(call: Call) -> str | None:
    return webhook_url_of(call, call.body, "webhookUrl")


def webhook_url_of(call: Call, given: dict[str, Any], field: str) -> str | None:
    """The `webhookUrl` of a part of the body; `field` is its name in the whole."""
    try:
        value = url(given, "webhookUrl", "webhook")
    except ApiProblem as refusal:
        raise refused(refusal.detail, field) from None
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise refused("The webhook URL is invalid", field)
    if call.universe.settings.strict_webhook_url and _is_private(parts.hostname):
        raise refused(
            "The webhook URL is invalid because it is unreachable from Mollie's point of view.",
            field,
        )
    return value


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost", ".internal", ".test"))
