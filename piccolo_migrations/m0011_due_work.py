"""Which apps have work waiting: the one question that crosses apps."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import migration

ID = "2026-11-21T00:11:00"
VERSION = "1.38.0"
DESCRIPTION = "due work"

# A worker first asks which apps have something due, then claims their rows app by app, each under
# that app's row-level security. Indexes on due rows begin with `due_at`, so the question reads
# what is due and nothing else. The function runs as its owner; FORCE binds owners too, hence the
# policies. It returns nothing but the apps' ids.
UP = """
create policy directory on inbox for select to current_user using (true);
create policy directory on outbox for select to current_user using (true);
create policy directory on payment_attempts for select to current_user using (true);
create policy directory on payments for select to current_user using (true);
create policy directory on refunds for select to current_user using (true);
create policy directory on checkout_sessions for select to current_user using (true);

create function apps_with_due_work(at timestamptz) returns setof uuid
    language sql stable security definer set search_path = public
begin atomic
    select app_uuid from inbox where due_at <= at
    union select app_uuid from outbox where due_at <= at
    union select app_uuid from payment_attempts
           where status = 'submitting' and due_at <= at
    union select app_uuid from payments where due_at <= at
    union select app_uuid from refunds where status = 'requested' and due_at <= at
    union select app_uuid from checkout_sessions where status = 'open' and due_at <= at;
end;
revoke all on function apps_with_due_work from public;
grant execute on function apps_with_due_work to kontor_app;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
