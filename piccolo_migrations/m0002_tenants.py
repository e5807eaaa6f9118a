"""Tenants, who acts for them, and API keys."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T00:02:00"
VERSION = "1.38.0"
DESCRIPTION = "tenants, memberships, api keys"

UP = f"""
create table tenants (
    app_uuid    uuid        not null,
    uuid        uuid        not null,
    name        text        not null check (char_length(name) between 1 and 200),
    email       text        check (char_length(email) <= 320),
    metadata    jsonb       not null default '{{}}',
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    constraint tenants_pkey primary key (app_uuid, uuid),
    constraint tenants_app_fkey foreign key (app_uuid) references apps (app_uuid)
);
{isolated("tenants")}

create table memberships (
    app_uuid     uuid        not null,
    tenant_uuid  uuid        not null,
    user_uuid    uuid        not null,
    role         text        not null check (role in ('admin', 'member')),
    created_at   timestamptz not null,
    constraint memberships_pkey primary key (app_uuid, tenant_uuid, user_uuid),
    constraint memberships_tenant_fkey
        foreign key (app_uuid, tenant_uuid) references tenants (app_uuid, uuid)
);
create index memberships_user_idx on memberships (app_uuid, user_uuid);
{isolated("memberships", verbs="select, insert, update, delete")}

create table api_keys (
    app_uuid     uuid        not null,
    uuid         uuid        not null,
    key_type     text        not null check (key_type in ('read', 'write')),
    name         text        not null,
    secret_hash  bytea       not null,
    hint         text        not null,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    created_at   timestamptz not null,
    constraint api_keys_pkey primary key (app_uuid, uuid),
    constraint api_keys_secret_key unique (app_uuid, secret_hash),
    constraint api_keys_app_fkey foreign key (app_uuid) references apps (app_uuid)
);
{isolated("api_keys")}
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
