"""The parameters of a payment that one method only knows, held to their type.

They are read and, but for the due date, do nothing here: no bank or wallet is asked.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from app.sandbox.mollie.calls import Call
from app.sandbox.mollie.problems import refused
from app.sandbox.mollie.validation import iso_date, text
from app.sandbox.words import words

_TEXTS: Final = (
    "issuer",
    "applePayPaymentToken",
    "googlePayPaymentToken",
    "cardToken",
    "voucherNumber",
    "voucherPin",
    "sessionId",
    "customerReference",
    "terminalId",
    "consumerName",
    "billingEmail",
)
_YES_OR_NO: Final = ("storeCredentials", "digitalGoods")
_COMPANY: Final = words("registrationNumber vatNumber entityType")
NAMES: Final = frozenset(
    {*_TEXTS, *_YES_OR_NO, "company", "consumerDateOfBirth", "extraMerchantData"}
)
_DUE_DAYS_MAX: Final = 101  # a hundred days after tomorrow
_SATURDAY: Final = 5


def check_extras(call: Call, chosen: tuple[str, ...], sequence: str) -> None:
    body = call.body
    for name in _TEXTS:
        text(body, name)
    for name in _YES_OR_NO:
        if not isinstance(body.get(name, False), bool):
            raise refused(f"The '{name}' field should be true or false", name)
    for name in ("company", "extraMerchantData"):
        if not isinstance(body.get(name) or {}, dict):
            raise refused(f"The '{name}' field should be an object", name)
    for part in body.get("company") or {}:
        if part not in _COMPANY:
            field = f"company.{part}"
            raise refused(f'Non-existent body parameter "{field}" for this API call.', field)
        _company_part(body["company"], part)
    born = iso_date(body, "consumerDateOfBirth")
    if born is not None and born > call.at.date():
        raise refused("The 'consumerDateOfBirth' field is invalid", "consumerDateOfBirth")
    _check_card(call, chosen, sequence)


def _company_part(company: dict[str, Any], part: str) -> None:
    if not isinstance(company[part], str):
        raise refused(f"The '{part}' field should be a string", f"company.{part}")


def _check_card(call: Call, chosen: tuple[str, ...], sequence: str) -> None:
    # Below a customer the path says who it is.
    body = {"customerId": call.ids[0], **call.body} if call.ids else call.body
    if body.get("cardToken") is not None and sequence == "recurring":
        raise refused("A card token is only for oneoff and first payments", "cardToken")
    if not body.get("storeCredentials"):
        return
    for name in ("customerId", "cardToken"):
        if body.get(name) is None:
            raise refused(f"The '{name}' field is missing", name)
    if chosen != ("creditcard",):
        raise refused("Credentials are only stored for the method creditcard", "method")


def due_date(call: Call) -> str | None:
    """From tomorrow on, for a hundred days; a weekend's day becomes the Monday after."""
    given = iso_date(call.body, "dueDate")
    if given is None:
        return None
    if not 1 <= (given - call.at.date()).days <= _DUE_DAYS_MAX:
        raise refused("The 'dueDate' field should be at least tomorrow", "dueDate")
    return _business_day(given).isoformat()


def end_of(due: str) -> datetime:
    """Midnight at the beginning of the business day after the due date."""
    after = _business_day(date.fromisoformat(due) + timedelta(days=1))
    return datetime.combine(after, time(tzinfo=UTC))


def _business_day(day: date) -> date:
    return day if day.weekday() < _SATURDAY else day + timedelta(days=7 - day.weekday())
