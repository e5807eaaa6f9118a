"""Money that went back: chargebacks, and refunds that an app or the provider's dashboard made."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T01:15:00"
VERSION = "1.38.0"
DESCRIPTION = "chargebacks, refunds of every origin, default mandates"

UP = f"""
create table chargebacks (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    payment_provider_uuid  uuid        not null,
    payment_uuid           uuid        not null,
    provider_ref           text        not null,
    currency               char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    amount_minor           bigint      not null check (amount_minor > 0),
    reason                 text,
    received_at            timestamptz not null,
    reversed_at            timestamptz,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint chargebacks_pkey primary key (app_uuid, uuid),
    constraint chargebacks_provider_ref_key unique (app_uuid, payment_provider_uuid, provider_ref),
    constraint chargebacks_payment_fkey
        foreign key (app_uuid, payment_uuid) references payments (app_uuid, uuid)
);
create index chargebacks_payment_idx on chargebacks (app_uuid, payment_uuid);
{isolated("chargebacks")}

alter table refunds
    add column description text,
    drop constraint refunds_reason_check,
    add constraint refunds_reason_check
        check (reason in ('verification', 'surplus', 'requested', 'dashboard')),
    drop constraint refunds_once_key;
create unique index refunds_once_key
    on refunds (app_uuid, payment_uuid, reason) where reason in ('verification', 'surplus');
create index refunds_payment_idx on refunds (app_uuid, payment_uuid);

alter table mandates add column is_default boolean not null default false;
create unique index mandates_default_key
    on mandates (app_uuid, payment_provider_uuid, tenant_uuid) where is_default;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
