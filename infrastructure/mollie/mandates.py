"""Mandates at Mollie: looked at and revoked. First payments make them, and banks end some."""

from typing import Final

import msgspec

from domain.kernel.errors import ProviderUnreadable
from domain.payments.answers import Declined, ProviderMandate
from domain.payments.payment_provider import PaymentProvider
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.wire import WireMandate, decode, mandate_from
from infrastructure.provider_client import Call

_MANDATE: Final = msgspec.json.Decoder(WireMandate)


class MollieMandates:
    def __init__(self, client: MollieClient) -> None:
        self._client = client

    async def get(
        self, account: PaymentProvider, customer_ref: str, mandate_ref: str
    ) -> ProviderMandate | None:
        path = ("customers", customer_ref, "mandates", mandate_ref)
        answer = await self._client.read(account, Call(path=path))
        if answer is None:
            return None
        wire = decode(_MANDATE, answer, "mandate")
        if (wire.customer_id, wire.id) != (customer_ref, mandate_ref):
            raise ProviderUnreadable("mollie answered with another mandate than was asked for")
        return mandate_from(wire, account.mode)

    async def revoke(
        self, account: PaymentProvider, customer_ref: str, mandate_ref: str
    ) -> Declined | None:
        path = ("customers", customer_ref, "mandates", mandate_ref)
        answer = await self._client.act(account, Call(method="DELETE", path=path))
        return answer if isinstance(answer, Declined) and not answer.is_gone else None
