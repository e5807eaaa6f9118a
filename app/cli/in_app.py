"""What the operator's commands share: one transaction in one app, and errors in one line."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import click

from app.settings import BadSetting, Settings, load
from domain.kernel.errors import DomainError
from domain.kernel.ids import AppUuid
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx

T = TypeVar("T")


def settings() -> Settings:
    try:
        return load()
    except BadSetting as error:
        raise click.ClickException(str(error)) from None


@asynccontextmanager
async def in_app(app_uuid: AppUuid) -> AsyncIterator[PostgresTx]:
    """A transaction in the database of KONTOR_DATABASE_URL."""
    database = Database(settings().database_url, PostgresTx, pool_size=1)
    async with database.open(), database.begin(app_uuid) as tx:
        yield tx


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end. What goes wrong is told in one line, never as a traceback."""
    try:
        return asyncio.run(work)
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    except asyncpg.UndefinedTableError:
        raise click.ClickException("the database has no tables: run `kontor migrate`") from None
