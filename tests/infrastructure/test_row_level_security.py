"""The schema's law of isolation, read from PostgreSQL's own catalog: no table is forgotten."""

import re
from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import pytest

from infrastructure.postgres.database import Database
from infrastructure.postgres.ddl import APP_SETTING, ROLE
from infrastructure.postgres.transaction import PostgresTx
from tests.make import APP, OTHER_APP, an_app

SHARED: Final = {"countries", "migration"}
"""The same for all apps, and read only."""
VERBS: Final = ("select", "insert", "update", "delete")


@pytest.fixture
async def owner(clean_database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(clean_database)
    try:
        yield connection
    finally:
        await connection.close()


async def tables(owner: asyncpg.Connection) -> list[str]:
    found = await owner.fetch(
        """
        select relname from pg_class
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'm', 'v', 'f')
        """
    )
    return sorted(row["relname"] for row in found)


async def tables_of_apps(owner: asyncpg.Connection) -> list[str]:
    return [table for table in await tables(owner) if table not in SHARED]


async def test_every_table_belongs_to_apps_or_is_known_not_to(owner: asyncpg.Connection):
    found = await owner.fetch(
        """
        select table_name from information_schema.columns
         where table_schema = 'public' and column_name = 'app_uuid' and is_nullable = 'NO'
        """
    )
    assert {row["table_name"] for row in found} == set(await tables(owner)) - SHARED


async def test_row_level_security_is_on_and_binds_owners_too(owner: asyncpg.Connection):
    found = await owner.fetch(
        """
        select relname, relrowsecurity and relforcerowsecurity as is_bound from pg_class
         where relnamespace = 'public'::regnamespace and relkind = 'r'
        """
    )
    bound = {row["relname"] for row in found if row["is_bound"]}
    assert bound == set(await tables_of_apps(owner))


async def test_every_key_leads_with_the_app(owner: asyncpg.Connection):
    found = await owner.fetch(
        """
        select c.conrelid::regclass::text || '.' || c.conname as name
          from pg_constraint c
          join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
         where c.connamespace = 'public'::regnamespace and c.contype in ('p', 'u', 'f', 'x')
           and c.conrelid::regclass::text <> all($1) and a.attname <> 'app_uuid'
        union all
        select i.indrelid::regclass::text || '.' || i.indexrelid::regclass::text
          from pg_index i
          join pg_class t on t.oid = i.indrelid and t.relnamespace = 'public'::regnamespace
          left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
         where i.indisunique and i.indrelid::regclass::text <> all($1)
           and a.attname is distinct from 'app_uuid'
        """,
        list(SHARED),
    )
    # A tax rate points at a country, which is nobody's.
    assert {row["name"] for row in found} == {"tax_rates.tax_rates_country_fkey"}


async def test_foreign_keys_stay_within_the_app(owner: asyncpg.Connection):
    found = await owner.fetch(
        """
        select c.conname from pg_constraint c
          join pg_attribute a on a.attrelid = c.confrelid and a.attnum = c.confkey[1]
         where c.connamespace = 'public'::regnamespace and c.contype = 'f'
           and c.confrelid::regclass::text <> all($1) and a.attname <> 'app_uuid'
        """,
        list(SHARED),
    )
    assert [row["conname"] for row in found] == []


async def test_the_programs_role_owns_nothing_and_is_bound_by_everything(owner: asyncpg.Connection):
    role = await owner.fetchrow(
        "select oid, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin "
        "from pg_roles where rolname = $1",
        ROLE,
    )
    assert role is not None
    assert not any(list(role.values())[1:])
    owned = "select count(*) from {} where {} = $1"
    for catalog, column in (
        ("pg_class", "relowner"),
        ("pg_proc", "proowner"),
        ("pg_namespace", "nspowner"),
        ("pg_type", "typowner"),
        ("pg_database", "datdba"),
    ):
        assert await owner.fetchval(owned.format(catalog, column), role["oid"]) == 0, catalog
    assert not await owner.fetchval("select has_schema_privilege($1, 'public', 'create')", ROLE)


async def test_nobody_but_the_role_and_the_owner_may_touch_a_table(owner: asyncpg.Connection):
    found = await owner.fetch(
        """
        select distinct c.relname, coalesce(r.rolname, 'public') as grantee, a.privilege_type
          from pg_class c, aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
         where c.relnamespace = 'public'::regnamespace and a.grantee <> c.relowner
        """
    )
    assert {row["grantee"] for row in found} == {ROLE}
    may = {row["privilege_type"] for row in found}
    assert may <= {"SELECT", "INSERT", "UPDATE", "DELETE"}


async def test_the_role_cannot_write_what_belongs_to_nobody(owner: asyncpg.Connection):
    for table in SHARED:
        for verb in VERBS[1:]:
            may = await owner.fetchval("select has_table_privilege($1, $2, $3)", ROLE, table, verb)
            assert not may, (table, verb)


async def test_every_policy_is_the_one_of_isolation(owner: asyncpg.Connection):
    found = await owner.fetch(
        "select * from pg_policies where schemaname = 'public' and tablename <> all($1)",
        list(SHARED),
    )
    of_isolation = {row["tablename"] for row in found if row["policyname"] == "isolation"}
    assert of_isolation == set(await tables_of_apps(owner))
    for row in found:
        if row["policyname"] == "isolation":
            assert row["cmd"] == "ALL"
            for rule in (row["qual"], row["with_check"]):
                assert re.search(rf"app_uuid = \(?NULLIF\(current_setting\('{APP_SETTING}'", rule)
        else:  # of the two functions that find an app; they run as the owner
            assert (row["policyname"], row["cmd"]) == ("directory", "SELECT")
            assert ROLE not in row["roles"]
            assert "public" not in row["roles"]


async def may(owner: asyncpg.Connection, table: str, verb: str) -> bool:
    granted: bool = await owner.fetchval(
        "select has_table_privilege($1, $2, $3)", ROLE, table, verb
    )
    return granted


async def put_a_row_everywhere(owner: asyncpg.Connection, names: list[str]) -> None:
    """One row of the other app, as an owner puts it: checks and references are not asked."""
    await owner.execute("set local session_replication_role = replica")
    for table in names:
        for check in await owner.fetch(
            "select conname from pg_constraint where conrelid = $1::regclass and contype = 'c'",
            table,
        ):
            await owner.execute(f'alter table {table} drop constraint "{check["conname"]}"')
        columns = await owner.fetch(
            """
            select attname, format_type(atttypid, null) as type from pg_attribute
             where attrelid = $1::regclass and attnum > 0 and attidentity = '' and attnotnull
            """,
            table,
        )
        names_of = ", ".join(f'"{row["attname"]}"' for row in columns)
        values = ", ".join(_some(row["attname"], row["type"]) for row in columns)
        await owner.execute(f"insert into {table} ({names_of}) values ({values})")


def _some(column: str, type_name: str) -> str:
    if column == "app_uuid":
        return f"'{OTHER_APP}'"
    by_type = {
        "uuid": f"'{OTHER_APP}'",
        "text": "'x'",
        "character": "'EUR'",
        "jsonb": "'{}'",
        "bytea": "'x'",
        "boolean": "false",
        "smallint[]": "'{}'",
        "uuid[]": "'{}'",
        "text[]": "'{}'",
        "timestamp with time zone": "'2026-01-01Z'",
    }
    return by_type.get(type_name, "1")


@pytest.mark.parametrize("context", ["", str(APP), "unset"])
async def test_without_the_apps_own_context_its_rows_are_not_there(
    owner: asyncpg.Connection, context: str
):
    """Every table, every verb that the role has, no where: nothing of the other app is touched."""
    names = await tables_of_apps(owner)
    transaction = owner.transaction()
    await transaction.start()
    try:
        await put_a_row_everywhere(owner, names)
        await owner.execute(f"set local role {ROLE}")
        if context != "unset":
            await owner.execute(f"set local {APP_SETTING} = '{context}'")
        for table in names:
            assert await owner.fetchval(f"select count(*) from {table}") == 0, table
            if await may(owner, table, "update"):
                done = await owner.execute(f"update {table} set app_uuid = app_uuid")
                assert done == "UPDATE 0", table
            if await may(owner, table, "delete"):
                assert await owner.execute(f"delete from {table}") == "DELETE 0", table
        await owner.execute(f"set local {APP_SETTING} = '{OTHER_APP}'")
        for table in names:
            assert await owner.fetchval(f"select count(*) from {table}") == 1, table
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("context", ["", str(APP)])
async def test_nothing_is_written_into_another_app(owner: asyncpg.Connection, context: str):
    names = await tables_of_apps(owner)
    transaction = owner.transaction()
    await transaction.start()
    try:
        await put_a_row_everywhere(owner, names)
        for table in names:
            await owner.execute(f"create temp table copy_of_{table} as select * from {table}")
            await owner.execute(f"grant select on copy_of_{table} to {ROLE}")
            await owner.execute(f"delete from {table}")
        await owner.execute(f"set local role {ROLE}")
        await owner.execute(f"set local {APP_SETTING} = '{context}'")
        for table in names:
            columns = await owner.fetchval(
                """
                select string_agg(quote_ident(attname), ', ') from pg_attribute
                 where attrelid = $1::regclass and attnum > 0 and attidentity = ''
                """,
                table,
            )
            insert = f"insert into {table} ({columns}) select {columns} from copy_of_{table}"
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                async with owner.transaction():
                    await owner.execute(insert)
    finally:
        await transaction.rollback()


async def test_no_app_can_move_its_rows_to_another(clean_database: str):
    database = Database(clean_database, PostgresTx)
    async with database.open():
        async with database.begin(APP) as tx:
            await tx.apps.add(an_app())
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with database.connection() as connection, connection.transaction():
                await connection.execute(f"set local {APP_SETTING} = '{APP}'")
                await connection.execute(f"update apps set app_uuid = '{OTHER_APP}'")


async def test_a_transactions_context_ends_with_it(clean_database: str):
    database = Database(clean_database, PostgresTx, pool_size=1)
    async with database.open():
        async with database.begin(APP) as tx:
            await tx.apps.add(an_app())
        async with database.connection() as connection:
            assert await connection.fetchval("select current_user") == ROLE
            assert await connection.fetchval("select count(*) from apps") == 0
