"""Brings a database up to date: Piccolo's runner, in one transaction, under an advisory lock.

Any number of replicas may start at once: one migrates, the others find nothing to do. A failed
migration leaves nothing behind, its bookkeeping row included.
"""

import contextlib
import io
import os
from collections.abc import AsyncIterator
from typing import Any, Final

_LOCK: Final = 1_263_423_572  # "KNTR" as four bytes: ours among the database's advisory locks


@contextlib.asynccontextmanager
async def _bound(dsn: str) -> AsyncIterator[Any]:
    """Piccolo reads its engine from a module; point that module at `dsn` for a while."""
    os.environ["PICCOLO_CONF"] = "infrastructure.postgres.piccolo_conf"
    # Imported late: Piccolo takes 0.2 s, and only this command needs it.
    from piccolo.apps.migrations.tables import Migration
    from piccolo.engine.postgres import PostgresEngine

    from infrastructure.postgres import piccolo_conf

    engine = PostgresEngine(config={"dsn": dsn}, log_queries=False)
    before = piccolo_conf.DB, Migration._meta._db
    piccolo_conf.DB = Migration._meta._db = engine
    try:
        yield engine
    finally:
        piccolo_conf.DB, Migration._meta._db = before


async def upgrade(dsn: str, last: str = "all") -> list[str]:
    """Run what is missing, as the owner of the schema, up to the migration with this id.

    Returns the ids of what ran.
    """
    from piccolo.apps.migrations.commands.forwards import run_forwards

    async with _bound(dsn) as engine, engine.transaction() as transaction:
        connection = transaction.connection
        await connection.execute(f"select pg_advisory_xact_lock({_LOCK})")
        before = await _applied(connection)
        with contextlib.redirect_stdout(io.StringIO()):
            result = await run_forwards("kontor", last)
        if not result.success:
            raise RuntimeError(f"the migration failed: {result.message}")
        return [name for name in await _applied(connection) if name not in before]


async def _applied(connection: Any) -> list[str]:
    if await connection.fetchval("select to_regclass('migration')") is None:
        return []
    return [row["name"] for row in await connection.fetch("select name from migration order by id")]
