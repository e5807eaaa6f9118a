"""A tenant's bills: found by tenant, and each line says what it sells."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import APP_SETTING, migration

ID = "2026-11-29T00:26:00"
VERSION = "1.38.0"
DESCRIPTION = "bills of tenants"

# Bills of before did not say which price they were for. It is known of changes, and where the
# subscription has never been changed; elsewhere it stays unsaid. The last line is what is sold.
UP = f"""
create index bills_tenant_idx on bills (app_uuid, tenant_uuid, uuid);

do $$
declare app uuid;
begin
for app in select * from apps_with_accounts() loop
    perform set_config('{APP_SETTING}', app::text, true);

    update bills b
       set lines = jsonb_set(lines, '{{-1,sold}}', jsonb_build_object(
               'product_uuid', s.product_uuid, 'price_uuid', s.price_uuid,
               'tax_rate_uuid', s.tax_rate_uuid))
      from subscriptions s
     where b.app_uuid = app and s.app_uuid = app and s.uuid = b.subscription_uuid
       and b.kind = 'period' and s.version = 1;

    update bills
       set lines = jsonb_set(lines, '{{-1,sold}}', jsonb_build_object(
               'product_uuid', change -> 'product_uuid', 'price_uuid', change -> 'price_uuid',
               'tax_rate_uuid', change -> 'tax_rate_uuid'))
     where app_uuid = app and change is not null;
end loop;
perform set_config('{APP_SETTING}', '', true);
end $$;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
