"""Money on its way back: the intent, and what the provider made of it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T00:08:00"
VERSION = "1.38.0"
DESCRIPTION = "refunds"

UP = f"""
create table refunds (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    payment_provider_uuid  uuid        not null,
    payment_uuid           uuid        not null,
    reason                 text        not null check (reason in ('verification', 'surplus')),
    status                 text        not null check (status in
        ('requested', 'queued', 'pending', 'processing', 'refunded', 'failed', 'canceled',
         'declined')),
    provider_ref           text,
    currency               char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    amount_minor           bigint      not null check (amount_minor > 0),
    decline_reason         text,
    first_submitted_at     timestamptz not null,
    tries                  integer     not null,
    lease_until            timestamptz not null,
    due_at                 timestamptz not null,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint refunds_pkey primary key (app_uuid, uuid),
    constraint refunds_provider_ref_key unique (app_uuid, payment_provider_uuid, provider_ref),
    constraint refunds_once_key unique (app_uuid, payment_uuid, reason),
    constraint refunds_payment_fkey
        foreign key (app_uuid, payment_uuid) references payments (app_uuid, uuid)
);
create index refunds_due_idx on refunds (due_at, app_uuid) where status = 'requested';
{isolated("refunds")}
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
