"""The real client for Mollie on the real network stack, facing a server that follows a script."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from domain.kernel.errors import DomainError
from domain.kernel.money import Money, currency
from domain.payments.answers import Declined, ProviderPayment, SequenceType
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewPayment, Provider
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.provider import connect
from tests.contract.stages import an_account
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault
from tests.infrastructure.scripted_server import Script, ScriptedServer, scripted_server

# Long enough for a busy machine, where an answer comes; short where none is to be expected.
TIMEOUT_S: Final = 5.0
SHORT_S: Final = 0.3
BOUND_S: Final = 12.0
SECRET: Final = "test_secretsecretsecretsecretsecret"
IDS: Final = FakeIds()
ORDER: Final = NewPayment(
    attempt_uuid=IDS.new(),
    app_uuid=IDS.new(),
    checkout_session_uuid=IDS.new(),
    amount=Money(49_00, currency("EUR")),
    description="Handbook",
    sequence_type=SequenceType.FIRST,
    customer_ref="cst_1",
    payment_method="card",
    return_url="https://shop.example/thanks",
    webhook_url="https://billing.example/hooks/1",
    locale=None,
)
PAYMENT: Final = {
    "resource": "payment",
    "id": "tr_1",
    "mode": "test",
    "createdAt": "2026-03-20T12:00:00+00:00",
    "amount": {"currency": "EUR", "value": "49.00"},
    "description": "Handbook",
    "method": "creditcard",
    "metadata": {"attempt": str(ORDER.attempt_uuid), "session": "x", "app": "y"},
    "status": "open",
    "customerId": "cst_1",
    "sequenceType": "first",
    "_links": {"checkout": {"href": "https://pay.example/1", "type": "text/html"}},
}


@dataclass
class Setting:
    provider: Provider
    account: PaymentProvider
    server: ScriptedServer

    async def create(self) -> ProviderPayment | Declined:
        request = self.provider.payments.render(ORDER)
        return await self.provider.payments.create(self.account, request, key=ORDER.attempt_uuid)

    async def get(self) -> ProviderPayment | None:
        return await self.provider.payments.get(self.account, "tr_1")


@asynccontextmanager
async def mollie_answers(script: Script, timeout_s: float = TIMEOUT_S) -> AsyncIterator[Setting]:
    vault = FakeVault()
    async with scripted_server(script) as server:
        client = MollieClient(server.url, vault, timeout_s)
        async with client.open():
            yield Setting(connect(client), an_account(IDS, vault, SECRET), server)


def payment(**changes: Any) -> bytes:
    return json.dumps({name: v for name, v in {**PAYMENT, **changes}.items() if v != "-"}).encode()


def problem(status: int, detail: str = "No", field: str | None = None) -> bytes:
    blamed = {} if field is None else {"field": field}
    body = {"status": status, "title": "A problem", "detail": detail, **blamed, "_links": {}}
    return json.dumps(body).encode()


async def outcome_of(call: Any) -> Any:
    """What was answered, or the kind of what was raised; and it must not take long."""
    started = time.monotonic()
    try:
        return await call
    except DomainError as error:
        assert SECRET not in str(error)
        # A traceback in the log must not show what a foreign library had to say.
        assert error.__cause__ is None
        assert error.__context__ is None or error.__suppress_context__
        return type(error)
    finally:
        assert time.monotonic() - started < BOUND_S
