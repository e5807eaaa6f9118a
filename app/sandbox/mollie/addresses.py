"""Addresses of a payment or a session: which parts they have, and who needs which.

Mollie says that an address "should" hold an e-mail address or a whole postal address; read strictly
here: without either it is refused.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from app.sandbox.mollie.countries import COUNTRIES
from app.sandbox.mollie.methods import Method
from app.sandbox.mollie.problems import refused
from app.sandbox.words import words

_KNOWN: Final = words(
    "title givenName familyName organizationName streetAndNumber streetAdditional postalCode "
    "email phone city region country"
)
_POSTAL: Final = ("streetAndNumber", "postalCode", "city", "country")
# Who is trusted to pay later has to be known.
_PAY_LATER: Final = ("givenName", "familyName", "email", *_POSTAL)
_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("alma", "in3", "klarna", "riverty"), _PAY_LATER),
    "billie": (*_PAY_LATER, "organizationName"),
}
_EMAIL: Final = re.compile(r"[^@\s]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def address(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    given = body.get(name)
    if given is None:
        return None
    if not isinstance(given, dict):
        raise refused(f"The '{name}' field should be an object", name)
    for part, value in given.items():
        _check_part(name, part, value)
    if not given.get("email") and not all(given.get(part) for part in _POSTAL):
        detail = f"The '{name}' field should hold an email or a postal address"
        raise refused(detail, name)
    return given


def _check_part(name: str, part: Any, value: Any) -> None:
    field = f"{name}.{part}"
    if part not in _KNOWN:
        raise refused(f'Non-existent body parameter "{field}" for this API call.', field)
    if value is None:
        return
    if not isinstance(value, str):
        raise refused(f"The '{field}' field should be a string", field)
    fits = {
        "email": lambda: _EMAIL.fullmatch(value) is not None,
        "phone": lambda: _PHONE.fullmatch(value) is not None,
        "country": lambda: value in COUNTRIES,
        "givenName": lambda: len(value) > 1 and not value.isdigit(),
        "familyName": lambda: len(value) > 1 and not value.isdigit(),
    }
    if part in fits and not fits[part]():
        raise refused(f"The '{field}' field is invalid", field)


def check_needs(billing: dict[str, Any] | None, chosen: Iterable[Method]) -> None:
    """What the one method that was chosen asks for."""
    for method in chosen:
        if method.needs_address and billing is None:
            raise refused("The 'billingAddress' field is missing", "billingAddress")
        for part in _NEEDS.get(method.id, ()):
            if not (billing or {}).get(part):
                field = f"billingAddress.{part}"
                raise refused(f"The '{field}' field is missing", field)
