"""Can this process serve? The database answers, binds us, and is what the code expects."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg

import piccolo_migrations
from domain.kernel.errors import DatabaseUnavailable
from infrastructure.postgres.database import Connection, Database

WITHIN_S = 2.0


class PostgresReadiness:
    def __init__(self, database: Database[Any]) -> None:
        self._database = database
        self._expected = len(list(Path(piccolo_migrations.__file__).parent.glob("m*.py")))

    async def database(self) -> bool:
        """It answers, and our role neither owns the tables nor passes row-level security by."""
        bound = await self._ask(
            """
            select not (r.rolsuper or r.rolbypassrls) and not exists (
                   select 1 from pg_class c
                    where c.relname = 'apps' and pg_has_role(c.relowner, 'usage'))
              from pg_roles r where r.rolname = current_user
            """
        )
        return bound is True

    async def migrations(self) -> bool:
        return await self._ask("select count(*) from migration") == self._expected

    async def _ask(self, question: str) -> object:
        try:
            async with asyncio.timeout(WITHIN_S), self._database.connection() as connection:
                return await _answer(connection, question)
        except (DatabaseUnavailable, TimeoutError, OSError, asyncpg.PostgresError):
            return None


async def _answer(connection: Connection, question: str) -> object:
    answer: object = await connection.fetchval(question)
    return answer
