"""A tenant's bills, found by tenant."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import migration

ID = "2026-11-29T00:26:00"
VERSION = "1.38.0"
DESCRIPTION = "bills of tenants"

# What bills of before sold is not written into them: billing would have to wait for that.
UP = "create index bills_tenant_idx on bills (app_uuid, tenant_uuid, uuid);"


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
