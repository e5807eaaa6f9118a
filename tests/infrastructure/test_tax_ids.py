"""Tax ids are checked by their form alone, country by country."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.reverse_charge import EU
from domain.checkout.collection import TaxId
from infrastructure.tax_ids import StdnumTaxIds

TAX_IDS = StdnumTaxIds()


@pytest.mark.parametrize(
    ("country", "written", "usual"),
    [
        ("DE", "DE136695976", "DE136695976"),
        ("DE", "136 695 976", "DE136695976"),
        ("NL", "nl 1234.56782.b12", "NL123456782B12"),
        ("FR", "Fr 40 303 265 045", "FR40303265045"),
        ("GR", "094259216", "EL094259216"),
        ("GR", "EL094259216", "EL094259216"),
        ("AT", "ATU13585627", "ATU13585627"),
        ("ES", "ESB58378431", "ESB58378431"),
        ("CH", "CHE-107.787.577 IVA", "CHE107787577IVA"),
        ("GB", "GB 980 7806 84", "GB980780684"),
        ("NO", "NO 995 525 828 MVA", "NO995525828MVA"),
    ],
)
def test_however_it_is_written_it_is_kept_in_one_form(country: str, written: str, usual: str):
    assert TAX_IDS.check(country, written) == TaxId(country, usual)


@pytest.mark.parametrize(
    ("country", "number"),
    [("DE", "DE136695977"), ("DE", "NL123456782B12"), ("NL", ""), ("US", "12-3456789"), ("", "x")],
)
def test_what_has_not_the_countrys_form_is_none(country: str, number: str):
    assert TAX_IDS.check(country, number) is None


def test_all_of_the_union_and_some_neighbours_can_be_checked():
    assert set(TAX_IDS.countries()) > EU


@given(st.sampled_from(TAX_IDS.countries()), st.text(max_size=40))
def test_any_text_is_a_tax_id_or_none(country: str, number: str):
    found = TAX_IDS.check(country, number)
    assert found is None or TAX_IDS.check(country, found.number) == found
