"""A refund that was declined may be followed by one of what is left."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import migration

ID = "2026-11-29T00:23:00"
VERSION = "1.38.0"
DESCRIPTION = "the rest goes back"

UP = """
drop index refunds_once_key;
create unique index refunds_once_key on refunds (app_uuid, payment_uuid, reason)
    where reason in ('verification', 'surplus') and status <> 'declined';
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
