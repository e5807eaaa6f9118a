"""All payment providers by name: the one place that lists them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from domain.kernel.clock import Clock, Pause
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.access_tokens import AccessTokens
from domain.payments.connect import ConnectPort, ConnectTx
from domain.payments.payment_provider import ProviderName
from domain.payments.ports import Credentials, Provider, Vault
from infrastructure.budget import CALLS_PER_S, RateBudget
from infrastructure.komoju import provider as komoju
from infrastructure.komoju.client import KomojuClient
from infrastructure.komoju.credentials import KomojuCredentials
from infrastructure.mollie import provider as mollie
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.connect import MollieApp, MollieConnect, MollieTokenClient
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
    mollie_tokens: MollieTokenClient
    mollie_app: MollieApp

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with self.mollie.open(), self.komoju.open(), self.mollie_tokens.open():
            yield

    def keep_tokens(
        self, unit_of_work: UnitOfWork[ConnectTx], vault: Vault, clock: Clock, pause: Pause
    ) -> None:
        """Of accounts that their merchants have connected. Without it, only keys let us in."""
        connects: dict[ProviderName, ConnectPort] = {ProviderName.MOLLIE: self._mollie_connect()}
        self.mollie.tokens = AccessTokens(unit_of_work, connects, vault, clock, pause)

    def _mollie_connect(self) -> MollieConnect:
        return MollieConnect(self.mollie, self.mollie_tokens, self.mollie_app)

    def providers(self, vault: Vault) -> dict[ProviderName, Provider]:
        return {
            ProviderName.MOLLIE: mollie.connect(self.mollie, self._mollie_connect()),
            ProviderName.KOMOJU: komoju.connect(self.komoju, vault),
        }


def clients(
    vault: Vault,
    addresses: tuple[str, str],
    timeout_s: float,
    calls_per_s: float = CALLS_PER_S,
    mollie_app: MollieApp | None = None,
) -> Clients:
    """`addresses`: Mollie's, and KOMOJU's. `mollie_app`: what its merchants let in."""
    mollie_url, komoju_url = addresses
    return Clients(
        MollieClient(mollie_url, vault, timeout_s, budget=RateBudget(calls_per_s)),
        KomojuClient(komoju_url, vault, timeout_s, budget=RateBudget(calls_per_s)),
        MollieTokenClient(mollie_url, vault, timeout_s),
        mollie_app or MollieApp(),
    )
