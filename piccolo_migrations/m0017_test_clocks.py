"""Test clocks: a time of their own for tenants of test accounts."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T01:17:00"
VERSION = "1.38.0"
DESCRIPTION = "test clocks"

UP = f"""
create table test_clocks (
    app_uuid       uuid        not null,
    uuid           uuid        not null,
    name           text,
    status         text        not null check (status in ('ready', 'advancing')),
    now            timestamptz not null,
    advancing_to   timestamptz,
    failure        text,
    due_at         timestamptz,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    deleted_at     timestamptz,
    constraint test_clocks_pkey primary key (app_uuid, uuid),
    constraint test_clocks_app_fkey foreign key (app_uuid) references apps (app_uuid),
    constraint test_clocks_advancing_check
        check ((status = 'advancing') = (advancing_to is not null))
);
create index test_clocks_due_idx on test_clocks (due_at, app_uuid) where due_at is not null;
{isolated("test_clocks")}

alter table tenants
    add column test_clock_uuid uuid,
    add constraint tenants_test_clock_fkey
        foreign key (app_uuid, test_clock_uuid) references test_clocks (app_uuid, uuid);
create index tenants_test_clock_idx
    on tenants (app_uuid, test_clock_uuid) where test_clock_uuid is not null;

alter table subscriptions
    add constraint subscriptions_test_clock_fkey
        foreign key (app_uuid, test_clock_uuid) references test_clocks (app_uuid, uuid);
create index subscriptions_test_clock_idx
    on subscriptions (app_uuid, test_clock_uuid, due_at) where test_clock_uuid is not null;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
