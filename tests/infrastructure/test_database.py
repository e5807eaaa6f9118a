"""What the pool says when PostgreSQL goes away in the middle of something."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from domain.kernel.errors import DatabaseUnavailable
from infrastructure.postgres.database import Connection, Database
from infrastructure.postgres.transaction import PostgresTx
from tests.make import APP, an_app


@pytest.fixture
async def operator(clean_database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(clean_database)
    try:
        yield connection
    finally:
        await connection.close()


async def lose(connection: Connection, operator: asyncpg.Connection) -> None:
    pid = connection.get_server_pid()
    assert await operator.fetchval("select pg_terminate_backend($1, 5000)", pid)
    await connection.fetchval("select 1")


async def test_a_lost_connection_is_an_outage_and_the_pool_recovers(
    clean_database: str, operator: asyncpg.Connection
):
    database = Database(clean_database, PostgresTx, pool_size=1)
    async with database.open():
        with pytest.raises(DatabaseUnavailable):
            async with database.connection() as connection:
                await lose(connection, operator)
        with pytest.raises(DatabaseUnavailable):
            async with database.begin(APP) as tx:
                await tx.apps.add(an_app())
                await lose(tx.apps._connection, operator)
        async with database.begin(APP) as tx:
            await tx.apps.add(an_app())
