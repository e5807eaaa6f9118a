"""What can be bought: products, their images and prices, and tax rates."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T00:05:00"
VERSION = "1.38.0"
DESCRIPTION = "products, prices, tax rates"

UP = f"""
create table products (
    app_uuid                  uuid        not null,
    uuid                      uuid        not null,
    product_id                text,
    name                      text        not null check (char_length(name) between 1 and 250),
    description               text        check (char_length(description) <= 5000),
    shippable                 boolean     not null,
    package_dimension_height  integer     check (package_dimension_height >= 0),
    package_dimension_width   integer     check (package_dimension_width >= 0),
    package_dimension_length  integer     check (package_dimension_length >= 0),
    package_dimension_weight  integer     check (package_dimension_weight >= 0),
    url                       text,
    metadata                  jsonb       not null,
    created_at                timestamptz not null,
    updated_at                timestamptz not null,
    archived_at               timestamptz,
    constraint products_pkey primary key (app_uuid, uuid),
    constraint products_app_fkey foreign key (app_uuid) references apps (app_uuid)
);
{isolated("products")}

create table product_images (
    app_uuid      uuid        not null,
    uuid          uuid        not null,
    product_uuid  uuid        not null,
    position      integer     not null,
    url           text        not null,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    constraint product_images_pkey primary key (app_uuid, uuid),
    constraint product_images_product_fkey
        foreign key (app_uuid, product_uuid) references products (app_uuid, uuid)
);
create index product_images_product_idx on product_images (app_uuid, product_uuid);
{isolated("product_images", verbs="select, insert, update, delete")}

create table prices (
    app_uuid                  uuid        not null,
    uuid                      uuid        not null,
    product_uuid              uuid        not null,
    payment_provider_uuid     uuid,
    product_price_id          text,
    currency                  char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    unit_amount_minor         bigint      not null check (unit_amount_minor >= 0),
    recurring_interval        text check (recurring_interval in ('day', 'week', 'month', 'year')),
    recurring_interval_count  integer     check (recurring_interval_count between 1 and 365),
    trial_days                integer     not null check (trial_days between 0 and 730),
    nickname                  text,
    lookup_key                text,
    metadata                  jsonb       not null,
    created_at                timestamptz not null,
    updated_at                timestamptz not null,
    archived_at               timestamptz,
    constraint prices_pkey primary key (app_uuid, uuid),
    constraint prices_product_fkey
        foreign key (app_uuid, product_uuid) references products (app_uuid, uuid),
    constraint prices_payment_provider_fkey foreign key (app_uuid, payment_provider_uuid)
        references payment_providers (app_uuid, uuid),
    constraint prices_recurring_check
        check ((recurring_interval is null) = (recurring_interval_count is null)),
    constraint prices_trial_check check (trial_days = 0 or recurring_interval is not null)
);
create index prices_product_idx on prices (app_uuid, product_uuid);
create unique index prices_lookup_key_key
    on prices (app_uuid, lookup_key) where lookup_key is not null and archived_at is null;
{isolated("prices")}

create table tax_rates (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    id                     bigint      generated always as identity,
    tax_rate_id            text,
    payment_provider_uuid  uuid,
    country_uuid           uuid        not null,
    name                   text        not null check (char_length(name) between 1 and 100),
    percentage_e4          integer     not null check (percentage_e4 between 0 and 1000000),
    inclusive              boolean     not null,
    state                  text,
    jurisdiction           text,
    description            text,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    deleted_at             timestamptz,
    constraint tax_rates_pkey primary key (app_uuid, uuid),
    constraint tax_rates_app_fkey foreign key (app_uuid) references apps (app_uuid),
    constraint tax_rates_payment_provider_fkey foreign key (app_uuid, payment_provider_uuid)
        references payment_providers (app_uuid, uuid),
    constraint tax_rates_country_fkey foreign key (country_uuid) references countries (uuid)
);
{isolated("tax_rates")}
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
