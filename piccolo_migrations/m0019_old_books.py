"""Brings what was sold before there were bills and books into them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import APP_SETTING, migration

ID = "2026-11-21T01:19:00"
VERSION = "1.38.0"
DESCRIPTION = "bills and postings of what was sold before"

# One app at a time, as the program itself would: row-level security binds the owner too. A fresh
# database has no app, and nothing happens here.
UP = f"""
do $$
declare app uuid;
begin
for app in select * from apps_with_accounts() loop
    perform set_config('{APP_SETTING}', app::text, true);

    update payments p
       set is_verification = (s.mode = 'setup'),
           tax_minor = case when s.mode = 'setup' or p.is_surplus or p.paid_at is null
                            then 0 else s.tax_minor end
      from checkout_sessions s
     where p.app_uuid = app and s.app_uuid = app and s.uuid = p.checkout_session_uuid;

    -- What went back without us is found by the next look, which reads it when sums differ.
    update payments p
       set charged_back_minor = 0, due_at = now(),
           refunded_minor = (select coalesce(sum(r.amount_minor), 0) from refunds r
                              where r.app_uuid = app and r.payment_uuid = p.uuid
                                and r.status = 'refunded')
     where p.app_uuid = app and (p.charged_back_minor > 0 or p.refunded_minor > 0);

    insert into bills (app_uuid, uuid, subscription_uuid, tenant_uuid, payment_provider_uuid, kind,
           period_number, status, lines, currency, subtotal_minor, tax_minor, total_minor,
           balance_applied_minor, open_minor, tries, payment_uuid, issued_at, closed_at,
           created_at, updated_at)
    select app, gen_random_uuid(), s.uuid, s.tenant_uuid, s.payment_provider_uuid, 'period',
           p.number, 'paid',
           jsonb_build_array(jsonb_build_object(
               'description', o.name, 'quantity', s.quantity, 'subtotal_minor', p.subtotal_minor,
               'tax_minor', p.tax_minor, 'total_minor', p.total_minor,
               'starts_at', p.starts_at, 'ends_at', p.ends_at)),
           p.currency, p.subtotal_minor, p.tax_minor, p.total_minor, 0, 0, 0, p.payment_uuid,
           p.starts_at, p.starts_at, p.created_at, p.created_at
      from subscription_periods p
      join subscriptions s on s.app_uuid = app and s.uuid = p.subscription_uuid
      join products o on o.app_uuid = app and o.uuid = s.product_uuid
     where p.app_uuid = app and p.bill_uuid is null;

    update subscription_periods p set bill_uuid = b.uuid
      from bills b
     where p.app_uuid = app and b.app_uuid = app and b.subscription_uuid = p.subscription_uuid
       and b.period_number = p.number and p.bill_uuid is null;

    update mandates m set is_default = true
     where m.app_uuid = app and m.status = 'valid'
       and m.uuid = (select uuid from mandates o
                      where o.app_uuid = app and o.tenant_uuid = m.tenant_uuid
                        and o.payment_provider_uuid = m.payment_provider_uuid
                        and o.status = 'valid'
                      order by uuid limit 1);

    update subscriptions s
       set paid_through = p.ends_at, due_at = p.ends_at,
           mandate_uuid = (
               select m.uuid from payments y
                 join mandates m on m.app_uuid = app and m.provider_ref = y.mandate_ref
                  and m.payment_provider_uuid = y.payment_provider_uuid
                where y.app_uuid = app and y.uuid = p.payment_uuid)
      from subscription_periods p
     where s.app_uuid = app and p.app_uuid = app and p.subscription_uuid = s.uuid
       and s.due_at is null
       and p.number = (select max(number) from subscription_periods
                        where app_uuid = app and subscription_uuid = s.uuid);

    -- Nobody was charged since: those days cost nothing, and what comes next begins today.
    insert into subscription_periods (app_uuid, subscription_uuid, number, kind, starts_at,
           ends_at, currency, subtotal_minor, tax_minor, total_minor, created_at)
    select app, s.uuid, p.number + 1, 'skipped', p.ends_at, now(), p.currency, 0, 0, 0, now()
      from subscriptions s
      join lateral (select * from subscription_periods
                     where app_uuid = app and subscription_uuid = s.uuid
                     order by number desc limit 1) as p on true
     where s.app_uuid = app and p.ends_at < now();

    update subscriptions s
       set anchor_at = p.ends_at, anchor_number = p.number + 1, due_at = p.ends_at
      from subscription_periods p
     where s.app_uuid = app and p.app_uuid = app and p.subscription_uuid = s.uuid
       and p.kind = 'skipped';

    insert into subscription_history (app_uuid, subscription_uuid, number, new_status, reason, at,
           recorded_at)
    select app, s.uuid, 1, s.status, 'checked_out', p.starts_at, s.created_at
      from subscriptions s
      join subscription_periods p on p.app_uuid = app and p.subscription_uuid = s.uuid
       and p.number = 1
     where s.app_uuid = app;

    insert into ledger_postings (app_uuid, uuid, kind, source_uuid, tenant_uuid, currency,
           receivable, revenue, tax, happened_at)
    select app, gen_random_uuid(), kind, uuid, tenant_uuid, currency, total_minor,
           -subtotal_minor, -tax_minor, at
      from (select 'bill.issued' as kind, uuid, tenant_uuid, currency, total_minor,
                   subtotal_minor, tax_minor, issued_at as at
              from bills where app_uuid = app
             union all
            select 'sale.made', uuid, tenant_uuid, currency, total_minor, subtotal_minor,
                   tax_minor, paid_at
              from one_time_payments where app_uuid = app) as sold
     where total_minor > 0;

    insert into ledger_postings (app_uuid, uuid, kind, source_uuid, tenant_uuid, currency, cash,
           receivable, held, facts, happened_at)
    select app, gen_random_uuid(), 'payment.received', uuid, tenant_uuid, currency, amount_minor,
           case when is_surplus or is_verification then 0 else -amount_minor end,
           case when is_surplus or is_verification then -amount_minor else 0 end,
           jsonb_build_object('paymentUuid', uuid), paid_at
      from payments
     where app_uuid = app and paid_at is not null and amount_minor > 0;

    insert into ledger_postings (app_uuid, uuid, kind, source_uuid, tenant_uuid, currency, held,
           cash, facts, happened_at)
    select app, gen_random_uuid(), 'refund.made', r.uuid, p.tenant_uuid, r.currency,
           r.amount_minor, -r.amount_minor, jsonb_build_object('paymentUuid', p.uuid),
           r.updated_at
      from refunds r
      join payments p on p.app_uuid = app and p.uuid = r.payment_uuid
     where r.app_uuid = app and r.status = 'refunded';
end loop;
perform set_config('{APP_SETTING}', '', true);
end $$;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
