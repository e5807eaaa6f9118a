"""The pool, and the unit of work: a transaction in one app.

`begin` carries the row-level-security setting in the same round trip. All session state is
transaction-local, so a connection goes back to the pool without the reset query.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from domain.kernel.errors import DatabaseUnavailable, StillRunning
from domain.kernel.ids import AppUuid
from infrastructure.postgres.ddl import APP_SETTING, ROLE
from infrastructure.postgres.violations import translated

Connection = PoolConnectionProxy
TxT = TypeVar("TxT")

ACQUIRE_TIMEOUT_S: Final = 2.0
"""A caller waits this long for a connection, then hears 503: queues hide outages."""

COMMAND_TIMEOUT_S: Final = 5.0

# InternalClientError: the server's last words have come, and the connection is not closed yet.
_LOST: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

_SERVER_SETTINGS: Final = {
    "role": ROLE,
    "application_name": "kontor",
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
}


class _Connection(asyncpg.Connection):
    def get_reset_query(self) -> str:
        return ""


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda raw: msgspec.json.decode(raw[1:]),
        schema="pg_catalog",
        format="binary",
    )


class Database(Generic[TxT]):
    """Implements `UnitOfWork`. `repositories` makes the transaction's face from a connection."""

    def __init__(
        self,
        url: str,
        repositories: Callable[[Connection, AppUuid], TxT],
        *,
        pool_size: int = 10,
    ) -> None:
        self._url, self._repositories, self._pool_size = url, repositories, pool_size
        self._pool: asyncpg.Pool | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Connects lazily: the program starts, and answers 503, while PostgreSQL is away."""
        pool = asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._pool_size,
            max_inactive_connection_lifetime=300,
            command_timeout=COMMAND_TIMEOUT_S,
            timeout=ACQUIRE_TIMEOUT_S,
            connection_class=_Connection,
            init=_prepare,
            server_settings=_SERVER_SETTINGS,
        )
        async with pool:
            self._pool = pool
            try:
                yield
            finally:
                self._pool = None

    @asynccontextmanager
    async def begin(self, app_uuid: AppUuid) -> AsyncIterator[TxT]:
        async with self.connection() as connection:
            # Built from a parsed UUID: nothing of a caller's text reaches this statement.
            setting = f"set local {APP_SETTING} = '{UUID(bytes=app_uuid.bytes)}'"
            try:
                await connection.execute(f"begin; {setting}")
                yield self._repositories(connection, app_uuid)
                await connection.execute("commit")
            except BaseException:
                await _rollback(connection)
                raise

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A bare connection, outside any app: row-level security shows it nothing."""
        assert self._pool is not None, "open() first"
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        except (*_LOST, asyncpg.PostgresError) as error:
            raise DatabaseUnavailable("the database is unreachable") from error
        try:
            with _failures():
                yield connection
        finally:
            await self._pool.release(connection)


async def _rollback(connection: Connection) -> None:
    """A connection whose rollback does not come through at once is thrown away."""
    try:
        if not connection.is_closed() and connection.is_in_transaction():
            await asyncio.shield(connection.execute("rollback", timeout=1))
    except (*_LOST, asyncpg.PostgresError):
        connection.terminate()


@contextmanager
def _failures() -> Iterator[None]:
    """What PostgreSQL says, in our words."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise translated(error) from error
    except asyncpg.LockNotAvailableError as error:
        raise StillRunning("another request is working on the same thing") from error
    except (
        *_LOST,
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
        asyncpg.TransactionRollbackError,
        asyncpg.IdleInTransactionSessionTimeoutError,
    ) as error:
        raise DatabaseUnavailable("the database is unreachable") from error
