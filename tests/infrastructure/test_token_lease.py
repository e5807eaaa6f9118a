"""Two processes and one access token, over PostgreSQL: one of them renews it, whoever dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import asyncpg
import pytest

from domain.kernel.errors import CredentialRefused, ProviderUnavailable
from domain.payments.access_tokens import LEASE, AccessTokens, granted
from domain.payments.connect import Grant, Tokens
from domain.payments.payment_provider import (
    ConnectedBy,
    Parting,
    PaymentProvider,
    ProviderName,
)
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.system import pause
from tests.fakes.clock import FakeClock
from tests.fakes.connect import FakeConnect
from tests.fakes.vault import FakeVault
from tests.make import APP, an_account, an_app

FIRST = Tokens(access="access-0", refresh="refresh", lives_s=3600)


class Processes:
    """Each with connections of its own."""

    def __init__(self, databases: list[Database[PostgresTx]], account: PaymentProvider) -> None:
        self.databases, self.account = databases, account
        self.clock, self.connect, self.vault = FakeClock(), FakeConnect(), FakeVault()
        self.tokens = [
            AccessTokens(
                database, {ProviderName.MOLLIE: self.connect}, self.vault, self.clock, pause
            )
            for database in databases
        ]


@pytest.fixture
async def processes(clean_database: str) -> AsyncIterator[Processes]:
    databases = [Database(clean_database, PostgresTx, pool_size=3) for _ in range(2)]
    account = an_account(
        credential_sealed=None, connected_by=ConnectedBy.OAUTH, account_ref="org_1"
    )
    async with AsyncExitStack() as stack:
        for database in databases:
            await stack.enter_async_context(database.open())
        found = Processes(databases, account)
        grant = Grant(app_uuid=APP, payment_provider_uuid=account.uuid)
        async with databases[0].begin(APP) as tx:
            await tx.apps.add(an_app())
            await tx.payment_providers.add(account)
            await tx.grants.add(granted(grant, FIRST, found.vault, at=found.clock.now()))
        found.clock.advance(timedelta(hours=2))
        yield found


async def test_of_two_processes_one_renews_and_holds_no_transaction_meanwhile(
    processes: Processes, clean_database: str
):
    processes.connect.may_answer.clear()
    waiting = [
        asyncio.create_task(tokens(processes.account))
        for tokens in processes.tokens
        for _ in range(3)
    ]
    await processes.connect.is_asked.wait()
    # Whoever only looks has let go after a moment; whoever asks the provider holds nothing.
    connection = await asyncpg.connect(clean_database)
    async with connection.transaction():
        await connection.execute("set local lock_timeout = '1s'")
        await connection.execute("lock table provider_grants in access exclusive mode")
    await connection.close()
    processes.connect.may_answer.set()
    assert {token.value for token in await asyncio.gather(*waiting)} == {"access-1"}
    assert processes.connect.asked == ["refresh refresh"]


async def test_the_lease_of_a_process_that_died_lapses(processes: Processes):
    one, other = processes.tokens
    processes.connect.may_answer.clear()
    dies = asyncio.create_task(one(processes.account))
    await processes.connect.is_asked.wait()
    dies.cancel()
    await asyncio.gather(dies, return_exceptions=True)
    processes.connect.may_answer.set()
    processes.clock.advance(LEASE)
    assert (await other(processes.account)).value == "access-1"
    assert (await one(processes.account)).value == "access-1"
    assert len(processes.connect.asked) == 2


async def test_a_renewal_that_failed_leaves_the_lease_to_the_next(processes: Processes):
    one, other = processes.tokens
    processes.connect.fails = ProviderUnavailable("away")
    with pytest.raises(ProviderUnavailable):
        await one(processes.account)
    processes.connect.fails = None
    assert (await other(processes.account)).value == "access-1"


async def test_a_consent_that_was_taken_back_is_written_down_with_its_event(processes: Processes):
    processes.connect.is_shut_out = True
    for tokens in processes.tokens:
        with pytest.raises(CredentialRefused):
            await tokens(processes.account)
    assert processes.connect.asked == ["refresh refresh"]
    async with processes.databases[1].begin(APP) as tx:
        account = await tx.payment_providers.get(processes.account.uuid)
        grant = await tx.grants.get(account.uuid)
    assert (account.is_connected, account.disconnected_because) == (False, Parting.MERCHANT)
    assert grant is not None and grant.refresh_sealed is None
