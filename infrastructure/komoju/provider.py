"""KOMOJU as a provider: all its ports over one client."""

from typing import Final

from domain.payments.ports import Provider, Vault
from infrastructure.komoju.access import KomojuAccess
from infrastructure.komoju.chargebacks import KomojuChargebacks
from infrastructure.komoju.client import KomojuClient
from infrastructure.komoju.customers import KomojuCustomers
from infrastructure.komoju.details import LOCALES
from infrastructure.komoju.mandates import KomojuMandates
from infrastructure.komoju.notices import KomojuNotices
from infrastructure.komoju.payments import KomojuPayments
from infrastructure.komoju.refunds import KomojuRefunds
from infrastructure.komoju.wire import CURRENCIES, SLUGS, STORABLE

# KOMOJU remembers a key for 24 hours. One of them is for clocks that differ, and for a call that is
# decided on in the last minute.
KEY_WINDOW_S: Final = 82_800


def connect(client: KomojuClient, vault: Vault) -> Provider:
    # A session that failed does not say why: whose fault it was is never known.
    return Provider(
        customers=KomojuCustomers(),
        payments=KomojuPayments(client),
        refunds=KomojuRefunds(client),
        chargebacks=KomojuChargebacks(client),
        mandates=KomojuMandates(client),
        access=KomojuAccess(client),
        notices=KomojuNotices(vault),
        budget=client.budget,
        key_window_s=KEY_WINDOW_S,
        locales=frozenset(LOCALES),
        currencies=CURRENCIES,
        payment_methods=frozenset(SLUGS),
        storable_methods=STORABLE,
        stores_without_charge=True,
        chargebacks_change=False,
    )
