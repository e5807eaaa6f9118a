"""The ledger: one row for each money fact, all accounts side by side; never changed afterwards."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import ROLE, isolated, migration

ID = "2026-11-21T01:13:00"
VERSION = "1.38.0"
DESCRIPTION = "ledger postings, and the apps that the audit goes through"

# Both sides of a posting are one row, so that a plain CHECK holds the balance: nothing can be
# written that does not add up, not even by the owner. The role may insert and read, no more.
# The fact's key begins with the source, for "what was posted about this refund?".
# `apps_with_accounts` is for the audit: it asks each app that could have had money in turn, under
# that app's row-level security.
UP = f"""
create table ledger_postings (
    app_uuid          uuid        not null,
    uuid              uuid        not null,
    id                bigint      generated always as identity,
    kind              text        not null check (kind in
        ('bill.issued', 'sale.made', 'payment.received', 'bill.voided', 'bill.written_off',
         'balance.granted', 'balance.applied', 'refund.made', 'refund.failed',
         'chargeback.received', 'chargeback.reversed', 'bill.reopened')),
    source_uuid       uuid        not null,
    tenant_uuid       uuid        not null,
    currency          char(3)     not null check (currency ~ '^[A-Z]{{3}}$'),
    receivable        bigint      not null default 0,
    cash              bigint      not null default 0,
    revenue           bigint      not null default 0,
    tax               bigint      not null default 0,
    refunds           bigint      not null default 0,
    chargebacks       bigint      not null default 0,
    write_offs        bigint      not null default 0,
    customer_balance  bigint      not null default 0,
    held              bigint      not null default 0,
    facts             jsonb       not null default '{{}}',
    happened_at       timestamptz not null,
    recorded_at       timestamptz not null default now(),
    constraint ledger_postings_pkey primary key (app_uuid, uuid),
    constraint ledger_postings_fact_key unique (app_uuid, source_uuid, kind),
    constraint ledger_postings_tenant_fkey
        foreign key (app_uuid, tenant_uuid) references tenants (app_uuid, uuid),
    constraint ledger_postings_balance_check check (
        receivable + cash + revenue + tax + refunds + chargebacks + write_offs
        + customer_balance + held = 0),
    constraint ledger_postings_moves_check check (
        (receivable, cash, revenue, tax, refunds, chargebacks, write_offs, customer_balance, held)
        <> (0, 0, 0, 0, 0, 0, 0, 0, 0))
);
create index ledger_postings_id_idx on ledger_postings (app_uuid, id);
create index ledger_postings_tenant_idx on ledger_postings (app_uuid, tenant_uuid, id);
{isolated("ledger_postings", verbs="select, insert")}

create function apps_with_accounts() returns setof uuid
    language sql stable security definer set search_path = public
begin atomic
    select distinct app_uuid from payment_providers order by app_uuid;
end;
revoke all on function apps_with_accounts from public;
grant execute on function apps_with_accounts to {ROLE};
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
