"""Checkout sessions, what we asked of the provider for them, and what it holds."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T00:07:00"
VERSION = "1.38.0"
DESCRIPTION = "checkout sessions, payment attempts, payments"

UP = f"""
create table checkout_sessions (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    id                     bigint      generated always as identity,
    tenant_uuid            uuid        not null,
    user_uuid              uuid,
    payment_provider_uuid  uuid        not null,
    mode                   text        not null
        check (mode in ('setup', 'payment', 'subscription')),
    status                 text        not null
        check (status in ('open', 'processing', 'complete', 'expired', 'failed')),
    payment_status         text        not null
        check (payment_status in ('unpaid', 'paid', 'refunded', 'no_payment_required')),
    price_uuid             uuid,
    tax_rate_uuid          uuid,
    quantity               integer     not null check (quantity between 1 and 10000),
    currency               char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    subtotal_minor         bigint      not null check (subtotal_minor >= 0),
    tax_minor              bigint      not null check (tax_minor >= 0),
    total_minor            bigint      not null,
    terms                  jsonb       not null,
    link_token             text        not null,
    provider_ref           text,
    next_action_url        text,
    expires_at             timestamptz not null,
    due_at                 timestamptz not null,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    deleted_at             timestamptz,
    constraint checkout_sessions_pkey primary key (app_uuid, uuid),
    constraint checkout_sessions_payment_provider_fkey
        foreign key (app_uuid, payment_provider_uuid) references payment_providers (app_uuid, uuid),
    constraint checkout_sessions_tenant_fkey
        foreign key (app_uuid, tenant_uuid) references tenants (app_uuid, uuid),
    constraint checkout_sessions_price_fkey
        foreign key (app_uuid, price_uuid) references prices (app_uuid, uuid),
    constraint checkout_sessions_tax_rate_fkey
        foreign key (app_uuid, tax_rate_uuid) references tax_rates (app_uuid, uuid),
    constraint checkout_sessions_total_check check (total_minor = subtotal_minor + tax_minor),
    constraint checkout_sessions_price_check check ((mode = 'setup') = (price_uuid is null))
);
create index checkout_sessions_tenant_idx on checkout_sessions (app_uuid, tenant_uuid, uuid);
create index checkout_sessions_due_idx
    on checkout_sessions (due_at, app_uuid) where status = 'open';
{isolated("checkout_sessions")}

create table payment_attempts (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    checkout_session_uuid  uuid        not null,
    number                 integer     not null check (number >= 1),
    payment_provider_uuid  uuid        not null,
    tenant_uuid            uuid        not null,
    status                 text        not null
        check (status in ('submitting', 'accepted', 'declined', 'needs_review')),
    request                bytea       not null,
    decline_reason         text,
    first_submitted_at     timestamptz not null,
    tries                  integer     not null,
    lease_until            timestamptz not null,
    due_at                 timestamptz not null,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint payment_attempts_pkey primary key (app_uuid, uuid),
    constraint payment_attempts_number_key unique (app_uuid, checkout_session_uuid, number),
    constraint payment_attempts_session_fkey foreign key (app_uuid, checkout_session_uuid)
        references checkout_sessions (app_uuid, uuid)
);
create index payment_attempts_due_idx
    on payment_attempts (due_at, app_uuid) where status = 'submitting';
{isolated("payment_attempts")}

create table payments (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    payment_provider_uuid  uuid        not null,
    provider_ref           text        not null,
    tenant_uuid            uuid        not null,
    attempt_uuid           uuid        not null,
    checkout_session_uuid  uuid        not null,
    is_surplus             boolean     not null,
    sequence_type          text        not null
        check (sequence_type in ('oneoff', 'first', 'recurring')),
    status                 text        not null check (status in
        ('open', 'pending', 'authorized', 'paid', 'failed', 'canceled', 'expired')),
    method                 text,
    currency               char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    amount_minor           bigint      not null check (amount_minor >= 0),
    refunded_minor         bigint      not null check (refunded_minor >= 0),
    charged_back_minor     bigint      not null check (charged_back_minor >= 0),
    failure_reason         text,
    checkout_url           text,
    customer_ref           text,
    mandate_ref            text,
    paid_at                timestamptz,
    due_at                 timestamptz,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint payments_pkey primary key (app_uuid, uuid),
    constraint payments_provider_ref_key unique (app_uuid, payment_provider_uuid, provider_ref),
    constraint payments_payment_provider_fkey foreign key (app_uuid, payment_provider_uuid)
        references payment_providers (app_uuid, uuid),
    constraint payments_attempt_fkey
        foreign key (app_uuid, attempt_uuid) references payment_attempts (app_uuid, uuid),
    constraint payments_session_fkey foreign key (app_uuid, checkout_session_uuid)
        references checkout_sessions (app_uuid, uuid),
    constraint payments_tenant_fkey
        foreign key (app_uuid, tenant_uuid) references tenants (app_uuid, uuid)
);
create index payments_tenant_idx on payments (app_uuid, tenant_uuid, uuid);
create index payments_session_idx on payments (app_uuid, checkout_session_uuid);
create unique index payments_attempt_key
    on payments (app_uuid, attempt_uuid) where not is_surplus;
create index payments_due_idx on payments (due_at, app_uuid) where due_at is not null;
{isolated("payments")}
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
