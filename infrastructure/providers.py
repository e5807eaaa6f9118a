"""All payment providers by name: the one place that lists them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
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
    mollie_connect: MollieConnect | None = None
    """None: no merchant can let us in."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.mollie.open())
            await stack.enter_async_context(self.komoju.open())
            if self.mollie_connect is not None:
                await stack.enter_async_context(self.mollie_connect.open())
            yield

    def keep_tokens(
        self, unit_of_work: UnitOfWork[ConnectTx], vault: Vault, clock: Clock, pause: Pause
    ) -> None:
        """Of accounts that their merchants have connected. Without it, only keys let us in."""
        if self.mollie_connect is not None:
            connects: dict[ProviderName, ConnectPort] = {ProviderName.MOLLIE: self.mollie_connect}
            self.mollie.tokens = AccessTokens(unit_of_work, connects, vault, clock, pause)

    def providers(self, vault: Vault) -> dict[ProviderName, Provider]:
        return {
            ProviderName.MOLLIE: mollie.connect(self.mollie, self.mollie_connect),
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
    client = MollieClient(mollie_url, vault, timeout_s, budget=RateBudget(calls_per_s))
    tokens = MollieTokenClient(mollie_url, vault, timeout_s)
    return Clients(
        client,
        KomojuClient(komoju_url, vault, timeout_s, budget=RateBudget(calls_per_s)),
        MollieConnect(client, tokens, mollie_app or MollieApp()),
    )
