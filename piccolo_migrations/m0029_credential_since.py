"""When an account's credential took another's place: what was sent before, was sent with that."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import migration

ID = "2026-11-29T00:29:00"
VERSION = "1.38.0"
DESCRIPTION = "credential since"

UP = "alter table payment_providers add column credential_since timestamptz;"


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
