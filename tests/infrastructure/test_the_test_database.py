"""The fixtures that all other database tests trust."""

import asyncpg
import pytest


async def rows(url: str, table: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        count: int = await connection.fetchval(f"select count(*) from {table}")
        return count
    finally:
        await connection.close()


@pytest.mark.parametrize("time", ["first", "second"])
async def test_each_test_finds_the_database_empty(clean_database: str, time: str):
    assert await rows(clean_database, "apps") == 0
    assert await rows(clean_database, "countries") > 200
    connection = await asyncpg.connect(clean_database)
    try:
        await connection.execute(
            """
            insert into apps (app_uuid, name, created_at, updated_at)
            values (gen_random_uuid(), 'left by a test', now(), now())
            """
        )
    finally:
        await connection.close()


async def test_an_empty_database_has_no_table(empty_database_url: str):
    with pytest.raises(asyncpg.UndefinedTableError):
        await rows(empty_database_url, "apps")
