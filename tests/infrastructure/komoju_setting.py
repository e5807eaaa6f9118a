"""The real client for KOMOJU on the real network stack, facing a server that follows a script."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from domain.kernel.money import Money, currency
from domain.payments.answers import Declined, ProviderPayment, SequenceType
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName
from domain.payments.ports import NewPayment, Provider
from infrastructure.komoju.client import KomojuClient
from infrastructure.komoju.provider import connect
from tests.contract.stages import an_account
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault
from tests.infrastructure.scripted_server import Script, ScriptedServer, scripted_server

TIMEOUT_S: Final = 5.0
SHORT_S: Final = 0.3
SECRET: Final = "sk_test_secretsecretsecretsecret"
IDS: Final = FakeIds(series=3)
ORDER: Final = NewPayment(
    attempt_uuid=IDS.new(),
    app_uuid=IDS.new(),
    checkout_session_uuid=IDS.new(),
    amount=Money(4900, currency("JPY")),
    description="Handbook",
    sequence_type=SequenceType.ONEOFF,
    customer_ref=str(IDS.new()),
    payment_method="card",
    return_url="https://shop.example/thanks",
    webhook_url="https://billing.example/hooks/1",
    lifetime_s=3600,
    locale="ja_JP",
)
CHARGE: Final = replace(
    ORDER,
    checkout_session_uuid=None,
    bill_uuid=IDS.new(),
    sequence_type=SequenceType.RECURRING,
    mandate_ref="cus1",
    payment_method=None,
    return_url=None,
    lifetime_s=None,
    locale=None,
)
SESSION: Final = {
    "id": "ses1",
    "resource": "session",
    "mode": "payment",
    "amount": 4900,
    "currency": "JPY",
    "session_url": "https://komoju.example/sessions/ses1",
    "status": "pending",
    "expired": False,
    "payment": None,
    "payment_methods": [{"type": "credit_card"}],
    "created_at": "2026-03-20T21:00:00.000+09:00",
    "completed_at": None,
    "metadata": {"attempt": str(ORDER.attempt_uuid), "customer": ORDER.customer_ref},
}
PAYMENT: Final = {
    "id": "pay1",
    "resource": "payment",
    "status": "captured",
    "amount": 4900,
    "tax": 0,
    "total": 4900,
    "currency": "JPY",
    "payment_method_fee": 0,
    "payment_details": {"type": "credit_card", "last_four_digits": "1111"},
    "customer": None,
    "session": "ses1",
    "captured_at": "2026-03-20T21:05:00.000+09:00",
    "created_at": "2026-03-20T21:04:00.000+09:00",
    "metadata": {"attempt": str(ORDER.attempt_uuid), "customer": ORDER.customer_ref},
    "refunds": [],
}


@dataclass
class Setting:
    provider: Provider
    account: PaymentProvider
    server: ScriptedServer

    async def create(self, order: NewPayment = ORDER) -> ProviderPayment | Declined:
        request = self.provider.payments.render(order)
        return await self.provider.payments.create(self.account, request, key=order.attempt_uuid)

    async def get(self) -> ProviderPayment | None:
        return await self.provider.payments.get(self.account, "session_ses1")


@asynccontextmanager
async def komoju_answers(script: Script, timeout_s: float = TIMEOUT_S) -> AsyncIterator[Setting]:
    vault = FakeVault()
    async with scripted_server(script) as server:
        client = KomojuClient(server.url, vault, timeout_s)
        async with client.open():
            yield Setting(connect(client, vault), a_komoju_account(vault), server)


def a_komoju_account(vault: FakeVault, secret: str = SECRET) -> PaymentProvider:
    return an_account(IDS, vault, secret, ProviderMode.TEST, ProviderName.KOMOJU)


def session(**changes: Any) -> bytes:
    return json.dumps({n: v for n, v in {**SESSION, **changes}.items() if v != "-"}).encode()


def payment(**changes: Any) -> bytes:
    return json.dumps({n: v for n, v in {**PAYMENT, **changes}.items() if v != "-"}).encode()


def problem(code: str = "unprocessable_entity", message: str = "No", **more: Any) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, **more}}).encode()
