"""Payments of the app's own amount, and those that are authorized first and captured later."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-29T00:24:00"
VERSION = "1.38.0"
DESCRIPTION = "direct payments and captures"

UP = f"""
alter table checkout_sessions
    drop constraint checkout_sessions_mode_check,
    add constraint checkout_sessions_mode_check
        check (mode in ('setup', 'payment', 'subscription', 'recovery', 'direct')),
    drop constraint checkout_sessions_price_check,
    add constraint checkout_sessions_price_check
        check ((mode in ('setup', 'recovery', 'direct')) = (price_uuid is null));

alter table payments
    add column captured_minor bigint check (captured_minor between 0 and amount_minor);

create table captures (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    payment_provider_uuid  uuid        not null,
    payment_uuid           uuid        not null,
    status                 text        not null
        check (status in ('requested', 'pending', 'succeeded', 'failed', 'declined')),
    provider_ref           text,
    currency               char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    amount_minor           bigint      not null check (amount_minor > 0),
    description            text,
    decline_reason         text,
    first_submitted_at     timestamptz not null,
    tries                  integer     not null,
    lease_until            timestamptz not null,
    due_at                 timestamptz not null,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint captures_pkey primary key (app_uuid, uuid),
    constraint captures_provider_ref_key unique (app_uuid, payment_provider_uuid, provider_ref),
    constraint captures_payment_fkey
        foreign key (app_uuid, payment_uuid) references payments (app_uuid, uuid)
);
create index captures_payment_idx on captures (app_uuid, payment_uuid);
create index captures_due_idx on captures (due_at, app_uuid) where status = 'requested';
{isolated("captures")}
create policy directory on captures for select to current_user using (true);

create or replace function apps_with_due_work(at timestamptz) returns setof uuid
    language sql stable security definer set search_path = public
begin atomic
    select app_uuid from inbox where due_at <= at
    union select app_uuid from outbox where due_at <= at
    union select app_uuid from payment_attempts
           where status = 'submitting' and due_at <= at
    union select app_uuid from payments where due_at <= at
    union select app_uuid from refunds where status = 'requested' and due_at <= at
    union select app_uuid from captures where status = 'requested' and due_at <= at
    union select app_uuid from checkout_sessions where status = 'open' and due_at <= at
    union select app_uuid from (select distinct app_uuid from payment_providers) as p
           where exists (select from subscriptions s
                          where s.app_uuid = p.app_uuid and s.test_clock_uuid is null
                            and s.due_at <= at)
    union select app_uuid from test_clocks where due_at <= at;
end;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
