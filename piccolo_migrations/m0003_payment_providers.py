"""An app's accounts at Mollie and others. Credentials are sealed before they come here."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T00:03:00"
VERSION = "1.38.0"
DESCRIPTION = "payment providers"

# The webhook knows the account and not the app. This function tells the app of one account, and
# nothing else: it cannot be used to list. It runs as its owner, so the owner needs a policy
# (FORCE binds owners too, unless they are superusers).
UP = f"""
create table payment_providers (
    app_uuid                   uuid        not null,
    uuid                       uuid        not null,
    id                         bigint      generated always as identity,
    name                       text        not null check (name in ('mollie', 'komoju')),
    mode                       text        not null check (mode in ('test', 'live')),
    title                      text        not null check (char_length(title) between 1 and 200),
    is_default                 boolean     not null,
    credential_sealed          bytea       not null,
    credential_hint            text        not null,
    verification_amount_minor  bigint      check (verification_amount_minor > 0),
    created_at                 timestamptz not null,
    updated_at                 timestamptz not null,
    deleted_at                 timestamptz,
    constraint payment_providers_pkey primary key (app_uuid, uuid),
    constraint payment_providers_app_fkey foreign key (app_uuid) references apps (app_uuid)
);
create unique index payment_providers_default_key
    on payment_providers (app_uuid, name) where is_default and deleted_at is null;
create index payment_providers_uuid_idx on payment_providers (uuid);
{isolated("payment_providers")}
create policy directory on payment_providers for select to current_user using (true);

create function app_of_payment_provider(provider uuid) returns uuid
    language sql stable security definer set search_path = public
    return (select p.app_uuid from payment_providers as p where p.uuid = provider limit 1);
revoke all on function app_of_payment_provider from public;
grant execute on function app_of_payment_provider to kontor_app;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
