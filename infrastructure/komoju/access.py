"""Whether KOMOJU lets an account in."""

from domain.kernel.errors import ProviderUnreadable
from domain.payments.payment_provider import PaymentProvider
from infrastructure.komoju.client import KomojuClient
from infrastructure.provider_client import Call


class KomojuAccess:
    """Implements `AccessPort`."""

    def __init__(self, client: KomojuClient) -> None:
        self._client = client

    async def check(self, account: PaymentProvider) -> None:
        call = Call(path=("payments",), query="per_page=1")
        if await self._client.read(account, call) is None:
            raise ProviderUnreadable("no payments are to be found there")
