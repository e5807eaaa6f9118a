"""What shoppers tell us before they pay, and where a subscription's buyer owes the tax itself."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import migration

ID = "2026-11-29T00:21:00"
VERSION = "1.38.0"
DESCRIPTION = "collected details"

# A tax id's country decides of every bill to come; the id itself is with the checkout.
UP = """
alter table checkout_sessions add column collected jsonb;
create index checkout_sessions_collected_idx on checkout_sessions (app_uuid, updated_at)
    where collected is not null and status in ('expired', 'failed');
alter table subscriptions
    add column tax_id_country char(2) check (tax_id_country ~ '^[A-Z]{2}$');
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
