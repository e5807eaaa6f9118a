"""What a provider signs its webhooks with, and events of its that are believed once."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import migration

ID = "2026-11-29T00:22:00"
VERSION = "1.38.0"
DESCRIPTION = "signed webhooks"

# Not every provider names its events: those that do not may say the same thing any number of times.
UP = """
alter table payment_providers add column webhook_secret_sealed bytea;
alter table inbox add column event_id text check (char_length(event_id) between 1 and 100);
create unique index inbox_event_key
    on inbox (app_uuid, payment_provider_uuid, event_id) where event_id is not null;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
