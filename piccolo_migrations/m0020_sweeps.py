"""How far each account's lists at its provider have been read, and when to read them again."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import migration

ID = "2026-11-29T00:20:00"
VERSION = "1.38.0"
DESCRIPTION = "sweeps of the providers' lists"

# Accounts that are here already are swept from now on; for what was before there is the audit.
# Not all of them at the same minute. The defaults are for a program of the version before.
UP = """
alter table payment_providers
    add column swept_until  timestamptz not null default now(),
    add column sweep_due_at timestamptz not null default now();
update payment_providers set sweep_due_at = now() + random() * interval '1 hour';
create index payment_providers_sweep_idx
    on payment_providers (sweep_due_at, app_uuid) where deleted_at is null;

create function apps_with_due_sweeps(at timestamptz) returns setof uuid
    language sql stable security definer set search_path = public
begin atomic
    select distinct app_uuid from payment_providers
     where deleted_at is null and sweep_due_at <= at;
end;
revoke all on function apps_with_due_sweeps from public;
grant execute on function apps_with_due_sweeps to kontor_app;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
