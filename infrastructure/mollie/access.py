"""Whether Mollie lets an account in."""

from domain.kernel.errors import ProviderUnreadable
from domain.payments.payment_provider import PaymentProvider
from infrastructure.mollie.client import MollieClient
from infrastructure.provider_client import Call


class MollieAccess:
    """Implements `AccessPort`."""

    def __init__(self, client: MollieClient) -> None:
        self._client = client

    async def check(self, account: PaymentProvider) -> None:
        """A list of one payment is the cheapest thing that needs the credential."""
        if await self._client.read(account, Call(path=("payments",), query="limit=1")) is None:
            raise ProviderUnreadable("no payments are to be found there")
