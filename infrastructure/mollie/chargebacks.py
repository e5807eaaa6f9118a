"""Chargebacks at Mollie: only looked at. Banks make them, and give some of the money back."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

import msgspec

from domain.payments.answers import ProviderChargeback
from domain.payments.payment_provider import PaymentProvider
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.listing import AUDIT_PAGES_MAX, Page, back_to, pages
from infrastructure.mollie.wire import WireChargeback, chargeback_from

_PAGE: Final = msgspec.json.Decoder(Page[WireChargeback])


class MollieChargebacks:
    def __init__(self, client: MollieClient) -> None:
        self._client = client

    async def since(
        self, account: PaymentProvider, since: datetime
    ) -> AsyncIterator[ProviderChargeback]:
        listed = pages(self._client, account, ("chargebacks",), _PAGE, AUDIT_PAGES_MAX)
        async for wire in back_to(listed, since):
            yield chargeback_from(wire, account.mode)

    async def list(
        self, account: PaymentProvider, payment_ref: str
    ) -> tuple[ProviderChargeback, ...]:
        path = ("payments", payment_ref, "chargebacks")
        return tuple(
            [
                chargeback_from(wire, account.mode)
                async for page in pages(self._client, account, path, _PAGE)
                for wire in page
            ]
        )
