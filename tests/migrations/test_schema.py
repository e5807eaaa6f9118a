"""The migrations: together they are docs/schema.sql, they run once, wholly, and for any owner."""

import asyncio
import contextlib
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from infrastructure import embedded_postgres
from infrastructure.embedded_postgres import TEST, EmbeddedPostgres
from infrastructure.postgres.database import Database
from infrastructure.postgres.migrate import upgrade
from infrastructure.postgres.readiness import PostgresReadiness
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.postgres_binaries import PostgresMissing, find_binaries, major_version
from tests.architecture.tree import ROOT, python_files
from tests.migrations.schema import SCHEMA, dumped
from tests.places import open_place

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")
MIGRATIONS = len(list((ROOT / "piccolo_migrations").glob("m*.py")))
APP, ACCOUNT, TENANT = UUID(int=1), UUID(int=2), UUID(int=3)

# The tables that apps_with_due_work reads have the same policy; one row in one of them will do.
DUE_ROW = f"""
set session_replication_role = replica;
insert into apps (app_uuid, name, created_at, updated_at) values ('{APP}', 'Notes', now(), now());
insert into payment_providers (app_uuid, uuid, name, mode, title, is_default, credential_sealed,
       credential_hint, created_at, updated_at)
values ('{APP}', '{ACCOUNT}', 'mollie', 'test', 'Mollie', true, '', 'abcd', now(), now());
insert into inbox (app_uuid, uuid, payment_provider_uuid, provider_ref, tries, due_at, received_at)
values ('{APP}', '{ACCOUNT}', '{ACCOUNT}', 'tr_1', 0, now(), now());
"""


async def asked(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def told(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


@contextlib.contextmanager
def server(binaries: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedPostgres]:
    """A server that nobody has migrated anything on: no role of ours exists."""
    monkeypatch.setattr(embedded_postgres, "find_binaries", lambda: binaries)
    with open_place() as place, EmbeddedPostgres(place / "pg", TEST) as started:
        yield started


@pytest.fixture(params=["our PostgreSQL", "PostgreSQL 15"])
def fresh_server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EmbeddedPostgres]:
    if request.param == "our PostgreSQL":
        binaries = find_binaries()
    elif (POSTGRES_15 / "postgres").exists():
        binaries = POSTGRES_15
    else:
        pytest.skip(f"no PostgreSQL 15, the oldest that we support, in {POSTGRES_15}")
    with server(binaries, monkeypatch) as started:
        yield started


def our_pg_dump_writes_like_the_one_of_the_document() -> bool:
    with contextlib.suppress(PostgresMissing):
        return major_version(find_binaries()) == 18
    return False


@pytest.mark.skipif(
    not our_pg_dump_writes_like_the_one_of_the_document(),
    reason="docs/schema.sql is written by pg_dump 18; another version words it differently",
)
async def test_all_migrations_together_are_the_documented_schema(database_url: str):
    assert dumped(database_url) == SCHEMA.read_text(), (
        "write it anew: .venv/bin/python -m tests.migrations.schema --write"
    )


async def test_every_migration_runs_once_and_in_order(empty_database_url: str):
    ran = await upgrade(empty_database_url)

    assert len(ran) == MIGRATIONS
    assert ran == sorted(ran)
    assert await upgrade(empty_database_url) == []


def test_a_migrations_number_is_its_place():
    numbers = [path.stem[:5] for path in python_files("piccolo_migrations") if path.stem[0] == "m"]
    assert numbers == [f"m{place:04d}" for place in range(1, MIGRATIONS + 1)]


async def test_of_four_machines_that_migrate_at_once_one_does_it(empty_database_url: str):
    command = [sys.executable, "-m", "app.cli.main", "migrate"]
    machines = [
        await asyncio.create_subprocess_exec(
            *command, "--database-url", empty_database_url, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(4)
    ]

    said = sorted([(await machine.communicate())[0].decode().strip() for machine in machines])

    assert [machine.returncode for machine in machines] == [0, 0, 0, 0]
    assert said == [f"{MIGRATIONS} migrations ran.", *["Nothing to do: up to date."] * 3]


async def test_a_migration_that_fails_leaves_nothing_behind(empty_database_url: str):
    await told(empty_database_url, "create table outbox (in_the_way boolean)")

    with pytest.raises(asyncpg.DuplicateTableError):
        await upgrade(empty_database_url)

    count = "select count(*) from pg_tables where schemaname = 'public'"
    assert await asked(empty_database_url, count) == 1
    await told(empty_database_url, "drop table outbox")
    assert len(await upgrade(empty_database_url)) == MIGRATIONS


async def test_the_program_may_not_change_the_schema_nor_leave_its_app(empty_database_url: str):
    await upgrade(empty_database_url)
    await told(empty_database_url, DUE_ROW)
    connection = await asyncpg.connect(empty_database_url, server_settings={"role": "kontor_app"})
    try:
        assert await connection.fetchval("select count(*) from apps") == 0
        for forbidden in ("create table mine ()", "drop table apps", "delete from payments"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(forbidden)
        await connection.execute(f"begin; set local kontor.app = '{APP}'")
        assert await connection.fetchval("select count(*) from apps") == 1
        await connection.execute("commit")
        assert await connection.fetchval("select count(*) from apps") == 0
    finally:
        await connection.close()


async def test_an_owner_who_is_no_superuser_suffices(fresh_server: EmbeddedPostgres):
    """Row-level security binds such an owner too, and still both questions across apps work."""
    database = f"kontor_{secrets.token_hex(4)}"
    await told(fresh_server.url, "create role keeper login createrole; create role clerk login")
    await told(fresh_server.url, f"create database {database} owner keeper")
    superuser, keeper, clerk = (
        fresh_server.url.replace("postgres@/postgres", f"{role}@/{database}")
        for role in ("postgres", "keeper", "clerk")
    )

    assert len(await upgrade(keeper)) == MIGRATIONS
    await told(keeper, "grant kontor_app to clerk")
    await told(superuser, DUE_ROW)

    assert await asked(keeper, "select count(*) from apps") == 0
    assert await asked(clerk, f"select app_of_payment_provider('{ACCOUNT}')") == APP
    assert await asked(clerk, "select apps_with_due_work(now())") == APP
    program = Database(clerk, PostgresTx, pool_size=1)
    async with program.open():
        readiness = PostgresReadiness(program)
        assert (await readiness.database(), await readiness.migrations()) == (True, True)
