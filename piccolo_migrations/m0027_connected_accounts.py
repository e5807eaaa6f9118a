"""Accounts that a merchant connects by consent instead of a key, and what is taken of theirs."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-29T00:27:00"
VERSION = "1.38.0"
DESCRIPTION = "connected accounts"

# Secrets that change every hour have a table of their own: an account's row is read by everything.
UP = f"""
alter table payment_providers
    alter column credential_sealed drop not null,
    add column connected_by text not null default 'api_key'
        check (connected_by in ('api_key', 'oauth')),
    add column is_connected boolean not null default true,
    add column account_ref text check (char_length(account_ref) between 1 and 120),
    add column profile_ref text check (char_length(profile_ref) between 1 and 120),
    add column provider_metadata jsonb,
    add column disconnected_because text check (disconnected_because in ('app', 'merchant')),
    add column application_fee jsonb,
    add constraint payment_providers_credential_check
        check ((connected_by = 'api_key') = (credential_sealed is not null)),
    add constraint payment_providers_fee_check
        check (application_fee is null or connected_by = 'oauth');
create unique index payment_providers_connection_key
    on payment_providers (app_uuid, name, mode) where connected_by = 'oauth' and deleted_at is null;

create table provider_grants (
    app_uuid               uuid   not null,
    payment_provider_uuid  uuid   not null,
    state_hash             bytea,
    state_issued_at        timestamptz,
    code_hash              bytea,
    code_used_at           timestamptz,
    finished_at            timestamptz,
    organization_ref       text,
    profile_ref            text,
    onboarding_url         text,
    refresh_sealed         bytea,
    access_sealed          bytea,
    access_since           timestamptz,
    access_expires_at      timestamptz,
    lease_until            timestamptz,
    fence                  bigint not null,
    constraint provider_grants_pkey primary key (app_uuid, payment_provider_uuid),
    constraint provider_grants_payment_provider_fkey
        foreign key (app_uuid, payment_provider_uuid) references payment_providers (app_uuid, uuid),
    constraint provider_grants_state_check
        check ((state_hash is null) = (state_issued_at is null)),
    constraint provider_grants_tokens_check check (
        num_nulls(refresh_sealed, access_sealed, access_since) in (0, 3)
        and (refresh_sealed is null or access_expires_at is not null))
);
{isolated("provider_grants")}

create or replace function apps_with_due_sweeps(at timestamptz) returns setof uuid
    language sql stable security definer set search_path = public
begin atomic
    select distinct app_uuid from payment_providers
     where deleted_at is null and is_connected and sweep_due_at <= at;
end;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
