"""The PostgreSQL that tests use, the same tests on each kind of server.

KONTOR_TEST_DATABASE_URL if set (a superuser's, for it must get past row-level security); else a
container where a Docker engine answers; else an embedded server. One server a run, one migrated
template, one copy per test process.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from infrastructure.embedded_postgres import TEST, EmbeddedPostgres
from infrastructure.postgres.migrate import upgrade
from tests.places import open_place

IMAGE: Final = "postgres:18-alpine"
KEPT: Final = ("countries", "migration")  # filled by the migrations


class Kind(StrEnum):
    """Where the server comes from, in the words of the run's first line."""

    GIVEN = "the server of KONTOR_TEST_DATABASE_URL"
    CONTAINER = f"a container of {IMAGE}"
    EMBEDDED = "embedded (no Docker engine answers)"


def choose() -> Kind:
    if os.environ.get("KONTOR_TEST_DATABASE_URL"):
        return Kind.GIVEN
    return Kind.CONTAINER if _docker_answers() else Kind.EMBEDDED


def _docker_answers() -> bool:
    # Looked at first, because importing the client takes most of a second.
    if not (os.environ.get("DOCKER_HOST") or Path("/var/run/docker.sock").exists()):
        return False
    import docker
    from docker.errors import DockerException

    try:
        engine = docker.from_env(timeout=2)
        with contextlib.closing(engine):
            return bool(engine.ping())
    except DockerException:
        return False


@dataclass(frozen=True)
class Databases:
    """A server, and this run's databases on it, all named after the run."""

    server_url: str
    run: str

    @property
    def template(self) -> str:
        return f"{self.run}_template"

    def url_of(self, name: str) -> str:
        return urlunsplit(urlsplit(self.server_url)._replace(path=f"/{name}"))

    async def make_template(self) -> None:
        await self.create(self.template)
        await upgrade(self.url_of(self.template))

    async def create(self, name: str, template: str = "template0") -> str:
        await self._tell(f'create database "{name}" template "{template}"')
        return self.url_of(name)

    async def drop(self, name: str) -> None:
        await self._tell(f'drop database if exists "{name}" with (force)')

    async def drop_all(self) -> None:
        connection = await asyncpg.connect(self.server_url)
        try:
            rows = await connection.fetch(
                "select datname from pg_database where starts_with(datname, $1)", self.run
            )
            for row in rows:
                await connection.execute(f'drop database "{row["datname"]}" with (force)')
        finally:
            await connection.close()

    async def _tell(self, statement: str) -> None:
        connection = await asyncpg.connect(self.server_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextlib.contextmanager
def serving(kind: Kind) -> Iterator[Databases]:
    """A server for one run, with the migrated template on it. From the main thread."""
    with _server_url(kind) as url:
        databases = Databases(url, run=f"kontor_test_{secrets.token_hex(4)}")
        asyncio.run(databases.make_template())
        try:
            yield databases
        finally:
            if kind is Kind.GIVEN:  # the other servers take their databases with them
                asyncio.run(databases.drop_all())


@contextlib.contextmanager
def _server_url(kind: Kind) -> Iterator[str]:
    if kind is Kind.GIVEN:
        yield os.environ["KONTOR_TEST_DATABASE_URL"]
    elif kind is Kind.CONTAINER:
        from testcontainers.community.postgres import PostgresContainer

        # Sorts, and is as careless with a test's data, as the embedded server.
        sorting = "--locale-provider=builtin --builtin-locale=C.UTF-8"
        inside = {**TEST, "listen_addresses": "*"}
        command = ["postgres", *(f"--{name}={value}" for name, value in inside.items())]
        container = PostgresContainer(IMAGE, driver=None).with_env("POSTGRES_INITDB_ARGS", sorting)
        with container.with_command(command) as server:
            yield server.get_connection_url(driver=None)
    else:
        with open_place() as place, EmbeddedPostgres(place / "pg", TEST) as server:
            yield server.url


class Cleaner:
    """Empties a database. DELETE, because TRUNCATE takes a hundred times as long."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._statements = ""

    async def clean(self) -> None:
        if not self._statements:
            self._statements = await self._written()
        await self._connection.execute(self._statements)

    async def _written(self) -> str:
        rows = await self._connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' and tablename <> all($1)",
            KEPT,
        )
        # As a replica: neither foreign keys nor triggers that protect a ledger are asked.
        # A transaction that a test left open must not hang the whole run.
        return "\n".join(
            [
                "set local session_replication_role = replica;",
                "set local lock_timeout = '10s';",
                *(f'delete from public."{row["tablename"]}";' for row in rows),
            ]
        )
