"""Proofs about payments: each settles one thing, nothing that was asked for is forgotten, and what
is not ours goes back."""

from typing import Final

from infrastructure.postgres.audit import Proof

# A verification amount that comes too late verifies nothing: it is surplus.
ONE_PURPOSE: Final = Proof(
    name="one-purpose",
    claim="every paid payment settles exactly one thing: a sale, a direct payment, bills, a "
    "verification, or nothing",
    query="""
        select p.uuid as payment_uuid, p.provider_ref, p.currency, p.amount_minor,
               array_to_string(array_remove(array[
                   case when p.is_surplus then 'surplus' end,
                   case when f.is_verification then 'verification' end,
                   case when f.is_sale then 'sale' end,
                   case when f.is_direct then 'direct' end,
                   case when f.is_bill then 'bill' end], null), ', ') as purposes
          from payments p
          left join checkout_sessions s
            on s.app_uuid = $1 and s.uuid = p.checkout_session_uuid
         cross join lateral (
               select p.is_verification and not p.is_surplus as is_verification,
                   exists (select from one_time_payments o
                       where o.app_uuid = $1 and o.payment_uuid = p.uuid) as is_sale,
                   s.mode is not distinct from 'direct' and not p.is_surplus as is_direct,
                   exists (select from bills b
                       where b.app_uuid = $1 and b.payment_uuid = p.uuid)
                   or (not p.is_surplus and not p.is_verification
                       and (p.bill_uuid is not null
                            or cardinality(s.bill_uuids) > 0
                            or exists (select from subscriptions u
                                where u.app_uuid = $1 and u.checkout_session_uuid = s.uuid)))
                   as is_bill) f
         where p.app_uuid = $1 and p.status = 'paid'
           and p.is_surplus::int + f.is_verification::int + f.is_sale::int + f.is_direct::int
               + f.is_bill::int <> 1
         order by p.uuid
    """,
)

SALES_ARE_PAID: Final = Proof(
    name="sales-are-paid",
    claim="every one-time payment has a paid payment of the same amount, by the same tenant",
    query="""
        select o.uuid as one_time_payment_uuid, o.currency, o.total_minor,
               p.uuid as payment_uuid, p.status, p.currency as paid_currency, p.amount_minor
          from one_time_payments o
          left join payments p on p.app_uuid = $1 and p.uuid = o.payment_uuid
         where o.app_uuid = $1
           and (p.status, p.tenant_uuid, p.currency, p.amount_minor) is distinct from
               ('paid', o.tenant_uuid, o.currency, o.total_minor)
         order by o.uuid
    """,
)

SESSIONS_ARE_DELIVERED: Final = Proof(
    name="sessions-are-delivered",
    claim="every complete session has left behind what it sells, and no other session has",
    query="""
        select s.uuid as checkout_session_uuid, s.mode, s.status, f.is_sale, f.is_subscription
          from checkout_sessions s
         cross join lateral (
               select exists (select from one_time_payments o
                       where o.app_uuid = $1 and o.checkout_session_uuid = s.uuid) as is_sale,
                   exists (select from subscriptions u
                       where u.app_uuid = $1 and u.checkout_session_uuid = s.uuid)
                   as is_subscription) f
         where s.app_uuid = $1
           and (f.is_sale <> (s.mode = 'payment' and s.status = 'complete')
                or f.is_subscription <> (s.mode = 'subscription' and s.status = 'complete'))
         order by s.uuid
    """,
)

ATTEMPTS_END: Final = Proof(
    name="attempts-end",
    claim="no payment attempt is under way for more than a day, and none waits for a person",
    query="""
        select uuid as attempt_uuid, status, checkout_session_uuid, bill_uuid, tries, created_at
          from payment_attempts
         where app_uuid = $1
           and (status = 'needs_review'
                or status = 'submitting' and created_at < $2::timestamptz - interval '1 day')
         order by uuid
    """,
)

ATTEMPTS_MATCH_PAYMENTS: Final = Proof(
    name="attempts-match-payments",
    claim="an accepted attempt has a payment, or is a form to pay in; a declined one has none",
    query="""
        select a.uuid as attempt_uuid, a.status, p.uuid as payment_uuid, p.provider_ref
          from payment_attempts a
          left join payments p
            on p.app_uuid = $1 and p.attempt_uuid = a.uuid
         where a.app_uuid = $1
           and (a.status = 'accepted' and p.uuid is null and a.kind = 'payment'
                or a.status = 'declined' and not p.is_surplus
                or (p.checkout_session_uuid, p.bill_uuid, p.tenant_uuid, p.payment_provider_uuid)
                   is distinct from (a.checkout_session_uuid, a.bill_uuid, a.tenant_uuid,
                   a.payment_provider_uuid) and p.uuid is not null)
         order by a.uuid
    """,
)

REFUNDS_END: Final = Proof(
    name="refunds-end",
    claim="no refund is merely requested for more than a day",
    query="""
        select uuid as refund_uuid, payment_uuid, reason, currency, amount_minor, tries, created_at
          from refunds
         where app_uuid = $1 and status = 'requested'
           and created_at < $2::timestamptz - interval '1 day'
         order by uuid
    """,
)

REFUNDS_FIT: Final = Proof(
    name="refunds-fit",
    claim="what we give back of a payment is not more than was paid",
    query="""
        select p.uuid as payment_uuid, p.provider_ref, p.status, p.currency, p.amount_minor,
               sum(r.amount_minor) as refunds
          from payments p join refunds r on r.app_uuid = $1 and r.payment_uuid = p.uuid
         where p.app_uuid = $1 and r.reason <> 'dashboard'
           and r.status not in ('failed', 'canceled', 'declined')
         group by p.uuid, p.provider_ref, p.status, p.currency, p.amount_minor
        having sum(r.amount_minor) > case p.status when 'paid' then p.amount_minor else 0 end
         order by p.uuid
    """,
)

CAPTURES_END: Final = Proof(
    name="captures-end",
    claim="no capture is merely requested for more than a day",
    query="""
        select uuid as capture_uuid, payment_uuid, currency, amount_minor, tries, created_at
          from captures
         where app_uuid = $1 and status = 'requested'
           and created_at < $2::timestamptz - interval '1 day'
         order by uuid
    """,
)

CAPTURES_FIT: Final = Proof(
    name="captures-fit",
    claim="what was captured of a paid payment is its amount",
    query="""
        select p.uuid as payment_uuid, p.provider_ref, p.currency, p.amount_minor,
               p.captured_minor, coalesce(sum(c.amount_minor), 0) as captures
          from payments p
          left join captures c
            on c.app_uuid = $1 and c.payment_uuid = p.uuid and c.status = 'succeeded'
         where p.app_uuid = $1 and p.status = 'paid' and p.captured_minor is not null
           and p.due_at is null
         group by p.uuid, p.provider_ref, p.currency, p.amount_minor, p.captured_minor
        having p.captured_minor <> p.amount_minor
            or coalesce(sum(c.amount_minor), 0) <> p.amount_minor
         order by p.uuid
    """,
)

MONEY_GOES_BACK: Final = Proof(
    name="money-goes-back",
    claim="verification amounts, and what was paid too much, are on their way back a day later",
    query="""
        select o.payment_uuid, o.provider_ref, o.currency, o.minor as to_give_back,
               o.charged_back_minor, coalesce(sum(r.amount_minor), 0) as refunds
          from (select p.uuid as payment_uuid, p.provider_ref, p.currency, p.charged_back_minor,
                       case when p.is_surplus or p.is_verification then p.amount_minor
                            else -l.held end as minor
                  from payments p
                  left join ledger_postings l
                    on l.app_uuid = $1 and l.source_uuid = p.uuid and l.kind = 'payment.received'
                 where p.app_uuid = $1 and p.status = 'paid'
                   and p.paid_at < $2::timestamptz - interval '1 day') o
          left join refunds r on r.app_uuid = $1 and r.payment_uuid = o.payment_uuid
               and r.status not in ('failed', 'canceled', 'declined')
         where o.minor > 0
         group by o.payment_uuid, o.provider_ref, o.currency, o.minor, o.charged_back_minor
        having coalesce(sum(r.amount_minor), 0) + o.charged_back_minor < o.minor
         order by o.payment_uuid
    """,
)

# While a look at the payment is planned, what it shows may be on its way to us.
MONEY_BACK_IS_KNOWN: Final = Proof(
    name="money-back-is-known",
    claim="a payment's sums of refunds and chargebacks are those of the refunds and chargebacks",
    query="""
        select p.uuid as payment_uuid, p.provider_ref, p.currency,
               p.refunded_minor, r.minor as refunds, p.charged_back_minor, c.minor as chargebacks
          from payments p
         cross join lateral (select coalesce(sum(amount_minor), 0) as minor from refunds
                where app_uuid = $1 and payment_uuid = p.uuid
                  and status in ('queued', 'pending', 'processing', 'refunded')) r
         cross join lateral (select coalesce(sum(amount_minor), 0) as minor from chargebacks
                where app_uuid = $1 and payment_uuid = p.uuid and reversed_at is null) c
         where p.app_uuid = $1 and p.due_at is null
           and (p.refunded_minor, p.charged_back_minor) <> (r.minor, c.minor)
         order by p.uuid
    """,
)

# What a key may be claimed for. Only opening makes something, and makes it for one key.
_SUBJECTS: Final = " union all ".join(
    f"select from {table} s where s.app_uuid = $1 and s.uuid = k.subject_uuid"
    for table in (
        "checkout_sessions",
        "payment_sessions",
        "payments",
        "refunds",
        "captures",
        "mandates",
        "bills",
        "subscriptions",
    )
)

KEYS_LEAD_SOMEWHERE: Final = Proof(
    name="keys-lead-somewhere",
    claim="what an idempotency key was claimed for is there, and no two opened the same session",
    query=f"""
        select k.subject_uuid, min(k.operation) as operation, count(*) as keys
          from idempotency_keys k
         where k.app_uuid = $1 and k.subject_uuid is not null
         group by k.subject_uuid
        having count(*) filter (where starts_with(k.operation, 'open')) > 1
            or not exists ({_SUBJECTS})
         order by k.subject_uuid
    """,
)

SESSIONS_ARE_PAID_ONCE: Final = Proof(
    name="sessions-are-paid-once",
    claim="every payment session has one live try, and no other try's checkout sells anything",
    query="""
        select s.uuid as payment_session_uuid,
               count(*) filter (where t.state = 'live') as live,
               count(p.uuid) filter (where t.state <> 'live') as sold_elsewhere
          from payment_sessions s
          left join payment_session_attempts t
            on t.app_uuid = $1 and t.payment_session_uuid = s.uuid
          left join payments p
            on p.app_uuid = $1 and p.checkout_session_uuid = t.checkout_session_uuid
           and p.status = 'paid' and not p.is_surplus
         where s.app_uuid = $1
         group by s.uuid
        having count(distinct t.uuid) filter (where t.state = 'live') <> 1
            or count(p.uuid) filter (where t.state <> 'live') > 0
         order by s.uuid
    """,
)

PROOFS: Final = (
    ONE_PURPOSE,
    SALES_ARE_PAID,
    SESSIONS_ARE_DELIVERED,
    ATTEMPTS_END,
    ATTEMPTS_MATCH_PAYMENTS,
    REFUNDS_END,
    REFUNDS_FIT,
    CAPTURES_END,
    CAPTURES_FIT,
    MONEY_GOES_BACK,
    MONEY_BACK_IS_KNOWN,
    KEYS_LEAD_SOMEWHERE,
    SESSIONS_ARE_PAID_ONCE,
)
