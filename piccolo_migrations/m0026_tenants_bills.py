"""A tenant's bills, the newest first, without looking through those of the whole app."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import migration

ID = "2026-11-29T00:26:00"
VERSION = "1.38.0"
DESCRIPTION = "a tenant's bills"

UP = """
create index bills_tenant_idx on bills (app_uuid, tenant_uuid, uuid);
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
