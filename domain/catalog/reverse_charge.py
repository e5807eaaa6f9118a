"""When a buyer owes the tax instead of the seller: a business in another member state of the EU.

Directive 2006/112/EC, articles 44 and 196. The seller's state is that of the tax rate; the buyer's
is that of its tax id. What is sold to businesses elsewhere in the world is taxed as the app says.
"""

from typing import Final

from msgspec.structs import replace

from domain.catalog.quote import Tax

_MEMBERS: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU: Final = frozenset(_MEMBERS.split())
"""ISO 3166. (Greece writes EL on its VAT ids.)"""


def charged_to(tax: Tax | None, tax_id_country: str | None) -> Tax | None:
    """The tax as it is charged to whoever has a tax id of this country; None: has none."""
    if tax is None or tax_id_country is None or tax.country is None:
        return tax
    abroad = tax.country != tax_id_country and {tax.country, tax_id_country} <= EU
    return replace(tax, is_reverse_charged=abroad)
