"""Chargebacks at KOMOJU: refunds that nobody asked for. Only looked at; none is ever reversed."""

from collections.abc import AsyncIterator
from datetime import datetime

from domain.payments.answers import ProviderChargeback
from domain.payments.payment_provider import PaymentProvider
from infrastructure.komoju.client import KomojuClient
from infrastructure.komoju.money_back import MoneyBack
from infrastructure.komoju.states import chargebacks_in


class KomojuChargebacks:
    def __init__(self, client: KomojuClient) -> None:
        self._held = MoneyBack(client)

    async def since(
        self, account: PaymentProvider, since: datetime
    ) -> AsyncIterator[ProviderChargeback]:
        async for payment, whole, ref in self._held.changed_since(account, since):
            for chargeback in chargebacks_in(payment, whole, ref):
                if chargeback.created_at >= since:
                    yield chargeback

    async def list(
        self, account: PaymentProvider, payment_ref: str
    ) -> tuple[ProviderChargeback, ...]:
        payment, whole, ref = await self._held.known(account, payment_ref)
        return () if payment is None else chargebacks_in(payment, whole, ref)
