"""Which apps have work waiting, with subscriptions and test clocks."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import migration

ID = "2026-11-21T01:18:00"
VERSION = "1.38.0"
DESCRIPTION = "due work of subscriptions and test clocks"

# Of subscriptions a million may be due at once, after a night without workers: one look at each
# app finds out as much as reading them all. Whoever has a subscription has an account.
UP = """
create policy directory on subscriptions for select to current_user using (true);
create policy directory on test_clocks for select to current_user using (true);

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
    union select app_uuid from test_clocks where due_at <= at;
end;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
