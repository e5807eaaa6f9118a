"""Splitting a payment between organisations: who gets which part of it.

A shop splits what it is paid itself (`routing`); an app takes a fee of what others are paid
(`applicationFee`), and only over OAuth.
"""

from typing import Any, Final

from app.sandbox.mollie.calls import Call
from app.sandbox.mollie.money import Amount
from app.sandbox.mollie.problems import refused
from app.sandbox.mollie.validation import amount, iso_date, text
from app.sandbox.words import words

_ROUTE: Final = words("amount destination releaseDate")
_DESTINATION: Final = words("type organizationId")
_FEE: Final = words("amount description")
_FEE_DESCRIPTION_MAX: Final = 255
# A fee may take the amount less 6 % and 0.35, and at least 0.01.
_KEPT_PERCENT, _KEPT_FIXED = 6, 35


def routes(body: dict[str, Any], total: Amount) -> list[dict[str, Any]] | None:
    given = body.get("routing")
    if given is None:
        return None
    if not isinstance(given, list) or not given:
        raise refused("The 'routing' field should be a list with at least one part", "routing")
    if body.get("applicationFee") is not None:
        raise refused("Either a routing or an application fee can be given", "routing")
    parts = [_part(place, part, total) for place, part in enumerate(given)]
    if sum(part.minor for part in parts) > total.minor:
        raise refused("The parts of the routing are more than the amount", "routing")
    return given


def _part(place: int, part: Any, total: Amount) -> Amount:
    field = f"routing.{place}"
    if not isinstance(part, dict):
        raise refused("A part of the routing should be an object", field)
    _known(part, _ROUTE, field)
    found = amount(part.get("amount"), f"{field}.amount")
    if found.currency != total.currency or found.minor <= 0:
        raise refused("The amount contains an invalid value", f"{field}.amount")
    where = part.get("destination")
    if not isinstance(where, dict):
        raise refused("The 'destination' field is missing", f"{field}.destination")
    _known(where, _DESTINATION, f"{field}.destination")
    if where.get("type") != "organization":
        raise refused("The 'type' field should be organization", f"{field}.destination.type")
    id = where.get("organizationId")
    if not isinstance(id, str) or not id.startswith("org_"):
        name = f"{field}.destination.organizationId"
        raise refused("The 'organizationId' field is invalid", name)
    iso_date(part, "releaseDate")
    return found


def application_fee(call: Call, total: Amount) -> dict[str, Any] | None:
    given = call.body.get("applicationFee")
    if given is None:
        return None
    if call.access is None or call.access.client_id is None:
        detail = "Unable to process application request for this account"
        raise refused(detail, "applicationFee")
    if not isinstance(given, dict):
        raise refused("The 'applicationFee' field should be an object", "applicationFee")
    _known(given, _FEE, "applicationFee")
    description = text(given, "description")
    if not description or len(description) > _FEE_DESCRIPTION_MAX:
        raise refused("The 'description' field is invalid", "applicationFee.description")
    fee = amount(given.get("amount"), "applicationFee.amount")
    if fee.currency != total.currency:
        raise refused("The amount contains an invalid currency", "applicationFee.amount.currency")
    # Which way the six percent are rounded is not said: the fee is never above the exact maximum.
    most = (total.minor * (100 - _KEPT_PERCENT) - 100 * _KEPT_FIXED) // 100
    if not 1 <= fee.minor <= most:
        raise refused("The application fee is higher than possible", "applicationFee.amount")
    return given


def _known(given: dict[str, Any], names: frozenset[str], field: str) -> None:
    for name in given:
        if name not in names:
            detail = f'Non-existent body parameter "{field}.{name}" for this API call.'
            raise refused(detail, f"{field}.{name}")
