"""The front door: the real application over real PostgreSQL and a real sandbox on loopback."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Final

import asyncpg
import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar import Litestar

from app.main import build
from app.parts import Parts
from app.sandbox.server import create_sandbox
from app.settings import Settings
from infrastructure.identity.dev_tokens import DevSigner
from infrastructure.postgres.audit import AuditTx
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.secrets import AesGcmVault, new_key
from tests.http.house import CLOCK, IDS, Builder, House
from tests.http.lifespan import running
from tests.http.merchant import OUR_APP, Merchant
from tests.http.paid import Paid
from tests.http.street import Street
from tests.http.subscribed import subscribe
from tests.http.till import Till
from tests.waiting import eventually

PUBLIC_URL: Final = "https://billing.example"


@pytest.fixture(scope="session")
def signing_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def signer(signing_key: Ed25519PrivateKey) -> DevSigner:
    """What vouches for the users of both apps."""
    return DevSigner(signing_key)


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """Mollie and KOMOJU on a free port. What they have to say is said to nobody: tests call the
    webhooks."""
    deaf = httpx.MockTransport(lambda request: httpx.Response(200, request=request))
    sandbox = create_sandbox(webhook_transport=deaf)
    config = uvicorn.Config(sandbox, log_config=None, access_log=False, lifespan="on")
    server = uvicorn.Server(config)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        serve = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        serve.start()
        assert eventually(lambda: server.started)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        serve.join(10)


@pytest.fixture(scope="session")
async def sandbox(sandbox_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The sandbox's control plane, and all else it shows."""
    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def settings(database_url: str, sandbox_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        database_pool_size=5,
        mollie_url=sandbox_url,
        komoju_url=f"{sandbox_url}/komoju",
        mollie_connect_client_id=OUR_APP["clientId"],
        mollie_connect_client_secret=OUR_APP["clientSecret"],
        mollie_connect_redirect_url=OUR_APP["redirectUri"],
        mollie_connect_authorize_url=f"{sandbox_url}/oauth2/authorize",
        provider_calls_per_s=1000,
        public_url=PUBLIC_URL,
        secret_key=new_key(),
    )


@pytest.fixture(scope="session")
async def application(settings: Settings) -> AsyncIterator[Litestar]:
    app = build(settings)
    async with running(app):
        yield app


@pytest.fixture(scope="session")
async def door(application: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield client


@pytest.fixture(scope="session")
async def tables(settings: Settings) -> AsyncIterator[Database[PostgresTx]]:
    database = Database(settings.database_url, PostgresTx, pool_size=2)
    async with database.open():
        yield database


@pytest.fixture(scope="session")
async def owner_connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Sees past row-level security, to tell what a request has left behind."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        yield connection
    finally:
        await asyncio.wait_for(connection.close(), 5)


@pytest.fixture
def builder(settings: Settings, tables: Database[PostgresTx]) -> Builder:
    return Builder(tables, AesGcmVault(settings.secret_key))


@pytest.fixture
async def house(
    clean_database: str,
    door: httpx.AsyncClient,
    owner_connection: asyncpg.Connection,
    builder: Builder,
    signer: DevSigner,
) -> House:
    app, other = await builder.estate(signer), await builder.estate(signer)
    return House(door, builder.database, owner_connection, app, other)


@pytest.fixture
async def paid(house: House) -> House:
    """Both apps' tenants have paid for something, and a payment method: as rows alone, for tests
    that ask who may do what with them. The books are not right with them."""
    for estate in (house.app, house.other):
        async with house.database.begin(estate.app_uuid) as tx:
            await Paid(estate.app_uuid, estate.ids, IDS, CLOCK.now()).add(tx)
    return house


@pytest.fixture(scope="session")
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    """What a worker stands on."""
    parts = Parts(settings)
    async with parts.open():
        yield parts


@pytest.fixture
def till(house: House, sandbox: httpx.AsyncClient, parts: Parts) -> Till:
    return Till(house, sandbox, parts)


@pytest.fixture
async def merchant(house: House, sandbox: httpx.AsyncClient) -> Merchant:
    """Whose account the app is to connect. It has consented to nothing yet."""
    return await Merchant.of(house, sandbox)


@pytest.fixture
async def subscribed(paid: House) -> House:
    """Both apps' tenants have a subscription, and another that owes: as rows alone, too."""
    for estate in (paid.app, paid.other):
        estate.ids["subscription"] = await subscribe(paid.database, estate)
        estate.ids["owing"] = await subscribe(paid.database, estate, owes=True)
    return paid


@pytest.fixture
async def street(
    house: House, sandbox: httpx.AsyncClient, settings: Settings, parts: Parts
) -> AsyncIterator[Street]:
    """Whom charges are made on, at a sandbox that leaves their outcome to the test."""
    await sandbox.post("/_control/settings", json={"recurringOutcome": "open"})
    audit = Database(settings.database_url, AuditTx, pool_size=1)
    async with audit.open():
        yield Street(house, sandbox, parts, audit)
    await sandbox.post("/_control/settings", json={"recurringOutcome": "paid"})
