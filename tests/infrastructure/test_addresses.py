"""Addresses are checked and shown as each country writes them."""

import pytest
from msgspec.structs import replace

from domain.checkout.collection import Reason
from domain.payments.address import Address
from infrastructure.addresses import GoogleAddressRules

RULES = GoogleAddressRules()
HOME = Address(
    given_name="Jane",
    family_name="Smith",
    line1="Damrak 1",
    postal_code="1012lg",
    city="Amsterdam",
    country="NL",
)


def test_an_address_comes_back_in_its_usual_form():
    assert RULES.check(HOME) == replace(HOME, postal_code="1012LG")


def test_every_country_has_a_form_and_no_other_code_has_one():
    for country in RULES.countries():
        form = RULES.form(country)
        assert "line1" in form.lines, country
        assert form.required <= set(form.lines), country
    for code in ("ZZ", "XK", "", "nl", "EU"):
        with pytest.raises(KeyError):
            RULES.form(code)
        assert RULES.check(replace(HOME, country=code)) == {"country": Reason.INVALID}


def test_there_are_the_countries_of_iso_3166():
    assert len(RULES.countries()) == 249


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"given_name": ""}, {"given_name": Reason.REQUIRED}),
        ({"line1": ""}, {"line1": Reason.REQUIRED}),
        ({"postal_code": "12345"}, {"postal_code": Reason.INVALID}),
        (
            {"postal_code": None, "city": None},
            {"postal_code": Reason.REQUIRED, "city": Reason.REQUIRED},
        ),
        ({"country": "US", "postal_code": "90210"}, {"state": Reason.REQUIRED}),
        ({"country": "US", "postal_code": "90210", "state": "XX"}, {"state": Reason.INVALID}),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, str | None], wrong: dict[str, Reason]):
    assert RULES.check(replace(HOME, **change)) == wrong


def test_a_state_may_be_written_out_and_is_kept_by_its_code():
    beach = replace(HOME, country="US", postal_code="90210", city="Malibu", state="california")
    found = RULES.check(beach)
    assert isinstance(found, Address)
    assert (found.state, found.city) == ("CA", "Malibu")


@pytest.mark.parametrize(
    ("country", "state", "code", "city"),
    [("BR", "SP", "01310-100", "Sao Paulo"), ("CN", "Guangdong Sheng", "510000", "Guangzhou")],
)
def test_a_town_is_taken_however_it_is_spelt(country: str, state: str, code: str, city: str):
    there = replace(HOME, country=country, state=state, postal_code=code, city=city)
    found = RULES.check(there)
    assert isinstance(found, Address)
    assert found.city == city


def test_states_are_named_in_letters_that_all_our_languages_write_in():
    for country in ("AE", "CN", "KR", "TH", "JP"):
        names = RULES.form(country).states.values()
        assert names and all(name.isascii() for name in names), country


def test_what_a_country_has_not_is_not_asked_for():
    assert "postal_code" not in RULES.form("HK").lines
    assert "city" not in RULES.form("SG").lines
    assert RULES.form("NL").states == {}


def test_the_fields_stand_in_the_countrys_order():
    assert RULES.form("DE").lines == ("line1", "line2", "postal_code", "city")
    assert RULES.form("JP").lines[0] == "postal_code"


@pytest.mark.parametrize("text", ["'; drop table x", "<b>", "🏠" * 50, "\u202eabc", "a\nb"])
def test_any_text_may_be_a_street(text: str):
    found = RULES.check(replace(HOME, line1=text))
    assert isinstance(found, Address)
    assert found.line1 == text.strip()
