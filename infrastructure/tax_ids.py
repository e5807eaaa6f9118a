"""The form of tax ids, by python-stdnum: length, pattern and check digits. Nobody is asked."""

import re
from functools import cache
from typing import Any, Final

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from domain.catalog.reverse_charge import EU
from domain.checkout.collection import TaxId

_OTHERS: Final = ("CH", "GB", "NO")
"""Neighbours of the union whose businesses buy there."""
_PREFIXES: Final = {"GR": "EL", "CH": "CHE"}
"""Where a tax id does not begin with the country's code."""


class StdnumTaxIds:
    """Implements `TaxIds`."""

    def countries(self) -> tuple[str, ...]:
        return tuple(sorted((*EU, *_OTHERS)))

    def check(self, country: str, number: str) -> TaxId | None:
        if country not in self.countries():
            return None
        prefix = _PREFIXES.get(country, country)
        bare = re.sub(r"[\s.\-/]", "", number).upper().removeprefix(prefix)
        module = _module(country)
        try:
            usual = str(module.validate(f"{prefix}{bare}" if country == "CH" else bare))
        except ValidationError:
            return None
        return TaxId(country, prefix + usual.removeprefix(prefix))


@cache
def _module(country: str) -> Any:
    module = get_cc_module(country.lower(), "vat")
    assert module is not None, country
    return module
