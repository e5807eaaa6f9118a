"""Payment sessions and their tries; what routing is told, decides, and knows of accounts."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-29T00:28:00"
VERSION = "1.38.0"
DESCRIPTION = "payment sessions, routing"

# Policies and decisions are records: nobody may change one. Provider calls are forgotten when no
# decision looks at them any more.
UP = f"""
create table routing_policies (
    app_uuid    uuid        not null,
    version     integer     not null check (version >= 1),
    policy      jsonb       not null,
    created_at  timestamptz not null,
    constraint routing_policies_pkey primary key (app_uuid, version),
    constraint routing_policies_app_fkey foreign key (app_uuid) references apps (app_uuid)
);
{isolated("routing_policies", verbs="select, insert")}

create table payment_sessions (
    app_uuid         uuid        not null,
    uuid             uuid        not null,
    tenant_uuid      uuid        not null,
    user_uuid        uuid,
    order_reference  text        not null check (char_length(order_reference) between 1 and 200),
    currency         char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    shipping_minor   bigint      not null check (shipping_minor >= 0),
    tax_minor        bigint      not null check (tax_minor >= 0),
    total_minor      bigint      not null check (total_minor > 0),
    notes            jsonb       not null,
    expires_at       timestamptz not null,
    created_at       timestamptz not null,
    constraint payment_sessions_pkey primary key (app_uuid, uuid),
    constraint payment_sessions_tenant_fkey
        foreign key (app_uuid, tenant_uuid) references tenants (app_uuid, uuid)
);
{isolated("payment_sessions")}

create table routing_decisions (
    app_uuid              uuid        not null,
    uuid                  uuid        not null,
    payment_session_uuid  uuid        not null,
    decision              jsonb       not null,
    created_at            timestamptz not null,
    constraint routing_decisions_pkey primary key (app_uuid, uuid),
    constraint routing_decisions_session_key unique (app_uuid, payment_session_uuid),
    constraint routing_decisions_session_fkey foreign key (app_uuid, payment_session_uuid)
        references payment_sessions (app_uuid, uuid)
);
{isolated("routing_decisions", verbs="select, insert")}

create table payment_session_attempts (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    payment_session_uuid   uuid        not null,
    number                 integer     not null check (number >= 1),
    payment_provider_uuid  uuid        not null,
    checkout_session_uuid  uuid,
    state                  text        not null check (state in ('live', 'abandoned')),
    is_probe               boolean     not null,
    failure                text,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint payment_session_attempts_pkey primary key (app_uuid, uuid),
    constraint payment_session_attempts_number_key unique (app_uuid, payment_session_uuid, number),
    constraint payment_session_attempts_session_fkey foreign key (app_uuid, payment_session_uuid)
        references payment_sessions (app_uuid, uuid),
    constraint payment_session_attempts_provider_fkey foreign key (app_uuid, payment_provider_uuid)
        references payment_providers (app_uuid, uuid),
    constraint payment_session_attempts_checkout_fkey foreign key (app_uuid, checkout_session_uuid)
        references checkout_sessions (app_uuid, uuid)
);
create unique index payment_session_attempts_live_key
    on payment_session_attempts (app_uuid, payment_session_uuid) where state = 'live';
{isolated("payment_session_attempts")}

create table provider_calls (
    app_uuid               uuid        not null,
    try_uuid               uuid        not null,
    payment_provider_uuid  uuid        not null,
    method                 text        not null,
    currency               char(3)     not null,
    result                 text        not null
        check (result in ('ok', 'failed', 'unreachable', 'refused', 'busy')),
    took_ms                integer     not null,
    is_probe               boolean     not null,
    at                     timestamptz not null,
    constraint provider_calls_pkey primary key (app_uuid, try_uuid),
    constraint provider_calls_provider_fkey foreign key (app_uuid, payment_provider_uuid)
        references payment_providers (app_uuid, uuid)
);
create index provider_calls_recent_idx
    on provider_calls (app_uuid, payment_provider_uuid, at desc);
{isolated("provider_calls", verbs="select, insert, delete")}

create table routing_circuits (
    app_uuid               uuid        not null,
    payment_provider_uuid  uuid        not null,
    opens                  integer     not null,
    open_until             timestamptz,
    probe_uuid             uuid,
    probe_until            timestamptz,
    refused_credential     bytea,
    changed_at             timestamptz not null,
    constraint routing_circuits_pkey primary key (app_uuid, payment_provider_uuid),
    constraint routing_circuits_provider_fkey foreign key (app_uuid, payment_provider_uuid)
        references payment_providers (app_uuid, uuid)
);
{isolated("routing_circuits")}

create index payments_outcome_idx on payments (app_uuid, payment_provider_uuid, created_at desc)
    where checkout_session_uuid is not null and status in ('authorized', 'paid', 'failed');
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
