"""A constraint's name, in the domain's words. A violation nobody foresaw stays an error of ours."""

from collections.abc import Callable, Mapping
from typing import Final

import asyncpg

from domain.kernel.errors import Conflict, DomainError, NotFound, Refused

_BY_NAME: Final[Mapping[str, Callable[[], DomainError]]] = {
    "jwt_issuers_issuer_key": lambda: Conflict("the app has an issuer of this name already"),
    "prices_lookup_key_key": lambda: Conflict("another active price has this lookupKey"),
    "mandates_default_key": lambda: Conflict("another payment method became the default"),
    "payment_providers_default_key": lambda: Conflict("another account became the default"),
    "prices_product_fkey": lambda: NotFound("product", "of the price"),
    "prices_payment_provider_fkey": lambda: Refused(
        "no such payment provider", field="paymentProviderUuid"
    ),
    "tax_rates_payment_provider_fkey": lambda: Refused(
        "no such payment provider", field="paymentProviderUuid"
    ),
    "tax_rates_country_fkey": lambda: Refused("no such country", field="countryUuid"),
    "memberships_tenant_fkey": lambda: NotFound("tenant", "of the membership"),
}


def translated(error: asyncpg.IntegrityConstraintViolationError) -> Exception:
    known = _BY_NAME.get(error.constraint_name or "")
    return error if known is None else known()
