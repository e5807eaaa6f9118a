"""How an app bills: one row per app that has said something; without one, the defaults rule."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T01:14:00"
VERSION = "1.38.0"
DESCRIPTION = "billing policies"

UP = f"""
create table billing_policies (
    app_uuid              uuid        not null,
    time_zone             text        not null check (char_length(time_zone) between 1 and 64),
    retry_days            smallint[]  not null check (cardinality(retry_days) <= 10),
    grace_days            smallint    not null check (grace_days between 0 and 60),
    final_action          text        not null
        check (final_action in ('cancel', 'pause', 'keep')),
    missed_periods        text        not null check (missed_periods in ('bill', 'skip')),
    chargeback_action     text        not null
        check (chargeback_action in ('suspend', 'recollect', 'write_off')),
    minimum_charge_minor  bigint      not null check (minimum_charge_minor >= 0),
    created_at            timestamptz not null,
    updated_at            timestamptz not null,
    constraint billing_policies_pkey primary key (app_uuid),
    constraint billing_policies_app_fkey foreign key (app_uuid) references apps (app_uuid)
);
{isolated("billing_policies")}
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
