"""The role that the program works as; apps, and who may vouch for their users."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import ROLE, isolated, migration

ID = "2026-11-21T00:01:00"
VERSION = "1.38.0"
DESCRIPTION = "apps and jwt issuers"

# Roles belong to the whole server: another database's migration may make it at the same moment.
UP = f"""
do $$ begin
    create role {ROLE} nologin;
exception when duplicate_object or unique_violation then null;
end $$;

grant usage on schema public to {ROLE};
grant {ROLE} to current_user;
grant select on migration to {ROLE};  -- readiness compares it with the code

create table apps (
    app_uuid       uuid        not null,
    name           text        not null check (char_length(name) between 1 and 200),
    is_disabled    boolean     not null default false,
    allowed_hosts  text[]      not null default '{{}}',
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    constraint apps_pkey primary key (app_uuid)
);
{isolated("apps")}

create table jwt_issuers (
    app_uuid     uuid        not null,
    uuid         uuid        not null,
    issuer       text        not null check (char_length(issuer) between 1 and 255),
    algorithm    text        not null check (algorithm in ('RS256', 'ES256', 'EdDSA')),
    jwks_url     text,
    public_keys  text[]      not null default '{{}}',
    created_at   timestamptz not null,
    constraint jwt_issuers_pkey primary key (app_uuid, uuid),
    constraint jwt_issuers_issuer_key unique (app_uuid, issuer),
    constraint jwt_issuers_app_fkey foreign key (app_uuid) references apps (app_uuid),
    constraint jwt_issuers_keys_check
        check ((jwks_url is null) <> (cardinality(public_keys) = 0))
);
{isolated("jwt_issuers", verbs="select, insert, update, delete")}
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
