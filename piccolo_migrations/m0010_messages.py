"""What providers tell us, what we tell the apps, and answers kept for repeats."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T00:10:00"
VERSION = "1.38.0"
DESCRIPTION = "inbox, outbox, idempotency keys"

UP = f"""
create table inbox (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    payment_provider_uuid  uuid        not null,
    provider_ref           text        not null,
    outcome                text        check (outcome in ('observed', 'ignored')),
    tries                  integer     not null,
    due_at                 timestamptz,
    received_at            timestamptz not null,
    done_at                timestamptz,
    constraint inbox_pkey primary key (app_uuid, uuid),
    constraint inbox_payment_provider_fkey foreign key (app_uuid, payment_provider_uuid)
        references payment_providers (app_uuid, uuid)
);
create index inbox_due_idx on inbox (due_at, app_uuid) where due_at is not null;
{isolated("inbox", verbs="select, insert, update, delete")}

create table outbox (
    app_uuid        uuid        not null,
    uuid            uuid        not null,
    type            text        not null,
    aggregate_uuid  uuid        not null,
    facts           jsonb       not null,
    happened_at     timestamptz not null,
    due_at          timestamptz,
    delivered_at    timestamptz,
    constraint outbox_pkey primary key (app_uuid, uuid),
    constraint outbox_app_fkey foreign key (app_uuid) references apps (app_uuid)
);
create index outbox_due_idx on outbox (due_at, app_uuid, uuid) where due_at is not null;
{isolated("outbox")}

create table idempotency_keys (
    app_uuid       uuid        not null,
    caller         text        not null,
    operation      text        not null,
    key            text        not null check (char_length(key) between 1 and 300),
    fingerprint    bytea       not null,
    subject_uuid   uuid,
    answer_status  integer,
    answer_body    bytea,
    lease_until    timestamptz not null,
    created_at     timestamptz not null,
    expires_at     timestamptz not null,
    constraint idempotency_keys_pkey primary key (app_uuid, caller, operation, key),
    constraint idempotency_keys_app_fkey foreign key (app_uuid) references apps (app_uuid),
    constraint idempotency_keys_answer_check
        check ((answer_status is null) = (answer_body is null))
);
create index idempotency_keys_expiry_idx on idempotency_keys (app_uuid, expires_at);
{isolated("idempotency_keys", verbs="select, insert, update, delete")}
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
