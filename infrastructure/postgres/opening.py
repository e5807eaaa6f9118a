"""Opening a checkout session: three statements, of which two run before the provider is called."""

from typing import Any

import msgspec

from domain.catalog.quote import Tax
from domain.checkout.book import Settled
from domain.checkout.order import Ask, Order, OrderFacts, PriceFacts, TaxFacts
from domain.checkout.ports import Intent
from domain.checkout.session import CheckoutSession, SessionStatus
from domain.kernel.idempotency import Answer, Claim, RequestKey
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.money import Currency, Money
from domain.kernel.percent import Percent
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName
from domain.tenancy.admission import AdmissionFacts
from domain.tenancy.api_key import ApiKey
from domain.tenancy.caller import Caller, KeyCaller, KeyType
from domain.tenancy.tenant import Role, Tenant
from infrastructure.postgres.database import Connection
from infrastructure.postgres.payment_providers import connection_facts

_FACTS = """
    select a.is_disabled, a.allowed_hosts,
           m.role as member_role,
           k.uuid as key_uuid, k.key_type, k.name as key_name, k.hint as key_hint,
           k.expires_at as key_expires_at, k.revoked_at as key_revoked_at,
           k.created_at as key_created_at,
           t.uuid as tenant_uuid, t.name as tenant_name, t.email as tenant_email,
           t.created_at as tenant_created_at, t.updated_at as tenant_updated_at,
           t.test_clock_uuid,
           (select tc.deleted_at is null from test_clocks tc
             where tc.app_uuid = a.app_uuid and tc.uuid = t.test_clock_uuid) as clock_is_usable,
           p.uuid as account_uuid, p.id as account_id, p.name as account_name,
           p.mode as account_mode, p.title as account_title, p.is_default as account_is_default,
           p.credential_sealed, p.credential_hint, p.verification_amount_minor,
           p.created_at as account_created_at, p.updated_at as account_updated_at,
           p.connected_by, p.is_connected, p.account_ref, p.profile_ref, p.disconnected_because,
           p.application_fee, p.credential_since,
           c.provider_ref as customer_ref,
           pr.uuid as price_uuid, pr.currency as price_currency, pr.unit_amount_minor,
           pr.recurring_interval, pr.trial_days, pr.archived_at as price_archived_at,
           po.name as product_name,
           tr.percentage_e4, tr.inclusive, tr.deleted_at as tax_deleted_at,
           exists (select from trials t0
                    where t0.app_uuid = a.app_uuid and t0.tenant_uuid = $2
                      and t0.product_uuid = pr.product_uuid) as trial_is_used,
           i.fingerprint, i.subject_uuid, i.answer_status, i.answer_body, i.lease_until,
           i.expires_at as claim_expires_at,
           -- Not a join: planned while the tables are new, it would read all the app's sessions.
           (select s.status from checkout_sessions s
             where s.app_uuid = a.app_uuid and s.uuid = i.subject_uuid) as claimed_session_status
      from apps a
      left join memberships m
        on m.app_uuid = a.app_uuid and m.tenant_uuid = $2 and m.user_uuid = $3
      left join api_keys k on k.app_uuid = a.app_uuid and k.secret_hash = $4
      left join tenants t on t.app_uuid = a.app_uuid and t.uuid = $2
      left join prices pr on pr.app_uuid = a.app_uuid and pr.uuid = $6
      left join products po on po.app_uuid = a.app_uuid and po.uuid = pr.product_uuid
      left join tax_rates tr on tr.app_uuid = a.app_uuid and tr.uuid = $7
      left join payment_providers p
        on p.app_uuid = a.app_uuid and p.name = $5 and p.deleted_at is null
       and case when coalesce($10, pr.payment_provider_uuid) is null then p.is_default
                else p.uuid = coalesce($10, pr.payment_provider_uuid) end
      left join customers c
        on c.app_uuid = a.app_uuid and c.payment_provider_uuid = p.uuid and c.tenant_uuid = $2
      left join idempotency_keys i
        on i.app_uuid = a.app_uuid and i.operation = $8 and i.key = $9
       and i.caller = coalesce('key:' || k.uuid::text, 'user:' || $3::text)
     where a.app_uuid = $1
"""

_ADD = """
    with claimed as (
        insert into idempotency_keys as held (app_uuid, caller, operation, key, fingerprint,
               subject_uuid, lease_until, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (app_uuid, caller, operation, key) do update
           set fingerprint = excluded.fingerprint, subject_uuid = excluded.subject_uuid,
               answer_status = null, answer_body = null, lease_until = excluded.lease_until,
               created_at = excluded.created_at, expires_at = excluded.expires_at
         where held.app_uuid = $1 and held.expires_at = $10
        returning subject_uuid
    ), session as (
        insert into checkout_sessions (app_uuid, uuid, tenant_uuid, user_uuid,
               payment_provider_uuid, mode, status, payment_status, price_uuid, tax_rate_uuid,
               quantity, currency, subtotal_minor, tax_minor, total_minor, terms, link_token,
               expires_at, due_at, created_at, updated_at, trial_days, subscription_uuid,
               bill_uuids, next_action_url)
        select $1, subject_uuid, $11, $12, $13, $14, 'open', 'unpaid', $15, $16,
               $17, $18, $19, $20, $21, $22, $23, $24, $24, $8, $8, $27, $28, $29, $30
          from claimed
        returning uuid, id
    ), attempt as (
        insert into payment_attempts (app_uuid, uuid, checkout_session_uuid, number,
               payment_provider_uuid, tenant_uuid, kind, status, request, first_submitted_at,
               tries, lease_until, due_at, created_at, updated_at)
        select $1, $25, uuid, 1, $13, $11, $31, 'submitting', $26, $8, 1, $7, $7, $8, $8
          from session
         where $25::uuid is not null
    )
    select id from session
"""

_OPEN_ACCEPTED = """
    with session as materialized (
        select uuid from checkout_sessions
         where app_uuid = $1 and uuid = $2 and status = 'open' for update
    ), attempt as (
        update payment_attempts a set status = 'accepted', request = '', updated_at = $3
          from session
         where a.app_uuid = $1 and a.uuid = $4 and a.checkout_session_uuid = session.uuid
           and a.status = 'submitting'
        returning a.uuid
    ), payment as (
        insert into payments (app_uuid, uuid, payment_provider_uuid, provider_ref, tenant_uuid,
               attempt_uuid, checkout_session_uuid, is_surplus, sequence_type, status, method,
               currency, amount_minor, captured_minor, refunded_minor, charged_back_minor,
               checkout_url,
               customer_ref, mandate_ref, due_at, created_at, updated_at, is_verification,
               tax_minor)
        select $1, $5, $6, $7, $8, attempt.uuid, $2, false, $9, $10, $11,
               $12, $13, $24, 0, 0, $14, $15, $16, $17, $3, $3, $23, 0
          from attempt
    ), opened as (
        update checkout_sessions s
           set provider_ref = $7, next_action_url = $14, updated_at = $3
          from attempt
         where s.app_uuid = $1 and s.uuid = $2
    ), answered as (
        update idempotency_keys i set answer_status = $18, answer_body = $19
          from attempt
         where i.app_uuid = $1 and i.caller = $20 and i.operation = $21 and i.key = $22
           and i.subject_uuid = $2
    )
    select uuid from attempt
"""


class PostgresOpening:
    """The hot path of `CheckoutRepository`; the rest is in checkout.py."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def facts(self, caller: Caller, order: Order, ask: Ask) -> OrderFacts:
        row = await self._connection.fetchrow(
            _FACTS,
            self._app_uuid,
            order.tenant_uuid,
            None if isinstance(caller, KeyCaller) else caller.user_uuid,
            caller.key_hash if isinstance(caller, KeyCaller) else None,
            order.provider,
            order.price_uuid,
            order.tax_rate_uuid,
            ask.operation,
            ask.stored_key,
            order.account_uuid,
        )
        if row is None:
            return OrderFacts(admission=AdmissionFacts(app_is_disabled=None))
        return OrderFacts(
            admission=_admission(row, self._app_uuid),
            allowed_hosts=tuple(row["allowed_hosts"]),
            tenant=_tenant(row, self._app_uuid),
            clock_is_usable=row["clock_is_usable"] is not False,
            account=_account(row, self._app_uuid),
            price=_price(row),
            tax=_tax(row),
            customer_ref=row["customer_ref"],
            claim=_claim(row),
            claimed_session_status=_status(row["claimed_session_status"]),
        )

    async def add(self, intent: Intent) -> CheckoutSession | None:
        key, session, attempt = intent.key, intent.session, intent.attempt
        amount = session.amount
        id = await self._connection.fetchval(
            _ADD,
            self._app_uuid,
            key.caller,
            key.operation,
            key.key,
            key.fingerprint,
            session.uuid,
            intent.lease_until,
            session.created_at,
            intent.key_expires_at,
            intent.replaces,
            session.tenant_uuid,
            session.user_uuid,
            session.payment_provider_uuid,
            session.mode,
            session.price_uuid,
            session.tax_rate_uuid,
            session.quantity,
            amount.total.currency,
            amount.subtotal.minor,
            amount.tax.minor,
            amount.total.minor,
            msgspec.to_builtins(session.terms),
            session.link_token,
            session.expires_at,
            attempt and attempt.uuid,
            attempt and attempt.request,
            session.trial_days,
            session.subscription_uuid,
            list(session.bill_uuids),
            session.next_action_url,
            attempt and attempt.kind,
        )
        return None if id is None else msgspec.structs.replace(session, id=id)

    async def open_accepted(self, settled: Settled, key: RequestKey, answer: Answer) -> bool:
        session, (payment,) = settled.book.session, settled.book.payments
        done = await self._connection.fetchval(
            _OPEN_ACCEPTED,
            self._app_uuid,
            session.uuid,
            payment.created_at,
            payment.attempt_uuid,
            payment.uuid,
            payment.payment_provider_uuid,
            payment.provider_ref,
            payment.tenant_uuid,
            payment.sequence_type,
            payment.status,
            payment.method,
            payment.amount.currency,
            payment.amount.minor,
            payment.checkout_url,
            payment.customer_ref,
            payment.mandate_ref,
            payment.due_at,
            answer.status,
            answer.body,
            key.caller,
            key.operation,
            key.key,
            payment.is_verification,
            None if payment.captured is None else payment.captured.minor,
        )
        return done is not None


def _admission(row: Any, app_uuid: AppUuid) -> AdmissionFacts:
    key = None
    if row["key_uuid"] is not None:
        key = ApiKey(
            uuid=row["key_uuid"],
            app_uuid=app_uuid,
            key_type=KeyType(row["key_type"]),
            name=row["key_name"],
            hint=row["key_hint"],
            expires_at=row["key_expires_at"],
            revoked_at=row["key_revoked_at"],
            created_at=row["key_created_at"],
        )
    role, tenant = row["member_role"], row["tenant_uuid"]
    memberships = {} if role is None or tenant is None else {TenantUuid(tenant): Role(role)}
    return AdmissionFacts(app_is_disabled=row["is_disabled"], memberships=memberships, api_key=key)


def _tenant(row: Any, app_uuid: AppUuid) -> Tenant | None:
    if row["tenant_uuid"] is None:
        return None
    return Tenant(
        uuid=TenantUuid(row["tenant_uuid"]),
        app_uuid=app_uuid,
        name=row["tenant_name"],
        email=row["tenant_email"],
        test_clock_uuid=row["test_clock_uuid"],
        created_at=row["tenant_created_at"],
        updated_at=row["tenant_updated_at"],
    )


def _account(row: Any, app_uuid: AppUuid) -> PaymentProvider | None:
    if row["account_uuid"] is None:
        return None
    return PaymentProvider(
        uuid=row["account_uuid"],
        app_uuid=app_uuid,
        id=row["account_id"],
        name=ProviderName(row["account_name"]),
        mode=ProviderMode(row["account_mode"]),
        title=row["account_title"],
        is_default=row["account_is_default"],
        credential_sealed=row["credential_sealed"],
        credential_hint=row["credential_hint"],
        verification_amount_minor=row["verification_amount_minor"],
        created_at=row["account_created_at"],
        updated_at=row["account_updated_at"],
        **connection_facts(row),
    )


def _price(row: Any) -> PriceFacts | None:
    if row["price_uuid"] is None:
        return None
    return PriceFacts(
        product_name=row["product_name"],
        unit_amount=Money(row["unit_amount_minor"], Currency(row["price_currency"])),
        is_recurring=row["recurring_interval"] is not None,
        trial_days=0 if row["trial_is_used"] else row["trial_days"],
        is_archived=row["price_archived_at"] is not None,
    )


def _tax(row: Any) -> TaxFacts | None:
    if row["percentage_e4"] is None:
        return None
    tax = Tax(Percent(row["percentage_e4"]), row["inclusive"])
    return TaxFacts(tax, row["tax_deleted_at"] is not None)


def _claim(row: Any) -> Claim | None:
    if row["fingerprint"] is None:
        return None
    status = row["answer_status"]
    return Claim(
        fingerprint=row["fingerprint"],
        answer=None if status is None else Answer(status, row["answer_body"]),
        lease_until=row["lease_until"],
        expires_at=row["claim_expires_at"],
        subject_uuid=row["subject_uuid"],
    )


def _status(text: str | None) -> SessionStatus | None:
    return None if text is None else SessionStatus(text)
