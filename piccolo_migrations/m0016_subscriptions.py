"""Subscriptions that live: their states, bills, history, and what is tried to collect them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T01:16:00"
VERSION = "1.38.0"
DESCRIPTION = "bills, subscription states and history, trials, customer balances"

UP = f"""
alter table subscriptions
    alter column checkout_session_uuid drop not null,
    add column mandate_uuid      uuid,
    add column anchor_number     integer     not null default 1,
    add column trial_ends_at     timestamptz,
    add column paid_through      timestamptz,
    add column cancel_at         timestamptz,
    add column cancel_reason     text,
    add column canceled_at       timestamptz,
    add column paused_at         timestamptz,
    add column pause_reason      text
        check (pause_reason in ('requested', 'unpaid', 'chargeback')),
    add column resumes_at        timestamptz,
    add column scheduled_change  jsonb,
    add column test_clock_uuid   uuid,
    add column version           integer     not null default 1,
    add column due_at            timestamptz,
    drop constraint subscriptions_status_check,
    add constraint subscriptions_status_check check (status in ('incomplete', 'trialing',
        'active', 'collecting', 'past_due', 'paused', 'canceled', 'expired')),
    add constraint subscriptions_mandate_fkey
        foreign key (app_uuid, mandate_uuid) references mandates (app_uuid, uuid);
create index subscriptions_due_idx on subscriptions (app_uuid, due_at)
    where due_at is not null and test_clock_uuid is null;

create table bills (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    subscription_uuid      uuid        not null,
    tenant_uuid            uuid        not null,
    payment_provider_uuid  uuid        not null,
    kind                   text        not null check (kind in ('period', 'change')),
    period_number          integer,
    status                 text        not null
        check (status in ('open', 'paid', 'void', 'uncollectible')),
    lines                  jsonb       not null,
    currency               char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    subtotal_minor         bigint      not null,
    tax_minor              bigint      not null,
    total_minor            bigint      not null check (total_minor >= 0),
    balance_applied_minor  bigint      not null check (balance_applied_minor >= 0),
    open_minor             bigint      not null check (open_minor >= 0),
    change                 jsonb,
    tries                  integer     not null,
    first_failed_at        timestamptz,
    next_try_at            timestamptz,
    failure_reason         text,
    payment_uuid           uuid,
    chargeback_uuid        uuid,
    issued_at              timestamptz not null,
    closed_at              timestamptz,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint bills_pkey primary key (app_uuid, uuid),
    constraint bills_subscription_fkey foreign key (app_uuid, subscription_uuid)
        references subscriptions (app_uuid, uuid),
    constraint bills_payment_fkey
        foreign key (app_uuid, payment_uuid) references payments (app_uuid, uuid),
    constraint bills_chargeback_fkey
        foreign key (app_uuid, chargeback_uuid) references chargebacks (app_uuid, uuid),
    constraint bills_total_check check (total_minor = subtotal_minor + tax_minor),
    constraint bills_open_check check ((status = 'open') = (open_minor > 0)),
    constraint bills_period_check check ((kind = 'period') = (period_number is not null))
);
create unique index bills_period_key
    on bills (app_uuid, subscription_uuid, period_number) where kind = 'period';
create index bills_subscription_idx on bills (app_uuid, subscription_uuid, uuid);
create index bills_payment_idx on bills (app_uuid, payment_uuid) where payment_uuid is not null;
{isolated("bills")}

alter table subscription_periods
    alter column payment_uuid drop not null,
    add column kind text not null default 'billed'
        check (kind in ('billed', 'trial', 'skipped')),
    add column bill_uuid uuid,
    drop constraint subscription_periods_payment_key,
    drop constraint subscription_periods_number_check,
    add constraint subscription_periods_number_check check (number >= 0),
    add constraint subscription_periods_bill_fkey
        foreign key (app_uuid, bill_uuid) references bills (app_uuid, uuid);

create table subscription_history (
    app_uuid           uuid        not null,
    subscription_uuid  uuid        not null,
    number             integer     not null,
    old_status         text,
    new_status         text        not null,
    reason             text        not null,
    at                 timestamptz not null,
    recorded_at        timestamptz not null,
    constraint subscription_history_pkey primary key (app_uuid, subscription_uuid, number),
    constraint subscription_history_subscription_fkey foreign key (app_uuid, subscription_uuid)
        references subscriptions (app_uuid, uuid)
);
{isolated("subscription_history", verbs="select, insert")}

create table trials (
    app_uuid           uuid        not null,
    tenant_uuid        uuid        not null,
    product_uuid       uuid        not null,
    subscription_uuid  uuid        not null,
    started_at         timestamptz not null,
    constraint trials_pkey primary key (app_uuid, tenant_uuid, product_uuid),
    constraint trials_tenant_fkey
        foreign key (app_uuid, tenant_uuid) references tenants (app_uuid, uuid),
    constraint trials_product_fkey
        foreign key (app_uuid, product_uuid) references products (app_uuid, uuid)
);
{isolated("trials", verbs="select, insert")}

create table customer_balances (
    app_uuid     uuid        not null,
    tenant_uuid  uuid        not null,
    currency     char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    minor        bigint      not null check (minor >= 0),
    updated_at   timestamptz not null,
    constraint customer_balances_pkey primary key (app_uuid, tenant_uuid, currency),
    constraint customer_balances_tenant_fkey
        foreign key (app_uuid, tenant_uuid) references tenants (app_uuid, uuid)
);
{isolated("customer_balances")}

alter table payment_attempts
    alter column checkout_session_uuid drop not null,
    add column bill_uuid uuid,
    add constraint payment_attempts_owner_check
        check (num_nonnulls(checkout_session_uuid, bill_uuid) = 1),
    add constraint payment_attempts_bill_number_key unique (app_uuid, bill_uuid, number),
    add constraint payment_attempts_bill_fkey
        foreign key (app_uuid, bill_uuid) references bills (app_uuid, uuid);
create unique index payment_attempts_bill_key
    on payment_attempts (app_uuid, bill_uuid) where status = 'submitting';

alter table payments
    alter column checkout_session_uuid drop not null,
    add column bill_uuid uuid,
    add column is_verification boolean not null default false,
    add column tax_minor bigint not null default 0 check (tax_minor >= 0),
    add constraint payments_owner_check check (num_nonnulls(checkout_session_uuid, bill_uuid) = 1),
    add constraint payments_bill_fkey
        foreign key (app_uuid, bill_uuid) references bills (app_uuid, uuid);
create index payments_bill_idx on payments (app_uuid, bill_uuid) where bill_uuid is not null;

alter table checkout_sessions
    add column trial_days integer not null default 0 check (trial_days >= 0),
    add column subscription_uuid uuid,
    add column bill_uuids uuid[] not null default '{{}}',
    drop constraint checkout_sessions_mode_check,
    add constraint checkout_sessions_mode_check
        check (mode in ('setup', 'payment', 'subscription', 'recovery')),
    drop constraint checkout_sessions_price_check,
    add constraint checkout_sessions_price_check
        check ((mode in ('setup', 'recovery')) = (price_uuid is null)),
    add constraint checkout_sessions_subscription_fkey
        foreign key (app_uuid, subscription_uuid) references subscriptions (app_uuid, uuid);
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
