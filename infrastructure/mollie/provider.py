"""Mollie as a provider: all its ports over one client."""

from typing import Final

from domain.kernel.money import EXPONENTS
from domain.payments.connect import ConnectPort
from domain.payments.ports import Provider
from infrastructure.mollie.access import MollieAccess
from infrastructure.mollie.captures import MollieCaptures
from infrastructure.mollie.chargebacks import MollieChargebacks
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.customers import MollieCustomers
from infrastructure.mollie.fees import fee_max
from infrastructure.mollie.forms import MollieForms
from infrastructure.mollie.mandates import MollieMandates
from infrastructure.mollie.parameter_rules import MollieParameters
from infrastructure.mollie.payments import MolliePayments
from infrastructure.mollie.refunds import MollieRefunds

# Mollie remembers a key for 60 minutes. Ten of them are for clocks that differ, and for a call
# that is decided on in the last minute.
KEY_WINDOW_S: Final = 3000
# Within an hour Mollie takes a refund of the same amount on the same payment for a mistake.
REFUND_REPEATABLE_AFTER_S: Final = 3660
# Of all that we know, only the won is not among its currencies.
CURRENCIES: Final = frozenset(EXPONENTS) - {"KRW"}
# The bank's system for authentication was away, or nobody could say what went wrong.
OWN_FAULTS: Final = frozenset({"authentication_unavailable_acs", "unknown_reason"})
# Of test and live payments alike. Mollie finds the organization by who is logged in.
PAYMENT_PAGE: Final = "https://my.mollie.com/dashboard/payments/{ref}"
_LOCALES: Final = (
    "ca_ES cs_CZ da_DK de_AT de_CH de_DE de_LU el_GR en_BE en_GB en_NL en_US es_ES fi_FI fr_BE "
    "fr_FR fr_LU hu_HU is_IS it_IT lt_LT lv_LV nb_NO nl_BE nl_NL pl_PL pt_PT sk_SK sl_SI sv_SE "
    "tr_TR"
)


def connect(client: MollieClient, consent: ConnectPort | None = None) -> Provider:
    return Provider(
        customers=MollieCustomers(client),
        payments=MolliePayments(client),
        refunds=MollieRefunds(client),
        forms=MollieForms(client),
        parameters=MollieParameters(),
        captures=MollieCaptures(client),
        chargebacks=MollieChargebacks(client),
        mandates=MollieMandates(client),
        access=MollieAccess(client),
        budget=client.budget,
        key_window_s=KEY_WINDOW_S,
        locales=frozenset(_LOCALES.split()),
        currencies=CURRENCIES,
        own_faults=OWN_FAULTS,
        refund_repeatable_after_s=REFUND_REPEATABLE_AFTER_S,
        connect=consent,
        application_fee_max=fee_max,
        payment_page=PAYMENT_PAGE,
    )
