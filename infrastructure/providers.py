"""All payment providers by name: the one place that lists them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from domain.payments.payment_provider import ProviderName
from domain.payments.ports import Credentials, Provider, Vault
from infrastructure.budget import CALLS_PER_S, RateBudget
from infrastructure.komoju import provider as komoju
from infrastructure.komoju.client import KomojuClient
from infrastructure.komoju.credentials import KomojuCredentials
from infrastructure.mollie import provider as mollie
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.credentials import MollieCredentials

CREDENTIALS: Final[Credentials] = {
    ProviderName.MOLLIE: MollieCredentials(),
    ProviderName.KOMOJU: KomojuCredentials(),
}


@dataclass(frozen=True, slots=True)
class Clients:
    """The connections to all of them."""

    mollie: MollieClient
    komoju: KomojuClient

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with self.mollie.open(), self.komoju.open():
            yield

    def providers(self, vault: Vault) -> dict[ProviderName, Provider]:
        return {
            ProviderName.MOLLIE: mollie.connect(self.mollie),
            ProviderName.KOMOJU: komoju.connect(self.komoju, vault),
        }


def clients(
    vault: Vault,
    addresses: tuple[str, str],
    timeout_s: float,
    calls_per_s: float = CALLS_PER_S,
) -> Clients:
    """`addresses`: Mollie's, and KOMOJU's."""
    mollie_url, komoju_url = addresses
    return Clients(
        MollieClient(mollie_url, vault, timeout_s, budget=RateBudget(calls_per_s)),
        KomojuClient(komoju_url, vault, timeout_s, budget=RateBudget(calls_per_s)),
    )
