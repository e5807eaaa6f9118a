"""Proofs about subscriptions: what is owed is posted as owed, periods follow one another, and
nobody is forgotten."""

from typing import Final

from infrastructure.postgres.audit import Proof

RECEIVABLE_IS_OPEN: Final = Proof(
    name="receivable-is-open",
    claim="what tenants owe by the ledger is what is open on their bills",
    query="""
        select coalesce(b.tenant_uuid, l.tenant_uuid) as tenant_uuid,
               coalesce(b.currency, l.currency) as currency,
               coalesce(b.minor, 0) as open, coalesce(l.minor, 0) as posted
          from (select tenant_uuid, currency, sum(open_minor) as minor from bills
                 where app_uuid = $1 group by tenant_uuid, currency) b
          full join (select tenant_uuid, currency, sum(receivable) as minor
                       from ledger_postings where app_uuid = $1
                      group by tenant_uuid, currency) l
            on l.tenant_uuid = b.tenant_uuid and l.currency = b.currency
         where coalesce(b.minor, 0) <> coalesce(l.minor, 0)
         order by 1, 2
    """,
)

# A bill's own postings are all that is told of it until a payment comes, which may be for several.
RECEIVABLE_PER_BILL: Final = Proof(
    name="receivable-per-bill",
    claim="what is open on a bill without a payment is its total, less credit, void or written off",
    query="""
        select b.uuid as bill_uuid, b.status, b.currency, b.open_minor as open,
               coalesce(sum(l.receivable), 0) as posted
          from bills b
          left join ledger_postings l on l.app_uuid = $1 and l.source_uuid = b.uuid
         where b.app_uuid = $1 and b.payment_uuid is null
         group by b.uuid, b.status, b.currency, b.open_minor
        having coalesce(sum(l.receivable), 0) <> b.open_minor
         order by b.uuid
    """,
)

# A bill that was opened again may be settled in parts, by several payments: the first proof has it.
PAYMENTS_SETTLE_BILLS: Final = Proof(
    name="payments-settle-bills",
    claim="what a payment settles by the ledger is what was open on its bills, or its sale",
    query="""
        with settled as (
            select payment_uuid, sum(minor) as minor
              from (select b.payment_uuid, b.total_minor - b.balance_applied_minor as minor
                      from bills b where b.app_uuid = $1 and b.payment_uuid is not null
                    union all
                    select payment_uuid, total_minor from one_time_payments
                     where app_uuid = $1
                    union all
                    select p.uuid, p.amount_minor
                      from payments p
                      join checkout_sessions c
                        on c.app_uuid = $1 and c.uuid = p.checkout_session_uuid
                     where p.app_uuid = $1 and c.mode = 'direct' and p.status = 'paid'
                       and not p.is_surplus) s
             group by payment_uuid
        )
        select p.uuid as payment_uuid, p.provider_ref, p.currency, s.minor as settles,
               -l.receivable as posted
          from payments p
          join ledger_postings l on l.app_uuid = $1 and l.source_uuid = p.uuid
               and l.kind = 'payment.received'
          left join settled s on s.payment_uuid = p.uuid
         where p.app_uuid = $1 and -l.receivable <> coalesce(s.minor, 0)
           and not exists (select from ledger_postings o
                where o.app_uuid = $1 and o.kind = 'bill.reopened'
                  and o.tenant_uuid = p.tenant_uuid)
         order by p.uuid
    """,
)

PAID_BILLS_HAVE_MONEY: Final = Proof(
    name="paid-bills-have-money",
    claim="a paid bill was paid by credit, or by a paid payment of the same tenant and currency",
    query="""
        select b.uuid as bill_uuid, b.currency, b.total_minor, b.balance_applied_minor,
               b.payment_uuid, p.status as payment_status, p.is_surplus
          from bills b
          left join payments p on p.app_uuid = $1 and p.uuid = b.payment_uuid
         where b.app_uuid = $1 and b.status = 'paid'
           and b.total_minor > b.balance_applied_minor
           and (p.status, p.is_surplus, p.is_verification, p.tenant_uuid, p.currency)
               is distinct from ('paid', false, false, b.tenant_uuid, b.currency)
         order by b.uuid
    """,
)

PERIODS_FOLLOW: Final = Proof(
    name="periods-follow",
    claim="a subscription's periods follow one another: no overlap, and no gap but after a pause",
    query="""
        select f.subscription_uuid, f.number, f.ended_at, f.starts_at,
               case when f.starts_at < f.ended_at then 'overlap'
                    when f.starts_at > f.ended_at then 'gap' else 'number' end as fault
          from (select subscription_uuid, number, starts_at,
                       lag(ends_at) over one as ended_at, lag(number) over one as before
                  from subscription_periods where app_uuid = $1
                window one as (partition by subscription_uuid order by number)) f
         where f.before is not null
           and (f.number <> f.before + 1 or f.starts_at < f.ended_at
                or f.starts_at > f.ended_at and not exists (
                   select from subscription_history h
                    where h.app_uuid = $1 and h.subscription_uuid = f.subscription_uuid
                      and h.old_status = 'paused' and h.at = f.starts_at))
         order by f.subscription_uuid, f.number
    """,
)

PERIODS_HAVE_BILLS: Final = Proof(
    name="periods-have-bills",
    claim="a period's bill is of the same subscription, and the period of a bill knows it",
    query="""
        select coalesce(p.subscription_uuid, b.subscription_uuid) as subscription_uuid,
               coalesce(p.number, b.period_number) as number, p.kind, p.bill_uuid as bill_of_period,
               b.uuid as bill_uuid, b.subscription_uuid as subscription_of_bill
          from (select * from subscription_periods where app_uuid = $1) p
          full join (select * from bills where app_uuid = $1 and kind = 'period') b
            on b.subscription_uuid = p.subscription_uuid and b.period_number = p.number
         where b.uuid is distinct from p.bill_uuid
           and not exists (select from bills c where c.app_uuid = $1 and c.uuid = p.bill_uuid
                and c.subscription_uuid = p.subscription_uuid and c.kind = 'change'
                and b.uuid is null)
         order by 1, 2
    """,
)

COLLECTING_IS_UNDER_WAY: Final = Proof(
    name="collecting-is-under-way",
    claim="a subscription that is collecting has a charge under way",
    query="""
        select s.uuid as subscription_uuid, s.status, s.updated_at
          from subscriptions s
         where s.app_uuid = $1 and s.status in ('collecting', 'incomplete')
           and not exists (
               select from bills b join payment_attempts a
                      on a.app_uuid = $1 and a.bill_uuid = b.uuid
                where b.app_uuid = $1 and b.subscription_uuid = s.uuid
                  and a.status in ('submitting', 'needs_review'))
           and not exists (
               select from bills b join payments p on p.app_uuid = $1 and p.bill_uuid = b.uuid
                where b.app_uuid = $1 and b.subscription_uuid = s.uuid
                  and p.status in ('open', 'pending', 'authorized'))
         order by s.uuid
    """,
)

NOBODY_IS_FORGOTTEN: Final = Proof(
    name="nobody-is-forgotten",
    claim="a living subscription has a next step; due for a day, it is not left alone for a day",
    query="""
        select uuid as subscription_uuid, status, due_at
          from subscriptions
         where app_uuid = $1
           and (status in ('trialing', 'active', 'past_due') and due_at is null
                or test_clock_uuid is null
                   and greatest(due_at, updated_at) < $2::timestamptz - interval '1 day'
                   and due_at is not null)
         order by uuid
    """,
)

HISTORY_IS_COMPLETE: Final = Proof(
    name="history-is-complete",
    claim="each move of a subscription begins where the last one ended, and the last one is now",
    query="""
        select s.uuid as subscription_uuid, s.status, h.number, h.old_status, h.new_status
          from subscriptions s
          join (select subscription_uuid, number, old_status, new_status,
                       lag(new_status) over one as before,
                       lead(number) over one is null as is_last
                  from subscription_history where app_uuid = $1
                window one as (partition by subscription_uuid order by number)) h
            on h.subscription_uuid = s.uuid
         where s.app_uuid = $1
           and (h.before is distinct from h.old_status
                or h.is_last and h.new_status <> s.status)
         order by s.uuid, h.number
    """,
)

PROOFS: Final = (
    RECEIVABLE_IS_OPEN,
    RECEIVABLE_PER_BILL,
    PAYMENTS_SETTLE_BILLS,
    PAID_BILLS_HAVE_MONEY,
    PERIODS_FOLLOW,
    PERIODS_HAVE_BILLS,
    COLLECTING_IS_UNDER_WAY,
    NOBODY_IS_FORGOTTEN,
    HISTORY_IS_COMPLETE,
)
