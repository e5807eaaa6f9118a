"""The form on which a shopper tells us what a session asks for: read from a request, and shown.

Fields are named as what they fill: `billing.city`, `tax_id`, `consent`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from msgspec import Struct
from msgspec.structs import replace

from app.pages.languages import Language
from domain.checkout.collection import (
    AddressForm,
    AddressRules,
    Collected,
    Fault,
    Reason,
    TaxIds,
    Told,
)
from domain.checkout.session import CheckoutSession
from domain.payments.address import Address

FIELDS_MAX: Final = 60
CHARS_MAX: Final = 200
"""Of one field: longer than any address line, shorter than a story."""
_NAMES: Final = ("given_name", "family_name", "organization_name")
_AUTOCOMPLETE: Final = {
    "given_name": "given-name",
    "family_name": "family-name",
    "organization_name": "organization",
    "line1": "address-line1",
    "line2": "address-line2",
    "postal_code": "postal-code",
    "city": "address-level2",
    "state": "address-level1",
    "country": "country",
}
_PREFIXES: Final = {"billingAddress": "billing", "shippingAddress": "shipping"}
TAX_ID_EXAMPLES: Final = {"DE": "DE123456789", "NL": "NL123456789B01", "FR": "FR12345678901"}
"""With wrong check digits: nobody gets his tax off by copying one."""

Filled = Mapping[str, str]


class Field(Struct, frozen=True, kw_only=True):
    id: str
    label: str
    value: str = ""
    required: bool = False
    hint: str | None = None
    fault: str | None = None
    autocomplete: str | None = None
    choices: Sequence[tuple[str, str]] = ()
    empty: str | None = None
    length: int = CHARS_MAX


class FaultView(Struct, frozen=True):
    id: str
    text: str


def filled_in(body: bytes) -> Filled:
    """Of a form's body. What is no form says nothing."""
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=FIELDS_MAX)
    except ValueError:
        return {}
    return {name: value.strip()[:CHARS_MAX].replace("\x00", "") for name, value in pairs}


def told(filled: Filled, session: CheckoutSession, ip: str | None, language: Language) -> Told:
    asks = session.terms.asks
    elsewhere = not asks.billing_address or filled.get("ship_to_billing") != "yes"
    return Told(
        billing_address=_address(filled, "billing") if asks.billing_address else None,
        shipping_address=(
            _address(filled, "shipping") if asks.shipping_address and elsewhere else None
        ),
        tax_id_country=filled.get("tax_id_country"),
        tax_id_number=filled.get("tax_id", ""),
        agrees=filled.get("consent") == "yes",
        ip=ip,
        locale=language.code,
    )


def _address(filled: Filled, prefix: str) -> Address:
    def field(name: str) -> str:
        return filled.get(f"{prefix}.{name}", "")

    return Address(
        given_name=field("given_name"),
        family_name=field("family_name"),
        organization_name=field("organization_name") or None,
        line1=field("line1"),
        line2=field("line2") or None,
        postal_code=field("postal_code") or None,
        city=field("city") or None,
        state=field("state") or None,
        country=field("country"),
    )


def filled_from(collected: Collected) -> Filled:
    """What was told before, to be changed."""
    filled = {"consent": "yes"} if collected.consent else {}
    for prefix, address in (
        ("billing", collected.billing_address),
        ("shipping", collected.shipping_address),
    ):
        for name in _AUTOCOMPLETE if address else ():
            filled[f"{prefix}.{name}"] = getattr(address, name) or ""
    if collected.tax_id is not None:
        filled["tax_id"], filled["tax_id_country"] = (
            collected.tax_id.number,
            collected.tax_id.country,
        )
    if collected.shipping_address == collected.billing_address:
        filled["ship_to_billing"] = "yes"
    return filled


class DetailsForm:
    """What the template shows. `home`: the country to begin with."""

    def __init__(self, rules: AddressRules, tax_ids: TaxIds, language: Language, home: str) -> None:
        self._rules, self._tax_ids, self._home = rules, tax_ids, home
        self._language, self._say = language, language.say

    def values(
        self, session: CheckoutSession, filled: Filled, faults: Sequence[Fault] = ()
    ) -> dict[str, Any]:
        asks, terms = session.terms.asks, session.terms
        views = {_id_of(fault.field): self._fault_here(fault) for fault in faults}
        is_new = not filled
        return {
            "faults": [FaultView(_id_of(f.field), self._fault(f, filled)) for f in faults],
            "billing": self._address("billing", filled, views) if asks.billing_address else None,
            "shipping": (
                self._address("shipping", filled, views) if asks.shipping_address else None
            ),
            "ship_to_billing": is_new or filled.get("ship_to_billing") == "yes",
            "tax_id": self._tax_id(session, filled, views),
            "consent": self._consent(terms.terms_of_service_url, filled, views)
            if asks.consent
            else None,
        }

    def _address(self, prefix: str, filled: Filled, faults: Mapping[str, str]) -> dict[str, Any]:
        country = self._country(filled.get(f"{prefix}.country"))
        form = self._rules.form(country)
        choices = self._language.countries(self._rules.countries())
        names = [self._field(prefix, name, form, filled, faults) for name in _NAMES]
        return {
            "name": prefix,
            "country": replace(
                self._field(prefix, "country", form, {}, faults), value=country, choices=choices
            ),
            "names": names[:2],
            "organization": names[2],
            "lines": [self._field(prefix, name, form, filled, faults) for name in form.lines],
        }

    def _country(self, told: str | None) -> str:
        return told if told in self._rules.countries() else self._home

    def _field(
        self, prefix: str, name: str, form: AddressForm, filled: Filled, faults: Mapping[str, str]
    ) -> Field:
        id = f"{prefix}.{name}"
        is_required = name in form.required or name in ("given_name", "family_name", "country")
        example = form.postal_code_example if name == "postal_code" else None
        is_choice = name == "state" and form.states
        return Field(
            id=id,
            label=self._label(name, form),
            value=filled.get(id, ""),
            required=is_required,
            hint=example and self._say("example", example=example),
            fault=faults.get(id),
            autocomplete=f"{prefix} {_AUTOCOMPLETE[name]}",
            choices=sorted(form.states.items(), key=lambda s: s[1]) if is_choice else (),
            empty=self._say("choose") if is_choice else None,
        )

    def _label(self, name: str, form: AddressForm) -> str:
        words = self._language.words
        if name == "state":
            return str(words["state_words"][form.state_word])
        if name == "postal_code":
            return str(words["postal_code_words"][form.postal_code_word])
        return self._say(name)

    def _asks_tax_id(self, session: CheckoutSession, filled: Filled) -> bool:
        asks = session.terms.asks
        if not asks.tax_id or not asks.billing_address:
            return asks.tax_id
        return self._country(filled.get("billing.country")) in self._tax_ids.countries()

    def _tax_id(
        self, session: CheckoutSession, filled: Filled, faults: Mapping[str, str]
    ) -> dict[str, Any] | None:
        if not self._asks_tax_id(session, filled):
            return None
        number = Field(
            id="tax_id",
            label=self._say("tax_id"),
            value=filled.get("tax_id", ""),
            required=session.terms.is_tax_id_collection_required,
            hint=self._say("tax_id_hint", example=self._tax_id_example(filled)),
            fault=faults.get("tax_id"),
        )
        if session.terms.asks.billing_address:  # which says the country
            return {"country": None, "number": number}
        countries = self._tax_ids.countries()
        home = self._home if self._home in countries else countries[0]
        country = Field(
            id="tax_id_country",
            label=self._say("tax_id_country"),
            value=filled.get("tax_id_country", home),
            choices=self._language.countries(countries),
        )
        return {"country": country, "number": number}

    def _tax_id_example(self, filled: Filled) -> str:
        country = self._country(filled.get("billing.country") or filled.get("tax_id_country"))
        return TAX_ID_EXAMPLES.get(country, TAX_ID_EXAMPLES["DE"])

    def _consent(
        self, url: str | None, filled: Filled, faults: Mapping[str, str]
    ) -> dict[str, Any]:
        before, _, after = str(self._language.words["agree"]).partition("{terms}")
        return {
            "url": url,
            "before": before,
            "after": after,
            "checked": filled.get("consent") == "yes",
            "fault": faults.get("consent"),
        }

    def _fault_here(self, fault: Fault) -> str:
        """Beside the field, which has its name already."""
        if fault.field == "consent":
            return self._say("consent_missing")
        return self._say("missing_here" if fault.reason is Reason.REQUIRED else "wrong_here")

    def _fault(self, fault: Fault, filled: Filled) -> str:
        if fault.field == "consent":
            return self._say("consent_missing")
        word = "missing" if fault.reason is Reason.REQUIRED else "wrong"
        return self._say(word, field=self._name_of(fault.field, filled))

    def _name_of(self, field: str, filled: Filled) -> str:
        if field == "taxId":
            return self._say("tax_id")
        owner, _, name = field.partition(".")
        prefix = _PREFIXES[owner]
        form = self._rules.form(self._country(filled.get(f"{prefix}.country")))
        owner = self._say(f"{prefix}_address")
        if not name:
            return owner
        label = self._label(name, form)
        return label if prefix == "billing" else f"{owner}, {label}"


def _id_of(field: str) -> str:
    """The input to blame."""
    if field == "taxId":
        return "tax_id"
    owner, _, name = field.partition(".")
    return f"{_PREFIXES[owner]}.{name or 'country'}" if owner in _PREFIXES else field
