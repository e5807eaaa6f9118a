"""The routes by which an app's merchant connects its account by consent, and takes that back."""

from typing import Final
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.http.caller import bearer_or_key
from app.http.desk import Desk
from app.http.envelope import Envelope, many, one
from app.payments.accounts_schemas import (
    Code,
    ConnectedAccountView,
    ConnectingView,
    Finishes,
    Mode,
    State,
)
from domain.kernel.errors import Invalid, Violation
from domain.kernel.pages import Page
from domain.payments.connect import ConnectTx
from domain.payments.connect_service import Connected, ConnectService, Which
from domain.payments.finish_connecting import FinishConnecting
from domain.payments.payment_provider import PaymentProvider, ProviderMode, provider_named
from domain.tenancy.caller import Actor

KIND: Final = "paymentProviders"


class AccountsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/payment-providers/{provider:str}/accounts"
    tags = ("Payment providers",)
    guards = (bearer_or_key,)

    @get("/", operation_id="getConnectedAccount")
    async def read(
        self,
        app_uuid: FromPath[UUID],
        provider: FromPath[str],
        desk: NamedDependency[Desk],
        connect_accounts: NamedDependency[ConnectService],
        mode: Mode = ProviderMode.LIVE,
    ) -> Envelope[ConnectedAccountView]:
        """The account that the app's merchant has connected, or is to connect; or none."""
        which = Which(provider_named(provider), mode)
        async with desk.read() as (tx, actor):
            account = await connect_accounts.find(tx, actor, which)
        found: tuple[PaymentProvider, ...] = () if account is None else (account,)
        return many(KIND, Page(found, len(found)), ConnectedAccountView.of)

    @post("/", operation_id="createConnectedAccount", status_code=201)
    async def create(
        self,
        app_uuid: FromPath[UUID],
        provider: FromPath[str],
        desk: NamedDependency[Desk],
        connect_accounts: NamedDependency[ConnectService],
        mode: Mode = ProviderMode.LIVE,
    ) -> Response[Envelope[ConnectedAccountView]]:
        """Make the account, which waits for its merchant then. One that is there is returned."""
        which = Which(provider_named(provider), mode)

        async def work(tx: ConnectTx, actor: Actor) -> ConnectedAccountView:
            return ConnectedAccountView.of(await connect_accounts.create(tx, actor, which))

        return await desk.write(work, kind=KIND, status=201)

    @put("/", operation_id="connectAccount")
    async def connect(
        self,
        app_uuid: FromPath[UUID],
        provider: FromPath[str],
        desk: NamedDependency[Desk],
        connect_accounts: NamedDependency[ConnectService],
        finish_connecting: NamedDependency[FinishConnecting],
        connected: Finishes,
        code: Code = None,
        came_back: State = None,
        mode: Mode = ProviderMode.LIVE,
    ) -> Envelope[ConnectingView]:
        """Connect the account in two steps. `connected=false` answers with the page to send the
        merchant to, good for ten minutes; `connected=true` finishes, with the `code` and `state`
        that came back. Whatever goes wrong with those: begin again."""
        which = Which(provider_named(provider), mode)
        if not connected:
            async with desk.read() as (tx, actor):
                account, address = await connect_accounts.begin(tx, actor, which)
            return one(KIND, ConnectingView.asking(account, address))
        if code is None or came_back is None:
            given = {"code": code, "state": came_back}
            missing = [name for name, value in given.items() if value is None]
            raise Invalid([Violation("is required to finish", name) for name in missing])
        async with desk.read() as (tx, actor):
            brought = await connect_accounts.bring(tx, actor, which, code=code, state=came_back)
        if not isinstance(brought, Connected):
            brought = await finish_connecting(brought)
        return one(KIND, ConnectingView.done(brought))

    @delete("/", operation_id="disconnectAccount", status_code=201)
    async def disconnect(
        self,
        app_uuid: FromPath[UUID],
        provider: FromPath[str],
        desk: NamedDependency[Desk],
        connect_accounts: NamedDependency[ConnectService],
        mode: Mode = ProviderMode.LIVE,
    ) -> Envelope[ConnectedAccountView]:
        """Let the account go: it waits for its merchant again. What was made through it stays;
        charges on it fail, and are tried again, until it is connected anew.

        Where there is none, but a deleted one whose consent goes on, that ends for good."""
        which = Which(provider_named(provider), mode)
        async with desk.read() as (tx, actor):
            over = await connect_accounts.disconnect(tx, actor, which)
        await connect_accounts.revoke(over)
        return one(KIND, ConnectedAccountView.of(over.account))
