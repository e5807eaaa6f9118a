"""Mollie on its sandbox, entered with the tokens that merchants' consent has led to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import httpx

from app.sandbox.server import create_sandbox
from domain.kernel.ids import AppUuid
from domain.payments.access_tokens import AccessTokens, granted
from domain.payments.connect import ConnectPort, Grant
from domain.payments.payment_provider import (
    ConnectedBy,
    PaymentProvider,
    ProviderMode,
    ProviderName,
)
from infrastructure.budget import RateBudget
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.connect import SCOPES, MollieApp, MollieConnect, MollieTokenClient
from infrastructure.mollie.provider import connect
from tests.contract.mollie_stage import SANDBOX_URL, MollieStage
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.grants import FakeGrants
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault

OURS: Final = MollieApp(
    client_id="app_kontor",
    client_secret="app-secret",
    redirect_url="https://billing.example/connected",
    authorize_url=f"{SANDBOX_URL}/oauth2/authorize",
)
BEFORE_ALL: Final = NOON - timedelta(days=1)
"""When merchants let us in: what a test makes is younger than their tokens."""


class ConnectedStage(MollieStage):
    """`clock` is ours, for when tokens end. Mollie's own goes on by itself."""

    def __init__(
        self,
        client: MollieClient,
        connection: MollieConnect,
        control: httpx.AsyncClient,
        transport: httpx.AsyncBaseTransport,
        vault: FakeVault,
    ) -> None:
        super().__init__(connect(client, connection), control)
        self.client, self.connection, self._vault = client, connection, vault
        self.transport = transport
        self.clock, self.grants = FakeClock(BEFORE_ALL), FakeGrants()

    def tokens(self) -> AccessTokens:
        """As one process keeps them in its memory."""
        connects: dict[ProviderName, ConnectPort] = {ProviderName.MOLLIE: self.connection}
        return AccessTokens(self.grants, connects, self._vault, self.clock, self.clock.pause)

    async def registers(self) -> None:
        said = {
            "clientId": OURS.client_id,
            "clientSecret": OURS.client_secret,
            "redirectUri": OURS.redirect_url,
        }
        await self.order("oauth/clients", **said)

    async def connects(self, ids: FakeIds, vault: FakeVault) -> PaymentProvider:
        """The account of another merchant, who has two profiles."""
        merchant = await self.order("oauth/organizations", name="Flowers", profiles=["Market"])
        allowed = await self.order(
            "oauth/allow",
            clientId=OURS.client_id,
            organizationId=merchant["id"],
            scope=SCOPES,
            redirectUri=OURS.redirect_url,
        )
        tokens = await self.connection.exchange(allowed["code"])
        assert tokens is not None
        found = await self.connection.merchant(tokens.access)
        account = PaymentProvider(
            uuid=ids.new(),
            app_uuid=AppUuid(ids.new()),
            name=ProviderName.MOLLIE,
            mode=ProviderMode.TEST,
            title="Shop",
            is_default=True,
            credential_sealed=None,
            credential_hint="",
            connected_by=ConnectedBy.OAUTH,
            account_ref=found.organization_ref,
            profile_ref=found.profile_refs[0],
            created_at=NOON,
            updated_at=NOON,
        )
        grant = Grant(app_uuid=account.app_uuid, payment_provider_uuid=account.uuid)
        async with self.grants.begin(account.app_uuid) as tx:
            await tx.payment_providers.add(account)
            await tx.grants.add(granted(grant, tokens, vault, at=self.clock.now()))
        return account


@asynccontextmanager
async def connected_stage(vault: FakeVault) -> AsyncIterator[ConnectedStage]:
    transport = httpx.ASGITransport(app=create_sandbox())  # type: ignore[arg-type]  # Litestar is
    client = MollieClient(SANDBOX_URL, vault, 10, transport, budget=RateBudget(10_000))
    tokens = MollieTokenClient(SANDBOX_URL, vault, 10, transport)
    async with (
        client.open(),
        tokens.open(),
        httpx.AsyncClient(transport=transport, base_url=SANDBOX_URL) as control,
    ):
        stage = ConnectedStage(
            client, MollieConnect(client, tokens, OURS), control, transport, vault
        )
        await stage.registers()
        await stage.order("settings", recurringOutcome="open")
        client.tokens = stage.tokens()
        yield stage
