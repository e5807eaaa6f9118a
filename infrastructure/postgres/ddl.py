"""Pieces of SQL that every migration repeats, and the step that runs one."""

from typing import Final

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ROLE: Final = "kontor_app"
"""The role that the program works as. It owns nothing, so row-level security binds it."""

APP_SETTING: Final = "kontor.app"
"""The transaction-local setting that names the app. Unset or empty: no row is visible."""

_THIS_APP: Final = f"app_uuid = nullif(current_setting('{APP_SETTING}', true), '')::uuid"


def isolated(table: str, *, verbs: str = "select, insert, update") -> str:
    """Row-level security for a table with `app_uuid`, also for its owner, and the role's rights."""
    return f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        create policy isolation on {table} using ({_THIS_APP}) with check ({_THIS_APP});
        grant {verbs} on {table} to {ROLE};
    """


def migration(id: str, description: str, sql: str) -> MigrationManager:
    """A migration that is one SQL script, run in the runner's transaction."""

    async def run() -> None:
        engine = engine_finder()
        assert engine is not None
        transaction = engine.current_transaction.get()
        assert transaction is not None
        await transaction.connection.execute(sql)

    manager = MigrationManager(migration_id=id, app_name="kontor", description=description)
    manager.add_raw(run)
    return manager
