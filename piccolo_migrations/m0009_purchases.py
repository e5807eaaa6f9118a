"""What a paid session leaves behind: one-time payments and subscriptions."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T00:09:00"
VERSION = "1.38.0"
DESCRIPTION = "one-time payments and subscriptions"

UP = f"""
create table one_time_payments (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    tenant_uuid            uuid        not null,
    user_uuid              uuid,
    payment_provider_uuid  uuid        not null,
    checkout_session_uuid  uuid        not null,
    payment_uuid           uuid        not null,
    product_uuid           uuid        not null,
    price_uuid             uuid        not null,
    tax_rate_uuid          uuid,
    units                  integer     not null check (units >= 1),
    currency               char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    subtotal_minor         bigint      not null,
    tax_minor              bigint      not null,
    total_minor            bigint      not null,
    paid_at                timestamptz not null,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint one_time_payments_pkey primary key (app_uuid, uuid),
    constraint one_time_payments_session_key unique (app_uuid, checkout_session_uuid),
    constraint one_time_payments_payment_key unique (app_uuid, payment_uuid),
    constraint one_time_payments_payment_fkey
        foreign key (app_uuid, payment_uuid) references payments (app_uuid, uuid),
    constraint one_time_payments_price_fkey
        foreign key (app_uuid, price_uuid) references prices (app_uuid, uuid),
    constraint one_time_payments_tenant_fkey
        foreign key (app_uuid, tenant_uuid) references tenants (app_uuid, uuid),
    constraint one_time_payments_total_check check (total_minor = subtotal_minor + tax_minor)
);
create index one_time_payments_tenant_idx on one_time_payments (app_uuid, tenant_uuid, uuid);
{isolated("one_time_payments")}

create table subscriptions (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    tenant_uuid            uuid        not null,
    user_uuid              uuid,
    payment_provider_uuid  uuid        not null,
    checkout_session_uuid  uuid        not null,
    product_uuid           uuid        not null,
    price_uuid             uuid        not null,
    tax_rate_uuid          uuid,
    quantity               integer     not null check (quantity >= 1),
    status                 text        not null check (status in ('active')),
    anchor_at              timestamptz not null,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint subscriptions_pkey primary key (app_uuid, uuid),
    constraint subscriptions_session_key unique (app_uuid, checkout_session_uuid),
    constraint subscriptions_price_fkey
        foreign key (app_uuid, price_uuid) references prices (app_uuid, uuid),
    constraint subscriptions_tenant_fkey
        foreign key (app_uuid, tenant_uuid) references tenants (app_uuid, uuid)
);
create index subscriptions_tenant_idx on subscriptions (app_uuid, tenant_uuid, uuid);
{isolated("subscriptions")}

create table subscription_periods (
    app_uuid           uuid        not null,
    subscription_uuid  uuid        not null,
    number             integer     not null check (number >= 1),
    starts_at          timestamptz not null,
    ends_at            timestamptz not null,
    payment_uuid       uuid        not null,
    currency           char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    subtotal_minor     bigint      not null,
    tax_minor          bigint      not null,
    total_minor        bigint      not null,
    created_at         timestamptz not null,
    constraint subscription_periods_pkey primary key (app_uuid, subscription_uuid, number),
    constraint subscription_periods_payment_key unique (app_uuid, payment_uuid),
    constraint subscription_periods_subscription_fkey foreign key (app_uuid, subscription_uuid)
        references subscriptions (app_uuid, uuid),
    constraint subscription_periods_payment_fkey
        foreign key (app_uuid, payment_uuid) references payments (app_uuid, uuid),
    constraint subscription_periods_order_check check (ends_at > starts_at),
    constraint subscription_periods_total_check check (total_minor = subtotal_minor + tax_minor)
);
{isolated("subscription_periods")}
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
