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
    on payment_providers (app_uuid, sweep_due_at) where deleted_at is null;

create or replace function apps_with_due_work(at timestamptz) returns setof uuid
    language sql stable security definer set search_path = public
begin atomic
    select app_uuid from inbox where due_at <= at
    union select app_uuid from outbox where due_at <= at
    union select app_uuid from payment_attempts
           where status = 'submitting' and due_at <= at
    union select app_uuid from payments where due_at <= at
    union select app_uuid from refunds where status = 'requested' and due_at <= at
    union select app_uuid from checkout_sessions where status = 'open' and due_at <= at
    union select app_uuid from (select distinct app_uuid from payment_providers) as p
           where exists (select from subscriptions s
                          where s.app_uuid = p.app_uuid and s.test_clock_uuid is null
                            and s.due_at <= at)
    union select app_uuid from test_clocks where due_at <= at
    union select app_uuid from payment_providers where deleted_at is null and sweep_due_at <= at;
end;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
