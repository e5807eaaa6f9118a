"""Proofs about the ledger: it is complete, and says what bills, payments and money back say.

Together they make the accounts right: every row is posted with its amounts, no posting is about
nothing, and what stands on an account is what the rows add up to.
"""

from typing import Final

from domain.ledger.posting import Account
from infrastructure.postgres.audit import Proof

_ALL: Final = " + ".join(Account)

# Postings by the payment that they are about; $1 is the app.
_BY_PAYMENT: Final = """
    by_payment as (
        select l.source_uuid as payment_uuid, l.*
          from ledger_postings l where l.app_uuid = $1 and l.kind = 'payment.received'
        union all
        select r.payment_uuid, l.* from ledger_postings l
          join refunds r on r.app_uuid = $1 and r.uuid = l.source_uuid
         where l.app_uuid = $1 and l.kind in ('refund.made', 'refund.failed')
        union all
        select c.payment_uuid, l.* from ledger_postings l
          join chargebacks c on c.app_uuid = $1 and c.uuid = l.source_uuid
         where l.app_uuid = $1 and l.kind in ('chargeback.received', 'chargeback.reversed')
    )
"""

# What went back of each payment, for good; $1 is the app.
_MONEY_BACK: Final = """
    money_back as (
        select p.uuid as payment_uuid,
               coalesce((select sum(r.amount_minor) from refunds r
                          where r.app_uuid = $1 and r.payment_uuid = p.uuid
                            and r.status = 'refunded'), 0) as refunded,
               coalesce((select sum(c.amount_minor) from chargebacks c
                          where c.app_uuid = $1 and c.payment_uuid = p.uuid
                            and c.reversed_at is null), 0) as charged_back
          from payments p where p.app_uuid = $1
    )
"""

ACCOUNTS_ADD_UP: Final = Proof(
    name="accounts-add-up",
    claim="all accounts of a currency together are zero",
    query=f"""
        select currency, sum({_ALL}) as off
          from ledger_postings where app_uuid = $1
         group by currency having sum({_ALL}) <> 0
    """,
)

POSTINGS_HAVE_FACTS: Final = Proof(
    name="postings-have-facts",
    claim="every posting is about a row that is there",
    query="""
        select uuid as posting_uuid, kind, source_uuid
          from ledger_postings l
         where l.app_uuid = $1 and not case
               when kind = 'sale.made' then exists (select from one_time_payments s
                    where s.app_uuid = $1 and s.uuid = l.source_uuid)
                    or exists (select from checkout_sessions s
                    where s.app_uuid = $1 and s.uuid = l.source_uuid and s.mode = 'direct')
               when kind = 'payment.received' then exists (select from payments s
                    where s.app_uuid = $1 and s.uuid = l.source_uuid)
               when kind in ('refund.made', 'refund.failed') then exists (select from refunds s
                    where s.app_uuid = $1 and s.uuid = l.source_uuid)
               when kind in ('chargeback.received', 'chargeback.reversed', 'bill.reopened')
               then exists (select from chargebacks s
                    where s.app_uuid = $1 and s.uuid = l.source_uuid)
               when kind = 'balance.granted' and chargebacks <> 0
               then exists (select from chargebacks s
                    where s.app_uuid = $1 and s.uuid = l.source_uuid
                      and s.reversed_at is not null)
               else exists (select from bills s
                    where s.app_uuid = $1 and s.uuid = l.source_uuid) end
         order by id
    """,
)

SALES_ARE_POSTED: Final = Proof(
    name="sales-are-posted",
    claim="every one-time payment, direct payment and bill is posted with its own amounts",
    query="""
        select o.what, o.uuid, o.currency, o.total_minor, o.tax_minor,
               l.receivable as posted_total, -l.tax as posted_tax
          from (select 'one-time payment' as what, 'sale.made' as kind, uuid, tenant_uuid, currency,
                       subtotal_minor, tax_minor, total_minor
                  from one_time_payments where app_uuid = $1
                union all
                select 'direct payment', 'sale.made', s.uuid, s.tenant_uuid, s.currency,
                       p.amount_minor - p.tax_minor, p.tax_minor, p.amount_minor
                  from checkout_sessions s
                  join payments p on p.app_uuid = $1 and p.checkout_session_uuid = s.uuid
                   and p.status = 'paid' and not p.is_surplus
                 where s.app_uuid = $1 and s.mode = 'direct'
                union all
                select 'bill', 'bill.issued', uuid, tenant_uuid, currency,
                       subtotal_minor, tax_minor, total_minor
                  from bills where app_uuid = $1) o
          left join ledger_postings l
            on l.app_uuid = $1 and l.source_uuid = o.uuid and l.kind = o.kind
         where (o.total_minor <> 0 or l.uuid is not null)
           and (l.tenant_uuid, l.currency, l.receivable, -l.revenue, -l.tax) is distinct from
               (o.tenant_uuid, o.currency, o.total_minor, o.subtotal_minor, o.tax_minor)
         order by o.uuid
    """,
)

PAYMENTS_ARE_POSTED: Final = Proof(
    name="payments-are-posted",
    claim="every paid payment is posted as received, once and whole; no other is",
    query="""
        select p.uuid as payment_uuid, p.provider_ref, p.status, p.currency, p.amount_minor,
               l.cash as posted
          from payments p
          left join ledger_postings l
            on l.app_uuid = $1 and l.source_uuid = p.uuid and l.kind = 'payment.received'
         where p.app_uuid = $1
           and case when p.status = 'paid' and p.amount_minor > 0
                    then (l.tenant_uuid, l.currency, l.cash) is distinct from
                         (p.tenant_uuid, p.currency, p.amount_minor)
                    else l.uuid is not null end
         order by p.uuid
    """,
)

CASH_PER_PAYMENT: Final = Proof(
    name="cash-per-payment",
    claim="the cash of a payment is what was paid, less refunds, less chargebacks that stand",
    query=f"""
        with {_BY_PAYMENT}, {_MONEY_BACK}
        select p.uuid as payment_uuid, p.provider_ref, p.currency,
               case p.status when 'paid' then p.amount_minor else 0 end
               - m.refunded - m.charged_back as expected,
               coalesce(sum(l.cash), 0) as posted
          from payments p
          join money_back m on m.payment_uuid = p.uuid
          left join by_payment l on l.payment_uuid = p.uuid
         where p.app_uuid = $1
         group by p.uuid, p.provider_ref, p.currency, p.status, p.amount_minor, m.refunded,
                  m.charged_back
        having coalesce(sum(l.cash), 0) <> case p.status when 'paid' then p.amount_minor else 0 end
               - m.refunded - m.charged_back
         order by p.uuid
    """,
)

# Of a payment that bought something, what it was too much by; of others, all of it. Where that
# could not be given back, refunds that were asked for later give it back first.
HELD_PER_PAYMENT: Final = Proof(
    name="held-per-payment",
    claim="what is held of a payment is what bought nothing, less what has gone back of that",
    query=f"""
        with {_BY_PAYMENT},
        kept as (
            select f.payment_uuid, sum(least(f.amount_minor, f.since)) as minor
              from (select s.payment_uuid, s.amount_minor,
                           (select sum(r.amount_minor) from refunds r
                             where r.app_uuid = $1 and r.payment_uuid = s.payment_uuid
                               and r.reason not in ('surplus', 'verification')
                               and r.status = 'refunded' and r.created_at >= s.updated_at) as since
                      from refunds s
                     where s.app_uuid = $1 and s.reason = 'surplus'
                       and s.status in ('failed', 'canceled', 'declined')) f
             where f.since is not null
             group by f.payment_uuid
        ),
        expected as (
            select p.uuid as payment_uuid, p.provider_ref, p.currency,
                   case when p.status = 'paid' and (p.is_surplus or p.is_verification)
                        then -p.amount_minor else coalesce(l.held, 0) end
                   + coalesce((select sum(r.amount_minor) from refunds r
                          where r.app_uuid = $1 and r.payment_uuid = p.uuid
                            and r.status = 'refunded'
                            and (p.is_surplus or p.is_verification
                                 or r.reason in ('surplus', 'verification'))), 0)
                   + case when p.is_surplus or p.is_verification then 0
                          else coalesce(k.minor, 0) end as held
              from payments p
              left join kept k on k.payment_uuid = p.uuid
              left join ledger_postings l
                on l.app_uuid = $1 and l.source_uuid = p.uuid and l.kind = 'payment.received'
             where p.app_uuid = $1
        )
        select e.payment_uuid, e.provider_ref, e.currency, e.held as expected,
               coalesce(sum(l.held), 0) as posted
          from expected e left join by_payment l on l.payment_uuid = e.payment_uuid
         group by e.payment_uuid, e.provider_ref, e.currency, e.held
        having coalesce(sum(l.held), 0) <> e.held
         order by e.payment_uuid
    """,
)

TAX_GIVEN_BACK: Final = Proof(
    name="tax-given-back",
    claim="refunds give back no more tax than was paid, and all of it when all was given back",
    query="""
        with given as (
            select r.payment_uuid, sum(l.tax) as tax, sum(l.refunds + l.tax) as minor
              from ledger_postings l join refunds r on r.app_uuid = $1 and r.uuid = l.source_uuid
             where l.app_uuid = $1 and l.kind in ('refund.made', 'refund.failed')
               and l.refunds + l.tax <> 0
             group by r.payment_uuid
        )
        select p.uuid as payment_uuid, p.provider_ref, p.currency, p.tax_minor, g.tax as given_back
          from payments p
          join given g on g.payment_uuid = p.uuid
          join ledger_postings l
            on l.app_uuid = $1 and l.source_uuid = p.uuid and l.kind = 'payment.received'
         where p.app_uuid = $1
           and (g.tax not between 0 and p.tax_minor
                or (g.minor = -l.receivable and g.tax <> p.tax_minor))
         order by p.uuid
    """,
)

CUSTOMER_BALANCES: Final = Proof(
    name="customer-balances",
    claim="the credit that a tenant has is what the ledger says",
    query="""
        select coalesce(b.tenant_uuid, l.tenant_uuid) as tenant_uuid,
               coalesce(b.currency, l.currency) as currency,
               coalesce(b.minor, 0) as credit, coalesce(l.minor, 0) as posted
          from (select tenant_uuid, currency, minor from customer_balances
                 where app_uuid = $1) b
          full join (select tenant_uuid, currency, -sum(customer_balance) as minor
                       from ledger_postings where app_uuid = $1
                      group by tenant_uuid, currency) l
            on l.tenant_uuid = b.tenant_uuid and l.currency = b.currency
         where coalesce(b.minor, 0) <> coalesce(l.minor, 0)
         order by 1, 2
    """,
)

PROOFS: Final = (
    ACCOUNTS_ADD_UP,
    POSTINGS_HAVE_FACTS,
    SALES_ARE_POSTED,
    PAYMENTS_ARE_POSTED,
    CASH_PER_PAYMENT,
    HELD_PER_PAYMENT,
    TAX_GIVEN_BACK,
    CUSTOMER_BALANCES,
)
