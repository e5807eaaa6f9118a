"""A tenant at a provider, and the permissions to charge it again."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T00:06:00"
VERSION = "1.38.0"
DESCRIPTION = "customers and mandates"

UP = f"""
create table customers (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    payment_provider_uuid  uuid        not null,
    tenant_uuid            uuid        not null,
    provider_ref           text,
    lease_until            timestamptz not null,
    first_submitted_at     timestamptz not null,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint customers_pkey primary key (app_uuid, uuid),
    constraint customers_tenant_key unique (app_uuid, payment_provider_uuid, tenant_uuid),
    constraint customers_provider_ref_key unique (app_uuid, payment_provider_uuid, provider_ref),
    constraint customers_payment_provider_fkey foreign key (app_uuid, payment_provider_uuid)
        references payment_providers (app_uuid, uuid),
    constraint customers_tenant_fkey
        foreign key (app_uuid, tenant_uuid) references tenants (app_uuid, uuid)
);
{isolated("customers")}

create table mandates (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    payment_provider_uuid  uuid        not null,
    tenant_uuid            uuid        not null,
    customer_ref           text        not null,
    provider_ref           text        not null,
    method                 text        not null,
    status                 text        not null check (status in ('pending', 'valid', 'invalid')),
    details                jsonb       not null,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint mandates_pkey primary key (app_uuid, uuid),
    constraint mandates_provider_ref_key unique (app_uuid, payment_provider_uuid, provider_ref),
    constraint mandates_payment_provider_fkey foreign key (app_uuid, payment_provider_uuid)
        references payment_providers (app_uuid, uuid),
    constraint mandates_tenant_fkey
        foreign key (app_uuid, tenant_uuid) references tenants (app_uuid, uuid)
);
create index mandates_tenant_idx on mandates (app_uuid, tenant_uuid);
{isolated("mandates")}
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
